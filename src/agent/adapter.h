// agent: one file per adapter: how an agent's command line is launched, and how its output becomes
// activity, tokens, cost and a failure class. An adapter does not know the run it serves.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "flow/state.h"
#include "model/permissions.h"
#include "process/launcher.h"

namespace wave::agent {

/// What an attempt asks of an agent. Everything is resolved; nothing is a template.
struct AgentRequest {
  const model::AdapterConfig* config =
      nullptr;  // the manifest's; may be null for built-in adapters
  std::string step, persona;
  std::string prompt;         // the user prompt, or the script of a command step
  std::string system_prompt;  // base protocol, persona, restrictions: already assembled
  std::string model;          // literal id; empty: the agent's default
  model::EffectivePermissions permissions;
  std::filesystem::path workspace;
  /// The project's checkout, which a restricted agent may read, and what of it is not to be seen:
  /// wave's state. Empty: only the workspace.
  std::filesystem::path project;
  std::vector<std::filesystem::path> hidden;
  std::string session_id;  // a fresh UUID; adapters that can name their session use it
  std::map<std::string, std::string> variables;        // step variables: WAVE_DEP_*, WAVE_T*, ...
  std::map<std::string, std::string> own_environment;  // wave's environment, to pick from
  std::vector<std::string> env_passthrough;
  int attempt = 1;
  /// For the scripted adapter: the text of the project's `.agents/scripts/<step>.yaml`, else of
  /// `.agents/scripts/<persona>.yaml`, from the run's snapshot; empty if there is neither.
  std::string script;
};

/// How to start it. Files are written into the workspace before the start, `files` relative to it.
struct LaunchPlan {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::string stdin_text;
  std::map<std::string, std::string> files;
};

/// One thing the agent said or did. `offset` and `length` say where in the spool it stands.
struct Activity {
  std::string kind;     // text, thinking, tool_use, tool_result, notice, output
  std::string content;  // bounded excerpt, valid UTF-8
  std::string tool_name, tool_target;
  bool is_error = false;
  bool progress = false;  // counts as progress for the stall watchdog (not a read-only tool)
  std::string stream = "out";
  uint64_t offset = 0, length = 0;
};

/// How it went, by the agent's own words and by its exit together.
struct AgentResult {
  bool succeeded = false;
  flow::FailureClass failure = flow::FailureClass::kNone;
  Code code = Code::kAgentFailed;
  std::string message;  // why it failed, in words
  std::optional<Millis> retry_after;
  flow::Usage usage;
  std::string session_id, model;
  std::string final_text;  // what it said last, bounded (64 KiB)
  int turns = 0;
};

/// Reads one attempt's output as it grows. Lines of any length, chunks cut anywhere. Bounded
/// memory. Thread: one at a time.
class OutputParser {
 public:
  virtual ~OutputParser() = default;
  virtual void feed_out(std::string_view bytes, std::vector<Activity>& activity) = 0;
  virtual void feed_err(std::string_view bytes, std::vector<Activity>& activity) = 0;
  /// Whether bytes may be left out, as of text that nobody needs to the last line.
  [[nodiscard]] virtual bool may_skip() const { return false; }
  /// Passes over bytes that were not read.
  virtual void skip(bool /*err*/, uint64_t /*bytes*/) {}
  /// After the last byte: what became of it.
  virtual AgentResult finish(const process::HostExit& exit, std::vector<Activity>& activity) = 0;
  /// State between two feeds, so that another process can go on from the same byte.
  [[nodiscard]] virtual std::string save() const = 0;
  virtual Status restore(std::string_view state) = 0;
};

struct AdapterInfo {
  std::string name;  // claude, scripted, command, ...
  std::string description;
  std::string binary;  // default program
  bool enforces_permissions = false;
};

/// Stateless; one object per adapter, shared. Thread: any.
class Adapter {
 public:
  virtual ~Adapter() = default;
  [[nodiscard]] virtual const AdapterInfo& info() const = 0;
  /// An error when the adapter cannot enforce these permissions (promise S8). Asked at validation.
  [[nodiscard]] virtual Status check(const model::EffectivePermissions& permissions) const = 0;
  [[nodiscard]] virtual Result<LaunchPlan> plan(const AgentRequest& request) const = 0;
  [[nodiscard]] virtual std::unique_ptr<OutputParser> parser() const = 0;
};

/// The adapters of this version: claude, scripted, command. nullptr for others, known or not.
const Adapter* find_adapter(std::string_view name);
std::vector<const Adapter*> all_adapters();
/// The program that stands for an adapter in this project: what the manifest says, else the
/// adapter's own; empty: it needs none.
std::string program_of(const AdapterInfo& info, const model::Manifest& manifest);
/// Names upstream knows and this version does not carry out yet (codex, gemini, opencode, browser).
bool is_known_elsewhere(std::string_view name);

/// What every agent's environment starts from: PATH, HOME, USER, LANG, TERM=dumb, TMPDIR, XDG_*,
/// proxies, the adapter's own variables (`allow`: names, or prefixes such as "ANTHROPIC_*"), and
/// `passthrough` (the same); never a variable whose name starts with WAVE_: those are wave's own.
std::map<std::string, std::string> base_environment(const std::map<std::string, std::string>& own,
                                                    const std::vector<std::string>& allow,
                                                    const std::vector<std::string>& passthrough);

/// The variable that holds the path of what a dependency produced (wave-model.md 3.9):
/// WAVE_DEP_<STEP>_<NAME> in upper case, everything but letters and digits as '_'.
std::string dependency_variable(std::string_view step, std::string_view artifact);

}  // namespace wave::agent

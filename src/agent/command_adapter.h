// `command` steps: a shell script instead of an agent.
#pragma once

#include "agent/adapter.h"
#include "agent/exit_failure.h"
#include "agent/plain_output.h"

namespace wave::agent {

/// Linux takes at most 128 KiB in one argument; a longer script becomes a file.
inline constexpr size_t kMaxScriptArgument = 100 << 10;

class CommandAdapter final : public Adapter {
 public:
  [[nodiscard]] const AdapterInfo& info() const override;
  [[nodiscard]] Status check(const model::EffectivePermissions& permissions) const override;
  [[nodiscard]] Result<LaunchPlan> plan(const AgentRequest& request) const override;
  [[nodiscard]] std::unique_ptr<OutputParser> parser() const override;
};

/// Output becomes `output` activity; the exit code decides.
class CommandParser final : public OutputParser {
 public:
  void feed_out(std::string_view bytes, std::vector<Activity>& activity) override;
  void feed_err(std::string_view bytes, std::vector<Activity>& activity) override;
  [[nodiscard]] bool may_skip() const override { return true; }
  void skip(bool err, uint64_t bytes) override { (err ? err_ : out_).skip(bytes); }
  AgentResult finish(const process::HostExit& exit, std::vector<Activity>& activity) override;
  [[nodiscard]] std::string save() const override;
  Status restore(std::string_view state) override;

 private:
  PlainOutput out_{"out", true}, err_{"err", true};
  Tail out_tail_{8 << 10}, err_tail_{8 << 10};
};

/// How a shell runs a script: as an argument, or where it is too long for one, from `file`, which
/// goes with the plan's files and lies below `folder`. kInvalidPipeline for one with a NUL byte.
Status plan_script(const std::string& script, const std::filesystem::path& folder,
                   const std::string& file, LaunchPlan& plan);

/// The class of a script's failure by its last words (wave-model.md 3.11).
flow::FailureClass classify_script_failure(std::string_view output);

}  // namespace wave::agent

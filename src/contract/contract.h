// contract: one file per contract type. A contract that cannot be evaluated is a failure with a
// reason, never a pass (promise S7).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/pipeline.h"

namespace wave::contract {

/// What came of a contract.
struct Verdict {
  bool passed = false;
  bool evaluable = true;            // false: it could not be checked; then passed is false
  std::string message;              // one line
  std::vector<std::string> errors;  // what to repair, in words an agent can act on; bounded
  std::vector<std::string> notes;   // recoveries applied, warnings
  std::string output;               // tail of a command's output
  json::object details;             // agent_review: verdict, issues ...
  bool test_failure = false;        // test_suite: class test_failure rather than contract_failure
};

/// What a contract needs done that it must not do itself: programs and agents run hosted.
struct CommandOutcome {
  int exit_code = 0;
  int signal = 0;
  std::string reason;  // HostExit::reason
  std::string out_tail, err_tail;
};
struct ReviewOutcome {
  bool succeeded = false;
  std::string message, text;  // the reviewer's final text
};

/// Everything a contract looks at. Paths are absolute.
struct Context {
  const model::Contract* contract = nullptr;
  std::filesystem::path workspace;
  std::filesystem::path source;       // the artifact, resolved within the workspace; may not exist
  std::string source_error;           // why `source` could not be resolved; then it is empty
  std::string command;                // rendered test_suite command (a shell line)
  std::filesystem::path command_dir;  // where it runs
  std::map<std::string, std::string> artifacts;  // name -> content, for agent_review's context
  std::string review_system_prompt;              // the reviewer persona's
  std::function<Result<CommandOutcome>(const std::string& shell_line,
                                       const std::filesystem::path& dir, Millis timeout)>
      run_command;
  std::function<Result<ReviewOutcome>(const std::string& prompt, Millis timeout)> run_reviewer;
};

/// Evaluates; blocks; call it on the pool. Never throws. Deadlines: agent_review's is the
/// contract's timeout; test_suite's too, but 10 minutes where that is the unset 120 s. A test suite
/// that fails, hangs or is killed is a test_failure; one that cannot be started is not evaluable.
Verdict evaluate(const Context& context);

/// Types this version carries out: json_schema, non_empty_file, test_suite, agent_review.
bool is_supported(std::string_view type);

}  // namespace wave::contract

// contract: one file per contract type. A contract that cannot be evaluated is a failure with a
// reason, never a pass (promise S7).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
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

/// A program that has to run before a contract can be judged. A contract never starts one itself:
/// the engine runs it hosted, like an agent, while nothing blocks.
struct Job {
  enum class Kind { kCommand, kReview };
  Kind kind = Kind::kCommand;
  std::string text;           // a shell line, or the reviewer's prompt
  std::filesystem::path dir;  // where the shell line runs
  Millis timeout{0};
  std::string token;  // of the prompt: the reviewer's own verdict repeats it
};

/// What came of a job.
struct Outcome {
  // Of a shell line.
  int exit_code = 0;
  int signal = 0;
  std::string reason;  // HostExit::reason
  std::string out_tail, err_tail;
  // Of a reviewer.
  bool succeeded = false;
  std::string message, text;  // its final text
};

/// The verdict, or what is needed for it.
struct Assessment {
  Verdict verdict;  // where there is no job
  std::optional<Job> job;
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
};

/// Evaluates, as far as that is possible without running a program; blocks (files); call it on the
/// pool. Never throws. A job's deadline: agent_review's is the contract's timeout; test_suite's
/// too, but 10 minutes where that is the unset 120 s.
Assessment evaluate(const Context& context);
/// The verdict when the job is done. Never throws, does no I/O. A test suite that fails, hangs or
/// is killed is a test_failure; one that cannot be started is not evaluable.
Verdict judge(const Job& job, const Result<Outcome>& outcome);

/// Types this version carries out: json_schema, non_empty_file, test_suite, agent_review.
bool is_supported(std::string_view type);

}  // namespace wave::contract

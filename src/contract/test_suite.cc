// test_suite: a command of the project passes. It is a shell line, runs hosted, and has a deadline.
#include "base/text.h"
#include "contract/contract_types.h"

namespace wave::contract {
namespace {

// Contract::timeout is 120 s unless it was written down, which is meant for agent_review: test
// suites take longer.
constexpr Millis kUnsetTimeout{120'000};
constexpr Millis kSuiteTimeout = std::chrono::minutes(10);
constexpr size_t kTailBytes = 4 << 10;
// What a shell answers when it could not start the command at all (POSIX, 2.8.2).
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

Millis timeout_of(const model::Contract& contract) {
  const bool unset = contract.timeout == kUnsetTimeout || contract.timeout <= Millis(0);
  return unset ? kSuiteTimeout : contract.timeout;
}

std::string tail_of(const Outcome& outcome) {
  std::string text;
  for (const std::string* stream : {&outcome.out_tail, &outcome.err_tail}) {
    const std::string_view tail = trim(utf8_suffix(*stream, kTailBytes));
    if (tail.empty()) continue;
    if (!text.empty()) text += "\n";
    text += tail;
  }
  return to_valid_utf8(text);
}

Verdict test_failure(const std::string& what, const Outcome& outcome, const std::string& command) {
  std::vector<std::string> errors{fmt::format("`{}` {}", excerpt(command, 300), what)};
  std::string tail = tail_of(outcome);
  if (!tail.empty()) errors.push_back("The end of its output:\n" + tail);
  Verdict verdict = reject("the test suite failed: it " + what, std::move(errors));
  verdict.test_failure = true;
  verdict.output = std::move(tail);
  return verdict;
}

Verdict not_run(const std::string& why, const Outcome& outcome) {
  Verdict verdict = unevaluable(why);
  verdict.output = tail_of(outcome);
  if (!verdict.output.empty()) verdict.errors.push_back(verdict.output);
  return verdict;
}

Verdict judge_exit(const Outcome& outcome, const std::string& command, Millis timeout) {
  if (outcome.reason == "timeout") {
    return test_failure("did not end within " + format_duration(timeout), outcome, command);
  }
  if (outcome.reason == "output_limit") {
    return test_failure("printed more than a spool may hold", outcome, command);
  }
  if (!outcome.reason.empty() && outcome.reason != "exited") {
    return not_run(fmt::format("the command did not run to its end ({})", outcome.reason), outcome);
  }
  if (outcome.signal != 0) {
    return test_failure(fmt::format("was ended by signal {}", outcome.signal), outcome, command);
  }
  if (outcome.exit_code == kNotFound || outcome.exit_code == kNotExecutable) {
    return not_run(
        fmt::format("`{}` could not be started (exit code {}): is its program installed, "
                    "and in PATH?",
                    excerpt(command, 300), outcome.exit_code),
        outcome);
  }
  if (outcome.exit_code != 0) {
    return test_failure(fmt::format("ended with exit code {}", outcome.exit_code), outcome,
                        command);
  }
  Verdict verdict = pass("the test suite passed");
  verdict.output = tail_of(outcome);
  return verdict;
}

}  // namespace

Assessment evaluate_test_suite(const Context& context) {
  if (trim(context.command).empty()) return {unevaluable("test_suite has no command"), {}};
  Assessment assessment;
  assessment.job = Job{.kind = Job::Kind::kCommand,
                       .text = context.command,
                       .dir = context.command_dir,
                       .timeout = timeout_of(*context.contract),
                       .token = {}};
  return assessment;
}

Verdict judge_test_suite(const Job& job, const Result<Outcome>& outcome) {
  if (outcome) return judge_exit(*outcome, job.text, job.timeout);
  if (outcome.error().code == Code::kTimeout) {
    Outcome timed_out;
    timed_out.reason = "timeout";
    return judge_exit(timed_out, job.text, job.timeout);
  }
  return unevaluable(full_message(outcome.error()));
}

}  // namespace wave::contract

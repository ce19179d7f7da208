// The contract types, one file each, and what they share. Internal to the room.
#pragma once

#include <string>

#include "contract/contract.h"

namespace wave::contract {

Assessment evaluate_json_schema(const Context& context);
Assessment evaluate_non_empty_file(const Context& context);
Assessment evaluate_test_suite(const Context& context);
Assessment evaluate_agent_review(const Context& context);
Verdict judge_test_suite(const Job& job, const Result<Outcome>& outcome);
Verdict judge_agent_review(const Job& job, const Result<Outcome>& outcome);

/// It holds.
Verdict pass(std::string message);
/// It was checked and does not hold.
Verdict reject(std::string message, std::vector<std::string> errors = {});
/// It could not be checked: a failure too (promise S7).
Verdict unevaluable(std::string reason);

/// The artifact's path as people know it: relative to the workspace where it lies within.
std::string source_name(const Context& context);

/// Where the artifact stands before anything reads it.
struct SourceState {
  bool usable = false;  // a regular file
  Verdict verdict;      // why not
};
SourceState look_at_source(const Context& context);

}  // namespace wave::contract

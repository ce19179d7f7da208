#include "contract/contract.h"

#include <array>
#include <exception>

#include "base/text.h"
#include "contract/contract_types.h"

namespace wave::contract {
namespace {

struct TypeRow {
  std::string_view type;
  Assessment (*evaluate)(const Context&);
};
constexpr std::array kContractTypes{
    TypeRow{"json_schema", evaluate_json_schema},
    TypeRow{"non_empty_file", evaluate_non_empty_file},
    TypeRow{"test_suite", evaluate_test_suite},
    TypeRow{"agent_review", evaluate_agent_review},
};

const TypeRow* find_type(std::string_view type) {
  for (const TypeRow& row : kContractTypes) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

Verdict unknown_type(std::string_view type) {
  std::vector<std::string> names;
  for (const TypeRow& row : kContractTypes) names.emplace_back(row.type);
  if (type.empty()) return unevaluable("the contract has no type");
  return unevaluable(fmt::format("contracts of the type \"{}\" are not supported; there are {}",
                                 excerpt(type, 60), join(names, ", ")));
}

Assessment evaluate_type(const Context& context) {
  if (context.contract == nullptr) return {unevaluable("there is no contract"), {}};
  const TypeRow* row = find_type(context.contract->type);
  if (row == nullptr) return {unknown_type(context.contract->type), {}};
  return row->evaluate(context);
}

Verdict judge_kind(const Job& job, const Result<Outcome>& outcome) {
  switch (job.kind) {
    case Job::Kind::kCommand:
      return judge_test_suite(job, outcome);
    case Job::Kind::kReview:
      return judge_agent_review(job, outcome);
  }
  return unevaluable("an unknown kind of job ran for it");
}

Verdict broken(const std::exception& exception) {
  return unevaluable(fmt::format("evaluating it failed: {}", exception.what()));
}

/// Everything in a verdict may come from an agent or a command: it ends up in events and prompts.
void bound(Verdict& verdict) {
  constexpr size_t kMaxEntries = 30;
  constexpr size_t kMaxEntryBytes = 1'000;
  constexpr size_t kMaxOutputBytes = 8 << 10;
  verdict.message = excerpt(replace_all(std::move(verdict.message), "\n", " "), kMaxEntryBytes);
  for (std::vector<std::string>* list : {&verdict.errors, &verdict.notes}) {
    if (list->size() > kMaxEntries) list->resize(kMaxEntries);
  }
  for (std::string& note : verdict.notes) note = excerpt(note, kMaxEntryBytes);
  for (std::string& error : verdict.errors) {
    if (error.size() > kMaxOutputBytes) error = excerpt(error, kMaxOutputBytes);
  }
  verdict.output = to_valid_utf8(utf8_suffix(verdict.output, kMaxOutputBytes));
  // A verdict that says both is a mistake here; it must not pass.
  verdict.passed = verdict.passed && verdict.evaluable;
}

}  // namespace

Assessment evaluate(const Context& context) {
  Assessment assessment;
  try {
    assessment = evaluate_type(context);
  } catch (const std::exception& exception) {
    assessment = {broken(exception), {}};
  }
  bound(assessment.verdict);
  return assessment;
}

Verdict judge(const Job& job, const Result<Outcome>& outcome) {
  Verdict verdict;
  try {
    verdict = judge_kind(job, outcome);
  } catch (const std::exception& exception) {
    verdict = broken(exception);
  }
  bound(verdict);
  return verdict;
}

bool is_supported(std::string_view type) {
  return find_type(type) != nullptr;
}

}  // namespace wave::contract

// agent_review: another agent judges the artifact by criteria of the snapshot. Its verdict counts
// only when it can be read; pass and warn hold, everything else does not.
#include "base/file.h"
#include "base/text.h"
#include "contract/contract_types.h"
#include "contract/json_extract.h"
#include "contract/json_recovery.h"
#include "contract/review_prompt.h"

namespace wave::contract {
namespace {

constexpr size_t kMaxMaterialBytes = 100 << 10;  // of each piece
constexpr size_t kMaxAllMaterialBytes = 400 << 10;
constexpr size_t kBytesPerToken = 4;  // for token_budget, which bounds the material
constexpr size_t kMaxAnswerBytes = 1 << 20;
constexpr Millis kReviewTimeout{120'000};

/// What all pieces together may have.
size_t material_limit(const model::Contract& contract) {
  if (contract.token_budget <= 0) return kMaxAllMaterialBytes;
  const auto budget = std::min<uint64_t>(static_cast<uint64_t>(contract.token_budget), 1 << 20);
  return std::min<size_t>(kMaxAllMaterialBytes, budget * kBytesPerToken);
}

/// Takes the pieces out of a shrinking budget.
class Materials {
 public:
  explicit Materials(size_t limit) : left_(limit) {}

  void add(std::string title, std::string_view text) {
    const size_t limit = std::min(kMaxMaterialBytes, left_);
    ReviewMaterial piece{std::move(title), to_valid_utf8(utf8_prefix(text, limit)),
                         text.size() > limit};
    left_ -= std::min(limit, text.size());
    if (text.empty()) piece.text = "(empty)";
    pieces.push_back(std::move(piece));
  }

  std::vector<ReviewMaterial> pieces;

 private:
  size_t left_;
};

std::optional<Verdict> add_source(const Context& context, Materials& materials) {
  // Without a source the context alone is reviewed.
  if (context.source.empty() && context.source_error.empty() &&
      !context.contract->context.empty()) {
    return std::nullopt;
  }
  SourceState source = look_at_source(context);
  if (!source.usable) return std::move(source.verdict);
  const auto text = read_range(context.source, 0, kMaxMaterialBytes + 1);
  if (!text) return unevaluable(full_message(text.error()));
  materials.add(fmt::format("the artifact \"{}\"", source_name(context)), *text);
  return std::nullopt;
}

std::optional<Verdict> add_context(const Context& context, Materials& materials) {
  for (const model::ReviewContext& wanted : context.contract->context) {
    const bool diff = wanted.source == "git_diff";
    const std::string name = diff ? "git_diff" : wanted.artifact;
    const auto found = context.artifacts.find(name);
    if (found == context.artifacts.end()) {
      return unevaluable(fmt::format("its context needs {}, which there is not",
                                     diff
                                         ? std::string("the git diff")
                                         : fmt::format("the artifact \"{}\"", excerpt(name, 100))));
    }
    const bool unchanged = diff && found->second.empty();
    materials.add(diff ? "the changes (git diff)" : fmt::format("the artifact \"{}\"", name),
                  unchanged ? std::string_view("(no changes)") : found->second);
  }
  return std::nullopt;
}

// --- The answer ---

std::string lower_verdict(const json::object& object) {
  return to_lower(trim(get_string(object, "verdict")));
}

bool is_verdict(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return false;
  const std::string verdict = lower_verdict(*object);
  return verdict == "pass" || verdict == "warn" || verdict == "fail";
}

/// Every verdict in the answer: the answer as a whole, or the objects in it.
std::vector<json::object> verdicts_in(std::string_view answer) {
  std::vector<json::object> verdicts;
  if (auto whole = parse_json(answer); whole && is_verdict(*whole)) {
    verdicts.push_back(whole->get_object());
    return verdicts;
  }
  for (std::string_view region : find_regions(answer).balanced) {
    const auto value = recover_json(region, RecoveryLevel::kProgressive);
    if (value && is_verdict(value->value)) verdicts.push_back(value->value.get_object());
  }
  return verdicts;
}

/// The reviewer's own verdict. One that repeats the token is; without a token it has to be the only
/// one, since a reviewer may quote a verdict that it found in the material.
Result<json::object> own_verdict(std::string_view answer, const std::string& token) {
  std::vector<json::object> verdicts = verdicts_in(answer);
  for (auto verdict = verdicts.rbegin(); verdict != verdicts.rend(); ++verdict) {
    if (get_string(*verdict, "review") == token) return std::move(*verdict);
  }
  if (verdicts.empty()) {
    return fail(Code::kContractUnevaluable,
                fmt::format("the reviewer gave no verdict that can be read: \"{}\"",
                            excerpt(trim(answer), 300)));
  }
  if (verdicts.size() > 1) {
    return fail(Code::kContractUnevaluable, "the reviewer's answer has several verdicts");
  }
  return std::move(verdicts.front());
}

std::string issue_line(const json::value& issue) {
  if (issue.is_string()) return excerpt(issue.get_string(), 600);
  const json::object* object = issue.if_object();
  if (object == nullptr) return excerpt(dump_json(issue), 600);
  std::string line;
  if (const auto severity = get_string(*object, "severity"); !severity.empty()) {
    line = fmt::format("[{}] ", excerpt(severity, 40));
  }
  line += excerpt(get_string(*object, "description"), 600);
  if (const auto repair = get_string(*object, "suggestion"); !repair.empty()) {
    line += " Suggestion: " + excerpt(repair, 400);
  }
  return line;
}

std::vector<std::string> issue_lines(const json::object& verdict) {
  constexpr size_t kMaxIssues = 20;
  std::vector<std::string> lines;
  const json::array& issues = get_array(verdict, "issues");
  for (const json::value& issue : issues) {
    if (lines.size() == kMaxIssues) {
      lines.push_back(fmt::format("... and {} more", issues.size() - kMaxIssues));
      break;
    }
    lines.push_back(issue_line(issue));
  }
  return lines;
}

json::object details_of(const json::object& verdict, const std::vector<std::string>& issues) {
  json::object details;
  details["verdict"] = lower_verdict(verdict);
  details["issues"] = to_array(issues);
  json::array suggestions;
  for (const std::string& suggestion : get_strings(verdict, "suggestions")) {
    if (suggestions.size() == 20) break;
    suggestions.emplace_back(excerpt(suggestion, 400));
  }
  details["suggestions"] = std::move(suggestions);
  details["summary"] = excerpt(get_string(verdict, "summary"), 1'000);
  const double confidence = get_double(verdict, "confidence", -1);
  if (confidence >= 0 && confidence <= 1) details["confidence"] = confidence;
  return details;
}

Verdict judge_answer(const json::object& answer) {
  const std::string word = lower_verdict(answer);
  std::vector<std::string> issues = issue_lines(answer);
  json::object details = details_of(answer, issues);
  const std::string summary = excerpt(trim(get_string(answer, "summary")), 300);
  const std::string message =
      fmt::format("the review says {}{}{}", word, summary.empty() ? "" : ": ", summary);
  Verdict verdict;
  if (word == "fail") {
    verdict = reject(message, std::move(issues));
  } else {
    verdict = pass(message);
    verdict.notes = std::move(issues);
  }
  verdict.details = std::move(details);
  return verdict;
}

}  // namespace

Assessment evaluate_agent_review(const Context& context) {
  if (trim(context.contract->criteria_text).empty()) {
    return {unevaluable("agent_review has no criteria (criteria_path)"), {}};
  }
  Materials materials(material_limit(*context.contract));
  if (auto problem = add_source(context, materials)) return {*std::move(problem), {}};
  if (auto problem = add_context(context, materials)) return {*std::move(problem), {}};
  ReviewPrompt prompt = make_review_prompt(context, materials.pieces);
  Assessment assessment;
  assessment.job = Job{
      .kind = Job::Kind::kReview,
      .text = std::move(prompt.text),
      .dir = {},
      .timeout = context.contract->timeout > Millis(0) ? context.contract->timeout : kReviewTimeout,
      .token = std::move(prompt.token)};
  return assessment;
}

Verdict judge_agent_review(const Job& job, const Result<Outcome>& outcome) {
  if (!outcome) return unevaluable("the reviewer failed: " + full_message(outcome.error()));
  if (!outcome->succeeded) return unevaluable("the reviewer failed: " + outcome->message);
  if (outcome->text.size() > kMaxAnswerBytes) {
    return unevaluable(fmt::format("the reviewer's answer has {} bytes", outcome->text.size()));
  }
  const auto answer = own_verdict(outcome->text, job.token);
  if (!answer) return unevaluable(answer.error().message);
  return judge_answer(*answer);
}

}  // namespace wave::contract

#include "contract/json_recovery.h"

#include "base/text.h"
#include "contract/json_extract.h"
#include "contract/json_repair.h"
#include "contract/json_tokens.h"

namespace wave::contract {
namespace {

// Recovery reads a text a dozen times; what agents write around their JSON is far smaller.
constexpr size_t kMaxRecoverable = 1 << 20;

/// A candidate on its way through the repairs.
struct Attempt {
  std::vector<std::string> applied;
  Tokens tokens;
};

/// Prose that happens to parse ("2", "null") is no answer: what was cut out has to be a container,
/// unless the cut was marked by a fence.
bool is_answer(const Candidate& candidate, const json::value& value) {
  return value.is_structured() || candidate.name == "removed_fences";
}

std::optional<Recovered> try_candidates(const std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) {
    auto value = parse_json(candidate.text);
    if (value && is_answer(candidate, *value)) {
      return Recovered{*std::move(value), {candidate.name}};
    }
  }
  return std::nullopt;
}

std::optional<Recovered> try_repairs(const std::vector<Candidate>& candidates,
                                     RecoveryLevel level) {
  std::vector<Attempt> attempts;
  for (const Candidate& candidate : candidates) {
    Attempt attempt{{}, read_tokens(candidate.text)};
    if (!candidate.name.empty()) attempt.applied.push_back(candidate.name);
    attempts.push_back(std::move(attempt));
  }
  for (const Repair& repair : repairs()) {
    if (repair.level > level) continue;
    for (Attempt& attempt : attempts) {
      if (!repair.apply(attempt.tokens)) continue;
      attempt.applied.emplace_back(repair.name);
      auto value = parse_json(join_tokens(attempt.tokens));
      if (value && value->is_structured()) {
        return Recovered{*std::move(value), std::move(attempt.applied)};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Recovered> recover_json(std::string_view text, RecoveryLevel level) {
  auto plain = parse_json(text);
  if (plain) return Recovered{*std::move(plain), {}};
  if (level == RecoveryLevel::kNone) return fail(std::move(plain).error());
  if (text.size() > kMaxRecoverable) {
    Error error = std::move(plain).error();
    error.hint = fmt::format("a text of more than {} MiB is not repaired", kMaxRecoverable >> 20);
    return fail(std::move(error));
  }
  const bool guess = level >= RecoveryLevel::kProgressive;
  const std::vector<Candidate> candidates = find_candidates(text, guess);
  if (auto found = try_candidates(candidates)) return *std::move(found);
  if (auto found = try_repairs(candidates, level)) return *std::move(found);
  Error error = std::move(plain).error();
  error.hint = "write one JSON value and nothing else";
  return fail(std::move(error));
}

bool is_error_wrapper(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr || get_string(*object, "error_type").empty()) return false;
  const json::value* raw = find(*object, "raw_output");
  if (raw == nullptr || raw->is_null() || (raw->is_string() && raw->get_string().empty())) {
    return false;
  }
  int known = 0;
  for (std::string_view key :
       {"error_type", "raw_output", "contract_type", "step_id", "final_error", "attempts"}) {
    known += object->contains(key) ? 1 : 0;
  }
  return known >= 3;
}

}  // namespace wave::contract

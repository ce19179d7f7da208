#include "agent/claude_failure.h"

#include <charconv>

#include "base/text.h"

namespace wave::agent {
namespace {

using flow::FailureClass;

bool is_any(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_context(const ClaudeError& error) {
  if (is_any(error.terminal_reason,
             {"prompt_too_long", "rapid_refill_breaker", "blocking_limit"})) {
    return true;
  }
  return error.status == 413 || to_lower(error.text).contains("prompt is too long");
}

bool is_authentication(const ClaudeError& error) {
  return error.status == 401 || error.status == 403 || error.kind == "authentication_failed" ||
         error.kind == "oauth_org_not_allowed";
}

}  // namespace

FailureKind classify(const ClaudeError& error) {
  if (is_context(error)) return {FailureClass::kContextExhausted, Code::kContextExhausted};
  if (error.terminal_reason == "budget_exhausted" || error.subtype == "error_max_budget_usd") {
    return {FailureClass::kBudgetExhausted, Code::kLimit};
  }
  // The cap on turns is a setting: the next attempt would meet it again.
  if (error.terminal_reason == "max_turns" || error.subtype == "error_max_turns") {
    return {FailureClass::kDeterministic, Code::kLimit};
  }
  if (is_authentication(error)) return {FailureClass::kDeterministic, Code::kAgentAuth};
  if (error.status == 429 || error.kind == "rate_limit") {
    return {FailureClass::kRateLimit, Code::kRateLimited};
  }
  if (error.terminal_reason.starts_with("aborted")) {
    return {FailureClass::kTransient, Code::kInterrupted};
  }
  // A refusal and a request that is wrong in itself would be answered the same way again.
  if (error.stop_reason == "refusal" ||
      is_any(error.kind, {"invalid_request", "model_not_found", "billing_error"}) ||
      (error.status >= 400 && error.status < 500 && error.status != 408 && error.status != 409)) {
    return {FailureClass::kDeterministic, Code::kAgentFailed};
  }
  return {FailureClass::kTransient, Code::kAgentFailed};
}

std::optional<Millis> retry_after_in(std::string_view text) {
  constexpr std::string_view kPhrase = "try again in ";
  const size_t at = to_lower(text).find(kPhrase);
  if (at == std::string::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + kPhrase.size());
  int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  constexpr int64_t kMaxSeconds = 7 * 24 * 3600;
  if (error != std::errc() || number < 0 || number > kMaxSeconds * 1000) return std::nullopt;
  const std::string_view unit(end, rest.data() + rest.size());
  if (unit.starts_with("ms")) return Millis(number);
  if (number > kMaxSeconds) return std::nullopt;
  if (unit.starts_with('s') || unit.starts_with(" s")) return std::chrono::seconds(number);
  if (unit.starts_with('m') || unit.starts_with(" m")) return std::chrono::minutes(number);
  if (unit.starts_with('h') || unit.starts_with(" h")) return std::chrono::hours(number);
  return std::nullopt;
}

}  // namespace wave::agent

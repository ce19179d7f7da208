#include "flow/retry.h"

#include <re2/re2.h>

#include "base/text.h"
#include "flow/decide.h"

namespace wave::flow {
namespace {

constexpr size_t kFingerprintBytes = 200;

/// A failure's message without what differs from one time to the next.
std::string normalised(std::string_view message) {
  static const RE2 kTime(R"(\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(\.\d+)?(z|[+-]\d\d:?\d\d)?)");
  static const RE2 kUuid(R"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})");
  static const RE2 kTemporary(R"(/tmp/\S*)");
  static const RE2 kHex(R"(0x[0-9a-f]+|\b[0-9a-f]{8,}\b)");
  static const RE2 kLine(R"(:\d+)");
  std::string text = to_lower(message);
  for (const RE2* pattern : {&kTime, &kUuid, &kTemporary, &kHex, &kLine}) {
    RE2::GlobalReplace(&text, *pattern, "");
  }
  return std::string(utf8_prefix(text, kFingerprintBytes));
}

}  // namespace

Millis retry_delay(const model::Retry& retry, int attempt) {
  const int64_t base = std::max<int64_t>(retry.base_delay.count(), 0);
  const int64_t limit = std::max<int64_t>(retry.max_delay.count(), 0);
  const int64_t step = std::max(attempt, 2) - 2;  // 0 before the second attempt
  if (base == 0) return Millis(0);
  switch (retry.backoff) {
    case model::Backoff::kFixed:
      return Millis(std::min(base, limit));
    case model::Backoff::kLinear:
      if (step >= limit / base) return Millis(limit);
      return Millis(std::min(base * (step + 1), limit));
    case model::Backoff::kExponential:
      // 2^step times a base of at least 1 ms passes any limit long before it overflows.
      if (step >= 62 || base > (limit >> step)) return Millis(limit);
      return Millis(std::min(base << step, limit));
  }
  return Millis(limit);
}

std::string failure_fingerprint(std::string_view step, const Failure& failure) {
  return fmt::format("{}:{}:{}", step, to_string(failure.failure_class),
                     normalised(failure.message));
}

bool is_tracked(const model::CircuitBreakerConfig& breaker, FailureClass failure) {
  if (breaker.limit <= 0) return false;
  return std::ranges::find(breaker.tracked_classes, to_string(failure)) !=
         breaker.tracked_classes.end();
}

bool breaker_tripped(const Program& program, const RunState& state, const StepState& step) {
  const auto& breaker = program.project.manifest.runtime.circuit_breaker;
  if (!is_tracked(breaker, step.failure.failure_class)) return false;
  const auto count = state.failure_counts.find(failure_fingerprint(step.id, step.failure));
  return count != state.failure_counts.end() && count->second >= breaker.limit;
}

bool can_retry(const Program& program, const RunState& state, const model::Step& step,
               const StepState& step_state) {
  return is_retryable(step_state.failure.failure_class) &&
         step_state.attempt < step.retry.max_attempts &&
         !breaker_tripped(program, state, step_state);
}

Millis retry_wait(const model::Step& step, const StepState& step_state) {
  const Millis own = retry_delay(step.retry, step_state.attempt + 1);
  return std::max(own, step_state.retry_after.value_or(Millis(0)));
}

}  // namespace wave::flow

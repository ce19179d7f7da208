#include "agent/exit_failure.h"

#include <cstring>

#include "base/text.h"

namespace wave::agent {
namespace {

AgentResult failure(flow::FailureClass failure_class, Code code, std::string message) {
  AgentResult result;
  result.failure = failure_class;
  result.code = code;
  result.message = std::move(message);
  return result;
}

std::string describe_output_limit(const process::HostExit& exit) {
  // A host of an earlier version does not tell the limit.
  const std::string most = exit.limit == 0 ? "" : fmt::format("{} bytes, ", exit.limit);
  return fmt::format(
      "it printed more than {}what runtime.max_output_size allows for each stream, "
      "and was ended",
      most);
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

int hex_value(char c) {
  const auto at = kHexDigits.find(c);
  return at == std::string_view::npos ? 0 : static_cast<int>(at);
}

}  // namespace

std::string describe_exit(const process::HostExit& exit) {
  if (exit.signal != 0) {
    const char* name = strsignal(exit.signal);
    return fmt::format("was ended by signal {} ({})", exit.signal, name != nullptr ? name : "?");
  }
  return fmt::format("exited with code {}", exit.exit_code);
}

std::optional<AgentResult> failure_from_exit(const process::HostExit& exit) {
  using flow::FailureClass;
  if (exit.reason == "timeout") {
    return failure(
        FailureClass::kTimeout, Code::kTimeout,
        fmt::format("the step's deadline passed after {}", format_duration(exit.duration)));
  }
  if (exit.reason == "stopped") {
    return failure(FailureClass::kStopped, Code::kCancelled, "it was asked to stop");
  }
  if (exit.reason == "unattended") {
    return failure(FailureClass::kStopped, Code::kInterrupted,
                   "it had no owner for runtime.unattended_limit and was ended");
  }
  if (exit.reason == "output_limit") {
    return failure(FailureClass::kOutputLimit, Code::kLimit, describe_output_limit(exit));
  }
  if (exit.reason == "spawn_failed") {
    return failure(FailureClass::kDeterministic, Code::kAgentMissing,
                   exit.message.empty() ? "its program could not be started"
                                        : "its program could not be started: " + exit.message);
  }
  if (exit.reason == "host_lost") {
    return failure(FailureClass::kTransient, Code::kInterrupted, "its host is gone");
  }
  if (exit.reason != "exited") {
    return failure(FailureClass::kInternal, Code::kInternal,
                   "unknown reason for its end: " + exit.reason);
  }
  if (exit.signal != 0) {
    return failure(FailureClass::kTransient, Code::kAgentFailed, "it " + describe_exit(exit));
  }
  return std::nullopt;
}

json::object save_usage(const flow::Usage& usage) {
  return {{"in", usage.tokens_in},
          {"out", usage.tokens_out},
          {"cache_read", usage.tokens_cache_read},
          {"cache_write", usage.tokens_cache_write},
          {"cost", usage.cost_usd}};
}

flow::Usage restore_usage(const json::object& state) {
  flow::Usage usage;
  usage.tokens_in = get_int(state, "in");
  usage.tokens_out = get_int(state, "out");
  usage.tokens_cache_read = get_int(state, "cache_read");
  usage.tokens_cache_write = get_int(state, "cache_write");
  usage.cost_usd = get_double(state, "cost");
  return usage;
}

void add_usage(flow::Usage& sum, const flow::Usage& more) {
  sum.tokens_in += more.tokens_in;
  sum.tokens_out += more.tokens_out;
  sum.tokens_cache_read += more.tokens_cache_read;
  sum.tokens_cache_write += more.tokens_cache_write;
  sum.cost_usd += more.cost_usd;
}

void Tail::append(std::string_view bytes) {
  if (bytes.size() >= max_bytes_) {
    bytes_ = bytes.substr(bytes.size() - max_bytes_);
    return;
  }
  bytes_ += bytes;
  // Trimmed in steps, so that a stream of small pieces does not move the whole tail each time.
  if (bytes_.size() > 2 * max_bytes_) bytes_.erase(0, bytes_.size() - max_bytes_);
}

std::string Tail::text() const {
  return std::string(trim(to_valid_utf8(utf8_suffix(bytes_, max_bytes_))));
}

std::string hex_encode(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kHexDigits[byte >> 4];
    hex += kHexDigits[byte & 15];
  }
  return hex;
}

std::string hex_decode(std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>((hex_value(hex[i]) << 4) | hex_value(hex[i + 1]));
  }
  return bytes;
}

std::string Tail::save() const {
  return hex_encode(
      std::string_view(bytes_).substr(bytes_.size() - std::min(bytes_.size(), max_bytes_)));
}

void Tail::restore(std::string_view hex) {
  bytes_ = hex_decode(hex);
}

}  // namespace wave::agent

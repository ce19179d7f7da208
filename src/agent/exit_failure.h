// What the way a hosted program ended means by itself, before its own words are asked. Also the
// state codec that every parser's save() uses for tokens and money.
#pragma once

#include <optional>

#include "agent/adapter.h"

namespace wave::agent {

/// The failure that the exit alone proves: a deadline, a stop, the spool's cap, a program that
/// could not be started, a lost host, a signal. Nothing for a plain exit, whatever its code.
std::optional<AgentResult> failure_from_exit(const process::HostExit& exit);

/// "exited with code 3", "was ended by signal 9 (Killed)".
std::string describe_exit(const process::HostExit& exit);

json::object save_usage(const flow::Usage& usage);
flow::Usage restore_usage(const json::object& state);
/// Adds `more` to `sum`.
void add_usage(flow::Usage& sum, const flow::Usage& more);

/// Arbitrary bytes within a JSON state.
std::string hex_encode(std::string_view bytes);
std::string hex_decode(std::string_view hex);

/// The last part of a text that only ever grows: bounded memory.
class Tail {
 public:
  explicit Tail(size_t max_bytes) : max_bytes_(max_bytes) {}
  void append(std::string_view bytes);
  /// Valid UTF-8, trimmed.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::string save() const;
  void restore(std::string_view hex);

 private:
  size_t max_bytes_;
  std::string bytes_;
};

}  // namespace wave::agent

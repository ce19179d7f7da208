// Reads what `claude -p --output-format stream-json --verbose` prints.
//
// What the stream does not say plainly (all of it recorded in the vectors that the tests play):
// - The run's end is the `result` line. Its `subtype` is "success" even when the API refused; only
//   `is_error` counts, and only together with exit code 0 (a SIGINT also exits with 0).
// - The keys of a line come in any order, so no line is recognised by its first bytes.
// - One message is several `assistant` lines, each with the usage of the message's start. They are
//   never summed. `result.usage` is the last turn's; `modelUsage` and `total_cost_usd` hold
//   everything that was spent, helper models and retries included, so those two are what is
//   recorded. They count from the session's start, and every attempt has a session of its own.
// - Without a `result` line (killed) the usage is a lower bound: each message's start, once.
#pragma once

#include <deque>

#include "agent/adapter.h"
#include "agent/exit_failure.h"
#include "agent/json_lines.h"
#include "agent/plain_output.h"

namespace wave::agent {

class ClaudeParser final : public OutputParser {
 public:
  void feed_out(std::string_view bytes, std::vector<Activity>& activity) override;
  void feed_err(std::string_view bytes, std::vector<Activity>& activity) override;
  AgentResult finish(const process::HostExit& exit, std::vector<Activity>& activity) override;
  [[nodiscard]] std::string save() const override;
  Status restore(std::string_view state) override;

 private:
  using Activities = std::vector<Activity>;
  void take_line(const JsonLine& line, Activities& activity);
  void take_object(const json::object& object, const JsonLine& line, Activities& activity);
  void take_system(const json::object& object, const JsonLine& line, Activities& activity);
  void take_assistant(const json::object& object, const JsonLine& line, Activities& activity);
  void take_user(const json::object& object, const JsonLine& line, Activities& activity);
  void take_result(const json::object& object);
  void count_message(const json::object& message);
  [[nodiscard]] AgentResult failed_result(const process::HostExit& exit) const;

  /// What the last `result` line said.
  struct Ending {
    bool seen = false;
    bool is_error = false;
    std::string subtype, terminal_reason, stop_reason, text;
    int64_t api_status = 0;
  };

  JsonLineReader lines_;
  PlainOutput errors_{"err", false};
  Tail stderr_{4 << 10};
  Ending ending_;
  std::string session_id_, model_;
  std::string error_kind_;  // of the last synthetic message: rate_limit, authentication_failed ...
  int64_t error_status_ = 0;
  std::string last_text_;
  std::string noise_;  // the last line that is no JSON
  int64_t retry_delay_ms_ = 0;
  int64_t retry_status_ = 0;
  std::string retry_kind_;
  int turns_ = 0;
  flow::Usage usage_;             // from the result line
  flow::Usage unfinished_usage_;  // lower bound, while there is none
  std::deque<std::string> counted_messages_;
};

}  // namespace wave::agent

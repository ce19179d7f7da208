// Newline-delimited JSON from a stream that is cut anywhere, with bounded memory: long strings are
// shortened while they pass, so that even a line of hundreds of megabytes keeps its structure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace wave::agent {

/// One line of the stream, as it is handed on. The view ends with the call.
struct JsonLine {
  std::string_view text;   // with its long strings shortened; never contains a newline
  uint64_t offset = 0;     // of its first byte in the stream
  uint64_t length = 0;     // in the stream, without the newline
  bool oversized = false;  // more than kMaxLine was left after shortening: `text` is only its start
};

/// Splits a stream into lines. Thread: one at a time.
class JsonLineReader {
 public:
  /// Bytes that are kept of one JSON string (raw, escapes counted as written).
  static constexpr size_t kMaxString = 64 << 10;
  /// Bytes that are kept of one line after its strings were shortened.
  static constexpr size_t kMaxLine = 1 << 20;

  using Sink = std::function<void(const JsonLine&)>;

  void feed(std::string_view bytes, const Sink& sink);
  /// Hands on what stands behind the last newline, if anything.
  void finish(const Sink& sink);

  [[nodiscard]] json::object save() const;
  void restore(const json::object& state);

 private:
  void take(char c);
  void take_in_string(char c);
  void end_unit();
  void keep(std::string_view bytes);
  void flush_high_surrogate();
  void end_line(uint64_t end_offset, const Sink& sink);

  std::string line_;
  std::string unit_;  // a piece of a string that must not be cut: an escape, or a UTF-8 sequence
  std::string high_;  // the first half of a surrogate pair that waits for the second
  uint64_t position_ = 0;
  uint64_t line_start_ = 0;
  size_t string_kept_ = 0;
  bool in_string_ = false;
  bool oversized_ = false;
};

/// The JSON object on a line, whatever bytes are in it; an error when there is none.
Result<json::object> parse_json_line(std::string_view text);

}  // namespace wave::agent

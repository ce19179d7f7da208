// Server-sent events, from bytes to events (WHATWG HTML, "Parsing an event stream").
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace wave::cli::remote {

struct SseEvent {
  std::string id;     // the last id of the stream; empty: none yet
  std::string event;  // empty: "message"
  std::string data;   // lines joined by \n
};

/// Takes a stream in pieces, however it was cut. Thread: one at a time.
class SseParser {
 public:
  using Take = std::function<void(const SseEvent&)>;

  /// Calls `take` for every event that is complete. False when an event or a line is larger than
  /// kMostBytes: no server of ours sends that.
  bool feed(std::string_view piece, const Take& take);

  static constexpr size_t kMostBytes = 4 << 20;

 private:
  void read_line(std::string_view line, const Take& take);

  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_return_ = false;  // the last byte was \r: a \n that follows belongs to it
  bool begun_ = false;         // a byte order mark may still come
};

}  // namespace wave::cli::remote

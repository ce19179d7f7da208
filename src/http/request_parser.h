// Bytes of a connection -> requests. Beast's parser does the grammar; what HTTP leaves to servers,
// and where peers disagree, is decided here.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/server.h"

namespace wave::http {

/// Why a request is refused before a handler saw it. The connection ends after the answer: where
/// the next request would begin is in doubt.
struct Refusal {
  int status = 400;
  std::string_view reason;  // one phrase for people
};

/// Parses one request. Thread: one.
class RequestParser {
 public:
  enum class State { kHead, kBody, kDone };

  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  /// Takes bytes from the front of `bytes`; returns how many. Call again while it takes some.
  std::expected<size_t, Refusal> feed(std::string_view bytes);
  [[nodiscard]] State state() const { return state_; }
  /// The head, once the state is kBody or kDone.
  [[nodiscard]] Request& request() { return request_; }
  /// Call once when the head is there, before more bytes are fed. False when the announced length
  /// is larger already.
  bool set_body_limit(size_t bytes);
  /// Whether the client waits for "100 Continue" before it sends the body.
  [[nodiscard]] bool expects_continue() const;
  /// Whether the connection may be used again after this request.
  [[nodiscard]] bool keep_alive() const;
  /// Whether the client knows bodies in chunks: HTTP/1.1.
  [[nodiscard]] bool takes_chunks() const;
  [[nodiscard]] bool started() const { return started_; }

 private:
  struct Impl;
  std::optional<Refusal> check_lines(std::string_view head);
  std::optional<Refusal> take_head();
  std::optional<Refusal> check_framing() const;

  const Limits limits_;
  std::unique_ptr<Impl> impl_;
  State state_ = State::kHead;
  Request request_;
  bool started_ = false;
  size_t checked_ = 0;  // bytes of the head that check_lines has seen
  bool lines_ended_ = false;
  bool body_begun_ = false;
};

}  // namespace wave::http

// Bytes of a connection -> one response. Beast's parser does the grammar.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace wave::http {

/// Parses the answer to one request; interim answers (1xx) are passed over. Thread: one.
class ResponseParser {
 public:
  /// `head_only`: the answer to HEAD, which has no body whatever its fields say.
  explicit ResponseParser(bool head_only);
  ResponseParser(ResponseParser&&) noexcept;
  ~ResponseParser();

  /// Takes all of `bytes`. kServerUnreachable when this is not HTTP. What stands behind the end of
  /// the answer is dropped.
  Status feed(std::string_view bytes);
  /// The connection has ended: fine for a body that ends with it, an error within anything else.
  Status feed_end();
  [[nodiscard]] bool has_head() const { return has_head_; }
  [[nodiscard]] bool done() const;
  /// Status and headers, once the head is there; the body is left to take_body.
  [[nodiscard]] const Response& head() const { return head_; }
  /// What came of the body since the last call.
  std::string take_body();
  /// Of the body, if the head tells.
  [[nodiscard]] std::optional<uint64_t> announced_length() const;
  /// Whether only the end of the connection ends the body.
  [[nodiscard]] bool ends_with_connection() const;

 private:
  struct Impl;
  void reset();
  void take_head();

  const bool head_only_;
  std::unique_ptr<Impl> impl_;
  std::string pending_;  // bytes of a head or chunk size that are not complete
  bool has_head_ = false;
  bool body_begun_ = false;
  Response head_;
};

}  // namespace wave::http

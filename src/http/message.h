// Requests and responses as values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "http/body.h"

namespace wave::http {

/// Header fields in the order they came. Names compare without case (RFC 9110 section 5.1).
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  /// The first field's value, or nothing.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  void add(std::string name, std::string value);
  /// Replaces every field of that name.
  void set(std::string name, std::string value);
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Who is at the other end of the connection.
struct Peer {
  std::string address;  // "127.0.0.1", "::1": of the socket, never of a header
  uint16_t port = 0;
  bool tls = false;
  bool proxy = false;  // ServerOptions::is_proxy
  /// The verified client certificate (DER), shared by all requests of the connection; null: none.
  std::shared_ptr<const std::string> certificate;
};

struct Request {
  std::string method;                 // upper case, as sent
  std::string target;                 // origin-form, as sent: path and query
  std::string path;                   // the target's path, still percent-encoded; starts with '/'
  std::vector<std::string> segments;  // of the path, percent-decoded one by one; never "." or ".."
  std::vector<std::pair<std::string, std::string>> query;  // percent-decoded, '+' is a space
  Headers headers;
  std::string body;
  Peer peer;
  std::string id;  // of this request: the client's X-Request-Id if it is a safe name, else made up
  MonoTime received{};

  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
};

/// A body that is read from its source while it is sent. Without a length it goes out in chunks
/// (RFC 9112 section 7.1), to a client of HTTP/1.0 until the connection ends.
struct StreamedBody {
  std::shared_ptr<BodySource> source;
  std::optional<uint64_t> length;
};

using Body = std::variant<std::string, std::shared_ptr<const std::string>, StreamedBody>;

/// Content-Length, Date, Connection and X-Request-Id are added by the connection. The body of an
/// answer to HEAD is left out, its length kept where it is known.
///
/// A large string does not wait in memory for its client: the server puts it into a file, and
/// answers 503 where there is no room for it.
struct Response {
  int status = 200;
  Headers headers;
  Body body;
  bool close = false;  // end the connection after this answer
};

/// Nothing: not known before it has been sent.
std::optional<uint64_t> body_size(const Body& body);
/// "Not Found" and so on (RFC 9110 section 15).
std::string_view reason_phrase(int status);
/// Decodes %XX; nothing when it is malformed. NUL is refused.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
std::string percent_encode(std::string_view text);

}  // namespace wave::http

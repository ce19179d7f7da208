// A client: one request on one connection, blocking, with a deadline on every wait. No redirects,
// no proxy, no second try: who calls knows better.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace wave::http {

struct ClientOptions {
  std::string url;  // "http://127.0.0.1:8080/api/runs?limit=5", "https://[::1]/"; no user, no #
  std::string method = "GET";
  Headers
      headers;  // Host, Content-Length and Connection are added, and User-Agent if there is none
  std::string body;
  /// fetch: for all of it. stream: until the head of the answer is there.
  Millis timeout{30'000};
  /// stream: how long no byte may come, heartbeats included; then kTimeout.
  Millis silence_limit{60'000};
  std::filesystem::path ca_file;           // PEM: trusted instead of the system's authorities
  std::filesystem::path certificate, key;  // PEM: the client's own; both or none
  size_t max_body = 16 << 20;  // kLimit when an answer is larger; of a stream, refusals only
  /// When this descriptor becomes readable the call ends with kCancelled; -1: nothing ends it.
  int cancel_fd = -1;
};

/// The whole answer, whatever its status. Errors: kUsage (the URL, a header), kServerUnreachable
/// (no connection, no trust, no HTTP), kTimeout, kLimit, kCancelled. Thread: any.
Result<Response> fetch(const ClientOptions& options);

/// Takes a piece of a stream's body; false: enough, the connection is closed.
using TakePiece = std::function<bool(std::string_view piece)>;

/// Follows a stream. An answer with a status of 2xx goes to `take` piece by piece, and comes back
/// with an empty body when it has ended or `take` had enough. Another answer (401, 404 ...) comes
/// back whole. A connection that breaks within the body is kServerUnreachable. Thread: any.
Result<Response> stream(const ClientOptions& options, const TakePiece& take);

}  // namespace wave::http

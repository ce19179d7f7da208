// A server's API, as the command line calls it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "http/client.h"

namespace wave::cli::remote {

struct ServerPlace {
  std::string url;    // "https://wave.example:8443", without a slash at its end
  std::string token;  // empty: none
  std::filesystem::path ca, certificate, key;
};

/// Thread: any.
class ApiClient {
 public:
  explicit ApiClient(ServerPlace place) : place_(std::move(place)) {}

  Result<json::object> get(const std::string& path) const;
  /// `key`: Idempotency-Key, so that what is sent again after a broken connection is done once.
  Result<json::object> post(const std::string& path, const json::object& body,
                            const std::string& key = {}) const;
  /// Follows an event stream from behind `last_id` on. True when the server has ended it for good
  /// (there is nothing more), false when it broke or ended and may go on.
  Result<bool> follow(const std::string& path, const std::string& last_id, int cancel_fd,
                      const http::TakePiece& take) const;

  [[nodiscard]] const std::string& url() const { return place_.url; }

 private:
  [[nodiscard]] http::ClientOptions request(const std::string& method,
                                            const std::string& path) const;
  Result<json::object> answer_of(Result<http::Response> response) const;

  ServerPlace place_;
};

/// What a problem document says, as the error it was (RFC 9457).
Error error_of(int status, std::string_view body);
/// `text` as one segment of a path or one value of a query.
std::string escaped(std::string_view text);

}  // namespace wave::cli::remote

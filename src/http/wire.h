// A client's connection, plain or through TLS: blocks, but never longer than its Patience.
#pragma once

#include <span>
#include <string_view>

#include "base/file.h"
#include "http/client_tls.h"
#include "http/patience.h"
#include "http/url.h"

namespace wave::http {

/// Move-only. Thread: one. Errors: kServerUnreachable, kTimeout, kCancelled.
class Wire {
 public:
  /// Resolves, connects to one address after the other, and shakes hands.
  static Result<Wire> open(const Url& url, const ClientTlsFiles& files, const Patience& patience);

  Status send(std::string_view bytes, const Patience& patience);
  /// At least one byte; 0 when the server has ended its side properly.
  Result<size_t> receive(std::span<char> into, const Patience& patience);

 private:
  Wire(UniqueFd socket, std::string host) : socket_(std::move(socket)), host_(std::move(host)) {}

  Status start_tls(const ClientTlsFiles& files, const Patience& patience);
  /// Runs an operation of the TLS library until it is done: feeds it what arrives, sends what it
  /// has made. Returns its last result, 0 at the end of the connection.
  template <typename Operation>
  Result<int> drive(Operation operation, const Patience& patience);
  Status flush_tls(const Patience& patience);
  Result<size_t> feed_tls(const Patience& patience);
  Status send_raw(std::string_view bytes, const Patience& patience);
  Result<size_t> receive_raw(std::span<char> into, const Patience& patience);

  UniqueFd socket_;
  std::string host_;
  ClientSsl ssl_;  // between two BIOs in memory, so that no write of its own can raise SIGPIPE
};

}  // namespace wave::http

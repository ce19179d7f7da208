// The bytes of a connection, plain or through TLS; never blocks.
#pragma once

#include <openssl/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/file.h"

namespace wave::http {

/// What came of reading or writing.
struct IoResult {
  enum class Kind { kDone, kAgain, kEnd, kError };
  Kind kind = Kind::kDone;
  size_t bytes = 0;
};

struct SslDeleter {
  void operator()(SSL* ssl) const;
};
using SslPointer = std::unique_ptr<SSL, SslDeleter>;

/// Owns the socket. Thread: the reactor's.
class Transport {
 public:
  explicit Transport(UniqueFd socket) : socket_(std::move(socket)) {}

  /// Attaches TLS: handshake() has to end well before anything else.
  void attach(SslPointer ssl);
  [[nodiscard]] bool is_tls() const { return ssl_ != nullptr; }
  /// kDone when the connection is ready, kAgain when the other side has to do something.
  IoResult handshake();
  /// DER of the client's verified certificate; null when it showed none.
  [[nodiscard]] std::shared_ptr<const std::string> peer_certificate() const;

  IoResult read(std::span<char> into);
  /// Writes as much as fits now. Through TLS the pieces become one record where they are small.
  IoResult write(std::span<const iovec> pieces);
  /// Tells the other side that nothing more comes.
  /// False: TLS could not say so yet; call again when the socket takes bytes.
  bool shut_down_writing();
  void close();
  /// How many bytes the other side's kernel has acknowledged since the beginning.
  [[nodiscard]] uint64_t acknowledged() const;
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  IoResult ssl_result(int code) const;

  UniqueFd socket_;
  SslPointer ssl_;
  uint64_t written_ = 0;  // without TLS
};

}  // namespace wave::http

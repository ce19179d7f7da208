#include "http/wire.h"

#include <fmt/core.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <array>
#include <cstring>

#include "http/resolve.h"

namespace wave::http {
namespace {

constexpr size_t kTlsPiece = 16 << 10;

std::unexpected<Error> broken(const std::string& host, int error) {
  return fail(Code::kServerUnreachable,
              fmt::format("the connection to {} broke: {}", host, std::strerror(error)),
              "look whether the server runs, and try again");
}

Result<UniqueFd> connect_to(const SocketAddress& address, const std::string& host,
                            const Patience& patience) {
  UniqueFd socket(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail(errno_error(errno, "making a socket"));
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  int error = 0;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage),
                address.length) != 0) {
    error = errno;
  }
  if (error == EINPROGRESS || error == EINTR) {
    WAVE_CHECK(patience.wait(socket.get(), POLLOUT));
    socklen_t size = sizeof(error);
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0) return socket;
  return fail(Code::kServerUnreachable,
              fmt::format("no connection to {}: {}", host, std::strerror(error)),
              "look whether the server runs and listens on that port");
}

/// The last address's error when none answers.
Result<UniqueFd> connect_to_any(const std::vector<SocketAddress>& addresses,
                                const std::string& host, const Patience& patience) {
  Result<UniqueFd> socket = fail(Code::kServerUnreachable, "there is no address to connect to");
  for (size_t i = 0; i < addresses.size(); ++i) {
    socket = connect_to(addresses[i], host, patience.share(addresses.size() - i));
    if (socket || socket.error().code == Code::kCancelled) break;
  }
  return socket;
}

}  // namespace

Result<Wire> Wire::open(const Url& url, const ClientTlsFiles& files, const Patience& patience) {
  WAVE_TRY(const auto addresses, resolve(url.host, url.port, patience));
  WAVE_TRY(UniqueFd socket, connect_to_any(addresses, url.authority(), patience));
  Wire wire(std::move(socket), url.host);
  if (url.tls) WAVE_CHECK(wire.start_tls(files, patience));
  return wire;
}

Status Wire::start_tls(const ClientTlsFiles& files, const Patience& patience) {
  WAVE_TRY(ssl_, make_client_ssl(files, host_));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl_.get(), in, out);  // takes both
  SSL_set_connect_state(ssl_.get());
  WAVE_TRY(const int result, drive([this] { return SSL_do_handshake(ssl_.get()); }, patience));
  if (result > 0) return {};
  return fail(Code::kServerUnreachable, fmt::format("{} ended the TLS handshake", host_),
              "look whether the server speaks TLS there");
}

Status Wire::send(std::string_view bytes, const Patience& patience) {
  if (ssl_ == nullptr) return send_raw(bytes, patience);
  while (!bytes.empty()) {
    // In pieces: what the library has made waits in memory until it is sent.
    const std::string_view piece = bytes.substr(0, kTlsPiece);
    const auto write = [&] {
      return SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
    };
    WAVE_TRY(const int written, drive(write, patience));
    if (written <= 0) return broken(host_, EPIPE);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<size_t> Wire::receive(std::span<char> into, const Patience& patience) {
  if (ssl_ == nullptr) return receive_raw(into, patience);
  const auto read = [&] {
    return SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min(into.size(), kTlsPiece)));
  };
  WAVE_TRY(const int taken, drive(read, patience));
  return static_cast<size_t>(taken);
}

template <typename Operation>
Result<int> Wire::drive(Operation operation, const Patience& patience) {
  while (true) {
    ERR_clear_error();
    const int result = operation();
    const int error = SSL_get_error(ssl_.get(), result);
    if (auto flushed = flush_tls(patience); !flushed && error != SSL_ERROR_SSL)
      return fail(std::move(flushed).error());
    if (result > 0) return result;
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    if (error != SSL_ERROR_WANT_READ) return fail(client_tls_error(ssl_.get(), host_));
    WAVE_TRY(const size_t fed, feed_tls(patience));
    // Without the library's own word that it ends, somebody else may have cut the connection.
    if (fed == 0) return broken(host_, ECONNRESET);
  }
}

Status Wire::flush_tls(const Patience& patience) {
  BIO* out = SSL_get_wbio(ssl_.get());
  std::array<char, kTlsPiece> piece;
  while (BIO_pending(out) > 0) {
    const int size = BIO_read(out, piece.data(), static_cast<int>(piece.size()));
    if (size <= 0) break;
    WAVE_CHECK(send_raw({piece.data(), static_cast<size_t>(size)}, patience));
  }
  return {};
}

Result<size_t> Wire::feed_tls(const Patience& patience) {
  std::array<char, kTlsPiece> piece;
  WAVE_TRY(const size_t size, receive_raw(piece, patience));
  BIO_write(SSL_get_rbio(ssl_.get()), piece.data(), static_cast<int>(size));
  return size;
}

Status Wire::send_raw(std::string_view bytes, const Patience& patience) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return broken(host_, errno);
    WAVE_CHECK(patience.wait(socket_.get(), POLLOUT));
  }
  return {};
}

Result<size_t> Wire::receive_raw(std::span<char> into, const Patience& patience) {
  while (true) {
    // Asked first: a server that never stops sending must not outlast the deadline.
    WAVE_CHECK(patience.wait(socket_.get(), POLLIN));
    const ssize_t taken = ::recv(socket_.get(), into.data(), into.size(), 0);
    if (taken >= 0) return static_cast<size_t>(taken);
    if (errno != EINTR && errno != EAGAIN) return broken(host_, errno);
  }
}

}  // namespace wave::http

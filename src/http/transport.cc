#include "http/transport.h"

#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace wave::http {
namespace {

constexpr size_t kRecord = 16 << 10;

IoResult errno_result() {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoResult::Kind::kAgain};
  return {IoResult::Kind::kError};
}

}  // namespace

void SslDeleter::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

void Transport::attach(SslPointer ssl) {
  ssl_ = std::move(ssl);
  SSL_set_fd(ssl_.get(), socket_.get());
  SSL_set_accept_state(ssl_.get());
}

IoResult Transport::ssl_result(int code) const {
  switch (SSL_get_error(ssl_.get(), code)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {IoResult::Kind::kAgain};
    case SSL_ERROR_ZERO_RETURN:
      return {IoResult::Kind::kEnd};
    default:
      ERR_clear_error();
      return {IoResult::Kind::kError};
  }
}

IoResult Transport::handshake() {
  ERR_clear_error();
  const int code = SSL_do_handshake(ssl_.get());
  if (code == 1) return {};
  return ssl_result(code);
}

std::shared_ptr<const std::string> Transport::peer_certificate() const {
  if (!ssl_ || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return nullptr;
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return nullptr;
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate, &der);
  if (length <= 0) return nullptr;
  auto bytes = std::make_shared<const std::string>(reinterpret_cast<const char*>(der),
                                                   static_cast<size_t>(length));
  OPENSSL_free(der);
  return bytes;
}

IoResult Transport::read(std::span<char> into) {
  if (ssl_) {
    ERR_clear_error();
    size_t bytes = 0;
    const int code = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    if (code == 1) return {IoResult::Kind::kDone, bytes};
    return ssl_result(code);
  }
  while (true) {
    const ssize_t bytes = ::recv(socket_.get(), into.data(), into.size(), 0);
    if (bytes > 0) return {IoResult::Kind::kDone, static_cast<size_t>(bytes)};
    if (bytes == 0) return {IoResult::Kind::kEnd};
    if (errno != EINTR) return errno_result();
  }
}

IoResult Transport::write(std::span<const iovec> pieces) {
  if (!ssl_) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    while (true) {
      const ssize_t bytes = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (bytes >= 0) {
        written_ += static_cast<uint64_t>(bytes);
        return {IoResult::Kind::kDone, static_cast<size_t>(bytes)};
      }
      if (errno != EINTR) return errno_result();
    }
  }
  // One record for all that fits: a record for each piece costs a write and a MAC each.
  std::array<char, kRecord> record;
  size_t size = 0;
  for (const iovec& piece : pieces) {
    const size_t take = std::min(piece.iov_len, record.size() - size);
    std::memcpy(record.data() + size, piece.iov_base, take);
    size += take;
    if (size == record.size()) break;
  }
  ERR_clear_error();
  size_t bytes = 0;
  const int code = SSL_write_ex(ssl_.get(), record.data(), size, &bytes);
  if (code == 1) return {IoResult::Kind::kDone, bytes};
  return ssl_result(code);
}

uint64_t Transport::acknowledged() const {
  const uint64_t written = ssl_ ? BIO_number_written(SSL_get_wbio(ssl_.get())) : written_;
  int waiting = 0;
  if (::ioctl(socket_.get(), SIOCOUTQ, &waiting) != 0) return written;
  return written - std::min(written, static_cast<uint64_t>(std::max(0, waiting)));
}

void Transport::close() {
  ssl_.reset();
  socket_.reset();
}

bool Transport::shut_down_writing() {
  if (ssl_) {
    ERR_clear_error();
    const int code = SSL_shutdown(ssl_.get());
    if (code < 0 && ssl_result(code).kind == IoResult::Kind::kAgain) return false;
  }
  (void)::shutdown(socket_.get(), SHUT_WR);
  return true;
}

}  // namespace wave::http

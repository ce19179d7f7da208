// Clients that ask and then read little or nothing, as a test needs them by the dozen.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace wave::test {

/// A connection on which one request has been sent. Nothing is read unless it is asked for.
class Reader {
 public:
  Reader(uint16_t port, const std::string& target);
  Reader(Reader&& other) noexcept : socket_(other.socket_) { other.socket_ = -1; }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  Reader& operator=(Reader&&) = delete;
  ~Reader();

  /// At most so many bytes: how many came; 0: the server has ended the connection.
  size_t read(size_t most);
  /// The same, as text.
  std::string read_text(size_t most);
  /// Whether the server has ended the connection, without reading what it sent.
  [[nodiscard]] bool is_cut() const;

 private:
  int socket_ = -1;
};

/// Bytes of memory that a process has now.
size_t resident_bytes(pid_t pid);

}  // namespace wave::test

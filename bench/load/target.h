// What is loaded: a server in a process of its own, so that its memory and its cores are its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace wave::bench {

/// Answers GET / with a small JSON text, GET /stream with a stream, and GET /publish?count=N with
/// "ok" after it has brought N events (load/events.h) to all streams, numbered from 1 on; kBare
/// understands &bytes=, too: of each event. Ends with its owner.
class LoadTarget {
 public:
  enum class Kind {
    kBare,  // one thread and the fewest system calls that could do it: what to compare with
    kPlain,
    kTls,
  };
  /// `certificate` and `key` (PEM) for kTls.
  explicit LoadTarget(Kind kind, const std::filesystem::path& certificate = {},
                      const std::filesystem::path& key = {});
  ~LoadTarget();
  LoadTarget(const LoadTarget&) = delete;
  LoadTarget& operator=(const LoadTarget&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] int64_t resident_bytes() const;
  /// User and system time so far.
  [[nodiscard]] double cpu_seconds() const;

 private:
  pid_t pid_ = -1;
  uint16_t port_ = 0;
};

}  // namespace wave::bench

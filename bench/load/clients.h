// The load: many connections, driven by one thread.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"

namespace wave::bench {

/// As many descriptors as the system gives; how many that is.
size_t raise_descriptor_limit();

struct RequestLoad {
  uint64_t requests = 0;
  std::chrono::nanoseconds wall{};
  std::vector<std::chrono::nanoseconds> latencies;
};
/// Sends GET `target` over kept connections, each the next when its answer is there.
RequestLoad load_requests(uint16_t port, const std::string& target, int connections,
                          std::chrono::milliseconds duration);

/// Open streams.
class Subscribers {
 public:
  /// Connects, subscribes, and reads all heads. Exits the program when that does not work.
  Subscribers(uint16_t port, size_t count, bool tls);
  ~Subscribers();
  Subscribers(const Subscribers&) = delete;
  Subscribers& operator=(const Subscribers&) = delete;

  /// Until each has `events` more events: how long each one's last took from its making.
  std::vector<std::chrono::nanoseconds> receive(size_t events);

 private:
  struct Subscriber {
    UniqueFd socket;
    SSL* ssl = nullptr;
    size_t received = 0;
    std::string tail;  // the last event, so far
  };

  UniqueFd epoll_;
  SSL_CTX* tls_ = nullptr;
  std::vector<Subscriber> subscribers_;
};

/// One request by itself, waited for.
void ask(uint16_t port, const std::string& target);

}  // namespace wave::bench

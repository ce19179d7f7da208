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
/// Sends `request` over kept connections, each the next when its answer is there, each from a
/// loopback address of its own: a server takes only so many from one.
RequestLoad load_requests(uint16_t port, const std::string& request, int connections,
                          std::chrono::milliseconds duration);

/// Open streams. Each group of 900 comes from a loopback address of its own, as a server allows
/// only so many to one.
class Subscribers {
 public:
  /// Connects, subscribes with GET `target`, and reads all heads. Exits the program when that does
  /// not work.
  Subscribers(uint16_t port, size_t count, bool tls, const std::string& target = "/stream");
  ~Subscribers();
  Subscribers(const Subscribers&) = delete;
  Subscribers& operator=(const Subscribers&) = delete;

  /// Until each has the event with this number (load/events.h): how long that took from its making.
  /// Plain streams only.
  std::vector<std::chrono::nanoseconds> receive(uint64_t number);

 private:
  struct Subscriber {
    UniqueFd socket;
    SSL* ssl = nullptr;
    std::string tail;  // what may be the beginning of the event's mark
    bool done = false;
  };
  void subscribe(Subscriber& subscriber, uint16_t port, int client, const std::string& request);

  UniqueFd epoll_;
  SSL_CTX* tls_ = nullptr;
  std::vector<Subscriber> subscribers_;
};

}  // namespace wave::bench

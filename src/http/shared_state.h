// What all connections of a server share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "http/address_counts.h"
#include "http/server.h"
#include "http/workers.h"

namespace wave::http {

/// Owned by the server through a shared_ptr that connections hold. Thread: any.
struct SharedState {
  ServerOptions options;
  Server::Handler handler;
  std::unique_ptr<Workers> workers;
  std::atomic<bool> closing = false;

  std::atomic<uint64_t> connections = 0, streams = 0, accepted = 0, refused = 0, requests = 0,
                        malformed = 0, bytes_out = 0;

  AddressCounts per_address;  // peers that are no proxies, and clients behind proxies

  std::mutex mutex;
  std::shared_ptr<TlsContext> tls;     // guarded by mutex
  std::condition_variable all_closed;  // with mutex: connections became 0

  [[nodiscard]] bool is_proxy(const std::string& peer) const {
    return options.is_proxy && options.is_proxy(peer);
  }
  std::shared_ptr<TlsContext> current_tls() {
    const std::scoped_lock lock(mutex);
    return tls;
  }
};

}  // namespace wave::http

// What all connections of a server share.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "http/address_counts.h"
#include "http/answer_spool.h"
#include "http/server.h"
#include "http/windows.h"
#include "http/workers.h"

namespace wave::http {

/// Owned by the server through a shared_ptr that connections hold. Thread: any.
struct SharedState {
  ServerOptions options;
  Server::Handler handler;
  std::array<std::unique_ptr<Workers>, 3> lanes;  // by Lane
  std::unique_ptr<Workers> body_readers;
  Windows windows;
  std::shared_ptr<AnswerSpool> spool;
  std::atomic<uint64_t> built = 0;  // bytes of large bodies of requests and answers, ever
  Frame out_of_memory;              // a whole answer, made while there is memory
  std::atomic<bool> closing = false;

  std::atomic<uint64_t> connections = 0, streams = 0, accepted = 0, refused = 0, requests = 0,
                        malformed = 0, bytes_out = 0;

  AddressCounts per_address;  // peers that are no proxies, and clients behind proxies

  std::mutex mutex;
  std::shared_ptr<TlsContext> tls;     // guarded by mutex
  std::condition_variable all_closed;  // with mutex: connections became 0

  MonoTime next_tidy{};  // of the thread that calls tidy
  uint64_t used_at_tidy = 0;

  /// kScarce: not even one thread of each lane can be started.
  Status start(ServerOptions given);
  void stop_workers();
  /// Gives memory back to the system when much was used since the last time. Thread: one reactor's.
  void tidy(MonoTime now);
  Workers& lane(Lane of) { return *lanes[static_cast<size_t>(of)]; }
  [[nodiscard]] bool is_proxy(const std::string& peer) const {
    return options.is_proxy && options.is_proxy(peer);
  }
  std::shared_ptr<TlsContext> current_tls() {
    const std::scoped_lock lock(mutex);
    return tls;
  }
};

}  // namespace wave::http

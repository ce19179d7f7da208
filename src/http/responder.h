// The connection as a Responder sees it, from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "http/epoll_reactor.h"
#include "http/server.h"
#include "http/shared_state.h"

namespace wave::http {

class Shard;

struct Responder::Target {
  std::shared_ptr<EpollReactor> reactor;  // drops what is posted after its end
  Shard* shard = nullptr;                 // only on the reactor's thread
  uint64_t connection = 0;
  std::shared_ptr<SharedState> state;
  std::string request_id;
  bool is_head_request = false;
  std::string client;  // whose share of what there is it takes
  bool close = false;
  bool takes_chunks = true;
  /// Set instead of an answer where there was no memory for one: the connection looks.
  std::atomic<bool> lost = false;
};

}  // namespace wave::http

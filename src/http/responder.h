// The connection as a Responder sees it, from any thread.
#pragma once

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
  bool close = false;
};

}  // namespace wave::http

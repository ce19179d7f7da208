// Answers that go on: server-sent events, followed logs.
//
// Once the head is out a connection gives back its parser and buffers; what is left is a socket, a
// StreamSource and two deadlines. The connection pulls: nothing is queued per subscriber, so there
// is nothing to overflow. The body ends with the connection (RFC 9112 section 6.3, case 8).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace wave::http {

/// Bytes that many streams may write; immutable.
using Frame = std::shared_ptr<const std::string>;

/// What feeds a stream. Owned by its connection. Thread: the connection's reactor, for every
/// method and the destructor (which says that the client has gone or the stream has ended).
class StreamSource {
 public:
  enum class Next {
    kMore,   // there is more to pull at once
    kWait,   // nothing until Reactor-local wake or StreamHandle::wake
    kEnded,  // after these frames the connection is closed
  };
  virtual ~StreamSource() = default;
  /// Appends frames of about `budget` bytes in all (at least one, if there is one). Called when the
  /// socket can take bytes and there may be news. Must not block.
  virtual Next pull(size_t budget, std::vector<Frame>& frames) = 0;
};

struct StreamOptions {
  /// Written when nothing else was for so long; null: never.
  Frame heartbeat;
  Millis heartbeat_every{15'000};
};

class Reactor;

/// Names a running stream; copies are cheap and outlive it, but not the Server. Thread: any.
class StreamHandle {
 public:
  StreamHandle() = default;
  StreamHandle(Reactor* reactor, uint64_t id) : reactor_(reactor), id_(id) {}
  /// Makes the connection pull soon. Nothing when the stream has ended.
  void wake() const;
  /// The reactor whose thread runs the source: work for many streams is posted there once.
  [[nodiscard]] Reactor* reactor() const { return reactor_; }
  [[nodiscard]] uint64_t id() const { return id_; }

 private:
  Reactor* reactor_ = nullptr;
  uint64_t id_ = 0;
};

}  // namespace wave::http

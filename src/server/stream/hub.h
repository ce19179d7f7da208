// Event streams: each subscriber is a cursor into the log.
//
// The store says that something was committed; one pump reads it once, makes each event's frame
// once, and keeps the last ones of every followed run in memory. Every reactor then lets its own
// subscribers pull. A subscriber that has fallen behind the tail reads pages of the log, on a
// worker, until it has caught up: nobody is skipped, nobody delays anybody.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/identity.h"
#include "base/result.h"
#include "http/server.h"
#include "http/stream.h"
#include "server/services.h"

namespace wave::server::stream {

/// Thread: any, for every method.
class Hub {
 public:
  virtual ~Hub() = default;

  /// GET /api/runs/{id}/events and GET /api/events, as promises E1 to E13 say. `run_id` empty: all
  /// runs. Answers 204 (E6), a `busy` frame (E8) or the stream; kNotFound and kPruned are for the
  /// caller to answer.
  struct Request {
    std::string run_id;
    std::string cursor;    // Last-Event-ID, else ?after=; empty: from the start (all runs: latest)
    std::string pipeline;  // of the stream of all runs: only runs of this one
    std::vector<std::string> runs;  // of the stream of all runs: only these; empty: all
    std::string client;             // whose streams are counted together; empty: not limited
    auth::Identity identity;
  };
  virtual Status start(Request request, http::Responder& responder) = 0;

  /// Ends the streams whose credential is not good any more, with an `unauthorized` frame (E10).
  /// `gone` is asked on the reactors' threads, soon after.
  virtual void drop_if(std::function<bool(const auth::Identity&)> gone) = 0;
  /// The queue has changed: streams of waiting runs get a `queue_position` frame, at most one per
  /// second and stream.
  virtual void queue_changed() = 0;
  /// Ends every stream cleanly, with a `retry:` (promise O1). New ones are told `busy`.
  virtual void shut_down() = 0;
  [[nodiscard]] virtual size_t subscribers() const = 0;
};

}  // namespace wave::server::stream

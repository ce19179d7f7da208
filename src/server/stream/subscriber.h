// One stream: a cursor into a channel's log, pulled by its connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/identity.h"
#include "http/stream.h"
#include "server/stream/channel.h"

namespace wave::server::stream {

class Streams;
class LocalStreams;

/// Counts a stream as long as it lives.
class Seat {
 public:
  Seat(Streams& streams, std::string client) : streams_(streams), client_(std::move(client)) {}
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  Streams& streams_;
  const std::string client_;
};

/// Which events of all runs are shown. Empty members: all.
struct Filter {
  std::string pipeline;
  std::vector<std::string> runs;  // sorted

  [[nodiscard]] bool wants(const Chunk::Origin& origin) const;
};

/// What a stream begins with.
struct Opening {
  std::shared_ptr<Channel> channel;
  uint64_t cursor = 0;
  uint64_t pruned = 0;  // of all runs: until where pruning is no news
  int64_t epoch = 0;
  std::string prelude;  // written first
  std::unique_ptr<Filter> filter;
  std::shared_ptr<const auth::Identity> identity;
  std::unique_ptr<Seat> seat;
};

/// Thread: its reactor's.
class Subscriber final : public http::StreamSource {
 public:
  Subscriber(Streams& streams, Opening opening, http::StreamHandle handle);
  ~Subscriber() override;
  Next pull(size_t budget, std::vector<http::Frame>& frames) override;

  [[nodiscard]] const std::shared_ptr<Channel>& channel() const { return opening_.channel; }
  [[nodiscard]] const auth::Identity& identity() const { return *opening_.identity; }
  [[nodiscard]] uint64_t stream_id() const { return stream_id_; }
  [[nodiscard]] bool has_expired(WallTime now) const;
  void revoke() { revoked_ = true; }

 private:
  friend class LocalStreams;
  [[nodiscard]] std::optional<std::string> last_words() const;
  Next take(size_t budget, std::vector<http::Frame>& frames);
  void take_chunk(const ChunkPtr& chunk, size_t& taken, std::vector<http::Frame>& frames);
  void take_queue_frame(const Channel::View& view, std::vector<http::Frame>& frames);
  Next reset(std::string reason, std::string message, bool ends, uint64_t start,
             std::vector<http::Frame>& frames);

  Streams& streams_;
  Opening opening_;
  std::shared_ptr<LocalStreams> local_;
  ChunkPtr page_;  // what it asked for, until it is taken, whatever the budget drops meanwhile
  const uint64_t stream_id_;
  uint32_t queue_seen_ = 0;
  bool waits_ = false;  // has taken all there is
  bool asked_ = false;  // has asked for the page behind its cursor
  bool revoked_ = false;
  size_t place_ = 0;  // in its group of local_
};

}  // namespace wave::server::stream

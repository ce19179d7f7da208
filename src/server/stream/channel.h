// What the streams of one log share: how far it has come, and frames in memory.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "http/stream.h"
#include "server/stream/chunk.h"

namespace wave::server::stream {

class Channel;

/// Bounds the chunks that all channels keep; the oldest go first. Thread: any.
class ChunkBudget {
 public:
  explicit ChunkBudget(size_t limit) : limit_(limit) {}
  /// A channel has kept a chunk; others are dropped for it.
  void kept(const std::shared_ptr<Channel>& channel, uint64_t after, size_t bytes);
  /// A channel has dropped `bytes`.
  void dropped(size_t bytes, size_t chunks);
  [[nodiscard]] size_t bytes() const;

 private:
  struct Kept {
    std::weak_ptr<Channel> channel;
    uint64_t after;
    size_t bytes;
  };
  const size_t limit_;
  mutable std::mutex mutex_;
  std::deque<Kept> oldest_first_;   // guarded by mutex_, like the rest
  int64_t bytes_ = 0, chunks_ = 0;  // for a moment less than nothing: dropped before it was counted
};

/// One run's log, or the log over all runs. Alive while somebody follows it. Thread: any.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  Channel(std::string run_id, ChunkBudget& budget) : run_id_(std::move(run_id)), budget_(budget) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] const std::string& run_id() const { return run_id_; }
  [[nodiscard]] bool of_all() const { return run_id_.empty(); }

  /// What a subscriber at `cursor` finds.
  struct View {
    ChunkPtr chunk;           // with the event behind the cursor; null: not in memory
    uint64_t head = 0;        // the last event there is, as far as is known
    bool gone = false;        // the run was pruned
    bool over = false;        // the head is the event that ended the run
    bool queued = false;      // it has a place in the queue
    uint32_t queue_news = 0;  // number of the queue frame; 0: none yet
    http::Frame queue_frame;  // the newest
  };
  [[nodiscard]] View view(uint64_t cursor) const;

  /// The end of the log, until which the pump does not read; does nothing when it is known already.
  void begin_at(uint64_t head, bool over);
  [[nodiscard]] std::optional<uint64_t> head() const;
  void keep(const ChunkPtr& chunk);
  void drop(uint64_t after);
  /// Everything up to `head` is stored.
  void advance(uint64_t head, bool over);
  void mark_gone();
  /// Sets the place in the queue; whether it has changed. A run that never waited has no frame.
  bool set_queue_position(std::optional<int> position);

 private:
  const std::string run_id_;
  ChunkBudget& budget_;
  mutable std::mutex mutex_;
  std::map<uint64_t, ChunkPtr> chunks_;  // by `after`; may overlap. Guarded by mutex_, as the rest
  std::optional<uint64_t> head_;
  bool gone_ = false, over_ = false;
  std::optional<int> queue_position_;
  uint32_t queue_news_ = 0;
  http::Frame queue_frame_;
};

}  // namespace wave::server::stream

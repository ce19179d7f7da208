#include "server/stream/channel.h"

#include <algorithm>

#include "server/stream/control_frames.h"

namespace wave::server::stream {

// --- ChunkBudget ---

void ChunkBudget::kept(const std::shared_ptr<Channel>& channel, uint64_t after, size_t bytes) {
  std::vector<std::pair<std::shared_ptr<Channel>, uint64_t>> victims;
  {
    const std::scoped_lock lock(mutex_);
    oldest_first_.push_back({channel, after, bytes});
    bytes_ += static_cast<int64_t>(bytes);
    ++chunks_;
    // Channels that went away leave their entries behind.
    if (static_cast<int64_t>(oldest_first_.size()) > std::max<int64_t>(1024, 2 * chunks_)) {
      std::erase_if(oldest_first_, [](const Kept& kept) { return kept.channel.expired(); });
    }
    // The newest stays whatever it costs: somebody is about to take it.
    int64_t excess = bytes_ - static_cast<int64_t>(limit_);
    while (excess > 0 && oldest_first_.size() > 1) {
      Kept& oldest = oldest_first_.front();
      if (auto owner = oldest.channel.lock()) {
        victims.emplace_back(std::move(owner), oldest.after);
        excess -= static_cast<int64_t>(oldest.bytes);
      }
      oldest_first_.pop_front();
    }
  }
  for (const auto& [owner, victim] : victims) owner->drop(victim);
}

void ChunkBudget::dropped(size_t bytes, size_t chunks) {
  const std::scoped_lock lock(mutex_);
  bytes_ -= static_cast<int64_t>(bytes);
  chunks_ -= static_cast<int64_t>(chunks);
}

size_t ChunkBudget::bytes() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<size_t>(std::max<int64_t>(bytes_, 0));
}

// --- Channel ---

Channel::~Channel() {
  size_t bytes = 0;
  for (const auto& [after, chunk] : chunks_) bytes += chunk->memory();
  budget_.dropped(bytes, chunks_.size());
}

Channel::View Channel::view(uint64_t cursor) const {
  const std::scoped_lock lock(mutex_);
  View view{.chunk = nullptr,
            .head = head_.value_or(0),
            .gone = gone_,
            .over = over_,
            .queued = queue_position_.has_value(),
            .queue_news = queue_news_,
            .queue_frame = queue_frame_};
  const auto behind = chunks_.upper_bound(cursor);
  if (behind != chunks_.begin()) {
    const ChunkPtr& chunk = std::prev(behind)->second;
    if (chunk->last > cursor) view.chunk = chunk;
  }
  return view;
}

void Channel::begin_at(uint64_t head, bool over) {
  const std::scoped_lock lock(mutex_);
  if (head_) return;
  head_ = head;
  over_ = over;
}

std::optional<uint64_t> Channel::head() const {
  const std::scoped_lock lock(mutex_);
  return head_;
}

void Channel::keep(const ChunkPtr& chunk) {
  {
    const std::scoped_lock lock(mutex_);
    auto& place = chunks_[chunk->after];
    if (place) {
      if (place->last >= chunk->last) return;
      budget_.dropped(place->memory(), 1);
    }
    place = chunk;
  }
  budget_.kept(shared_from_this(), chunk->after, chunk->memory());
}

void Channel::drop(uint64_t after) {
  ChunkPtr chunk;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = chunks_.find(after);
    if (found == chunks_.end()) return;
    chunk = std::move(found->second);
    chunks_.erase(found);
  }
  budget_.dropped(chunk->memory(), 1);
}

void Channel::advance(uint64_t head, bool over) {
  const std::scoped_lock lock(mutex_);
  head_ = std::max(head_.value_or(0), head);
  over_ = over_ || over;
}

void Channel::mark_gone() {
  const std::scoped_lock lock(mutex_);
  gone_ = true;
}

bool Channel::set_queue_position(std::optional<int> position) {
  const std::scoped_lock lock(mutex_);
  if (position == queue_position_) return false;
  queue_position_ = position;
  ++queue_news_;
  queue_frame_ = std::make_shared<const std::string>(queue_position_frame(run_id_, position));
  return true;
}

}  // namespace wave::server::stream

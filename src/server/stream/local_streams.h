// The streams of one reactor, by what they follow: work for many of them is posted once.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "http/reactor.h"
#include "server/stream/subscriber.h"

namespace wave::server::stream {

/// Thread: the reactor's.
class LocalStreams : public std::enable_shared_from_this<LocalStreams> {
 public:
  LocalStreams(Streams& streams, http::Reactor& reactor) : streams_(streams), reactor_(reactor) {}

  [[nodiscard]] http::Reactor& reactor() const { return reactor_; }
  /// Whether it is the first of its channel here.
  bool add(Subscriber& subscriber);
  /// Whether it was the last of its channel here.
  bool remove(Subscriber& subscriber);
  [[nodiscard]] bool empty() const { return groups_.empty(); }

  /// There is news of these: wakes who waits for it.
  void wake(std::span<const std::shared_ptr<Channel>> changed);
  void wake_all();
  /// The page behind `after` was read, and begins with `first`; null: look again.
  void page_arrived(const Channel* channel, uint64_t after, const ChunkPtr& first);
  void want_page(Subscriber& subscriber, uint64_t after);
  void forget_page(Subscriber& subscriber);

  void drop_if(const std::function<bool(const auth::Identity&)>& gone);
  void end_expired(WallTime now);

 private:
  using Page = std::pair<const Channel*, uint64_t>;
  void wake(const Subscriber& subscriber) { reactor_.wake_stream(subscriber.stream_id()); }
  template <typename Visit>
  void each(Visit visit) {
    for (const auto& [channel, group] : groups_) {
      for (Subscriber* subscriber : group) visit(*subscriber);
    }
  }

  Streams& streams_;
  http::Reactor& reactor_;
  std::unordered_map<const Channel*, std::vector<Subscriber*>> groups_;
  std::map<Page, std::vector<Subscriber*>> wanted_;
};

}  // namespace wave::server::stream

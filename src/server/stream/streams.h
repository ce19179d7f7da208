// The machine behind the hub: channels, the pump that reads what is new, the readers of pages.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "http/reactor.h"
#include "server/stream/channel.h"
#include "server/stream/hub.h"
#include "server/stream/hub_limits.h"
#include "server/stream/subscriber.h"
#include "store/store.h"

namespace wave::server::stream {

/// Thread: any, unless said otherwise. Locks: mutex_ may be held while a reactor is posted to, and
/// no other lock of ours within it.
class Streams {
 public:
  using Position = std::function<std::optional<int>(const std::string& run_id)>;

  /// Follows the store at once. The references outlive it.
  Streams(store::Store& store, const Clock& clock, Position position, const HubLimits& limits);
  /// No stream is left, and none is made any more.
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  /// How a request is answered.
  struct Answer {
    http::Response response;
    http::StreamOptions options{};
    http::Responder::MakeSource make{};  // empty: the response is all
  };
  /// May block. kNotFound, kPruned, kStore.
  Result<Answer> open(const Hub::Request& request);

  void drop_if(std::function<bool(const auth::Identity&)> gone);
  void queue_changed();
  void shut_down();
  [[nodiscard]] size_t count() const;
  [[nodiscard]] size_t cached_bytes() const { return budget_.bytes(); }

  // --- for subscribers ---
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] WallTime now() const { return clock_.wall(); }
  /// Thread: the reactor's.
  std::shared_ptr<LocalStreams> join(Subscriber& subscriber, http::Reactor& reactor);
  void leave(Subscriber& subscriber, const std::shared_ptr<LocalStreams>& local);
  /// The page is read once, for all who ask meanwhile.
  void request_page(std::shared_ptr<Channel> channel, uint64_t after,
                    std::shared_ptr<LocalStreams> local);
  void give_back_seat(const std::string& client);

 private:
  struct Start {
    Opening opening;
    bool nothing_to_come = false;
    std::string end = {};  // the id of the last event that is stored now
  };
  struct Page {
    std::shared_ptr<Channel> channel;
    uint64_t after = 0;
  };
  using PageKey = std::pair<const Channel*, uint64_t>;

  Result<Start> start_of_run(const Hub::Request& request);
  Result<Start> start_of_all(const Hub::Request& request);
  Answer busy(std::string_view message) const;
  std::unique_ptr<Seat> take_seat(const std::string& client);
  std::shared_ptr<const auth::Identity> shared(const auth::Identity& identity);
  std::shared_ptr<Channel> follow(const std::string& run_id);
  Result<bool> is_over(const std::string& run_id, uint64_t last);

  void committed(const std::string& run_id);
  void look_at(const std::string& run_id);
  void pump();
  void look_around(bool at_all, const std::set<std::string>& dirty);
  void tick();
  std::vector<std::shared_ptr<Channel>> followed();
  std::vector<std::shared_ptr<Channel>> followed(const std::set<std::string>& dirty);
  bool catch_up(Channel& channel);
  void announce(const std::vector<std::shared_ptr<Channel>>& changed);
  void update_queue_positions();
  template <typename Work>
  void post_to_all(Work work);
  void post_to(const std::vector<std::shared_ptr<LocalStreams>>& locals,
               const std::function<void(LocalStreams&)>& work);

  void read_pages();
  std::optional<ChunkPtr> read_page(Channel& channel, uint64_t after);
  Result<std::vector<store::StoredEvent>> read_events(const Channel& channel, uint64_t after,
                                                      size_t limit);

  store::Store& store_;
  const Clock& clock_;
  const Position position_;
  const HubLimits limits_;
  const http::Frame heartbeat_;
  ChunkBudget budget_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> epoch_ = 0;
  std::atomic<size_t> expiring_ = 0;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Channel>> channels_;
  std::unordered_map<const Channel*, std::vector<std::shared_ptr<LocalStreams>>> followers_;
  std::unordered_map<http::Reactor*, std::shared_ptr<LocalStreams>> locals_;
  std::unordered_map<std::string, size_t> seats_by_client_;
  size_t seats_ = 0;
  size_t sweep_at_ = 256;
  std::weak_ptr<const auth::Identity> last_identity_;

  std::mutex pump_mutex_;
  std::condition_variable pump_wakes_;
  std::set<std::string> dirty_;  // guarded by pump_mutex_, like these
  bool look_ = false;            // at everything that is followed
  bool queue_changed_ = false;
  bool ends_ = false;

  std::mutex page_mutex_;
  std::condition_variable page_wakes_;
  std::deque<Page> pages_;  // guarded by page_mutex_
  std::map<PageKey, std::vector<std::shared_ptr<LocalStreams>>> page_waiters_;  // this as well
  bool pages_end_ = false;                                                      // and this

  uint64_t shown_ = 0;  // of the pump's thread
  bool moved_ = false;  // of the pump's thread: something was read since the last tick
  bool retry_ = false;  // of the pump's thread: something could not be read
  uint64_t subscription_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace wave::server::stream

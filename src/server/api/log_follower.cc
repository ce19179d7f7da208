#include "server/api/log_follower.h"

#include <algorithm>
#include <deque>

#include "base/survive.h"
#include "flow/state.h"

namespace wave::server::api {
namespace {

constexpr size_t kFollowPage = 500;
constexpr Millis kFollowRetry{1'000};
constexpr size_t kMostHeld = 256 << 10;  // bytes that a slow reader has not taken yet

}  // namespace

/// One stream: what the reading thread has made and the reactor has not taken yet.
struct LogFollower::Followed {
  const std::string run_id, step;
  const Filter filter;
  const http::StreamHandle handle;
  uint64_t after;  // the reading thread's

  std::mutex mutex;
  std::deque<http::Frame> frames;  // guarded by mutex, like the rest
  size_t held = 0;
  bool over = false;
};

class LogFollower::Source final : public http::StreamSource {
 public:
  Source(std::shared_ptr<Followed> followed, LogFollower& owner)
      : followed_(std::move(followed)), owner_(owner) {}

  Next pull(size_t budget, std::vector<http::Frame>& frames) override {
    bool taken = false;
    Next next = Next::kWait;
    {
      const std::lock_guard lock(followed_->mutex);
      size_t bytes = 0;
      while (!followed_->frames.empty() && (bytes == 0 || bytes < budget)) {
        bytes += followed_->frames.front()->size();
        frames.push_back(std::move(followed_->frames.front()));
        followed_->frames.pop_front();
        taken = true;
      }
      followed_->held -= std::min(followed_->held, bytes);
      if (!followed_->frames.empty()) next = Next::kMore;
      if (followed_->frames.empty() && followed_->over) next = Next::kEnded;
    }
    if (taken && next != Next::kEnded) {
      const std::lock_guard lock(owner_.mutex_);
      owner_.dirty_ = true;
      owner_.changed_.notify_all();
    }
    return next;
  }

 private:
  const std::shared_ptr<Followed> followed_;
  LogFollower& owner_;
};

LogFollower::LogFollower(store::Store& store) : store_(store) {
  subscription_ = store_.subscribe([this](const std::string&, uint64_t) {
    const std::lock_guard lock(mutex_);
    if (followed_.empty()) return;
    dirty_ = true;
    changed_.notify_all();
  });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

LogFollower::~LogFollower() {
  store_.unsubscribe(subscription_);
  thread_.request_stop();
  changed_.notify_all();
}

bool LogFollower::has_room() {
  const std::lock_guard lock(mutex_);
  std::erase_if(followed_, [](const auto& followed) { return followed.expired(); });
  return followed_.size() < kMostStreams;
}

std::unique_ptr<http::StreamSource> LogFollower::follow(std::string run_id, std::string step,
                                                        uint64_t after, Filter filter,
                                                        http::StreamHandle handle) {
  std::shared_ptr<Followed> followed(new Followed{.run_id = std::move(run_id),
                                                  .step = std::move(step),
                                                  .filter = std::move(filter),
                                                  .handle = handle,
                                                  .after = after,
                                                  .mutex = {},
                                                  .frames = {}});
  {
    const std::lock_guard lock(mutex_);
    followed_.push_back(followed);
    dirty_ = true;
    changed_.notify_all();
  }
  return std::make_unique<Source>(std::move(followed), *this);
}

void LogFollower::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (survive("followed logs", [&] { read_round(stop); })) continue;
    // Out of memory, say: nothing is lost, it is read a second later.
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, stop, kFollowRetry, [] { return false; });
    dirty_ = true;
  }
}

/// Waits for news, and reads a page for everybody.
void LogFollower::read_round(const std::stop_token& stop) {
  std::vector<std::shared_ptr<Followed>> now;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return dirty_; })) return;
    dirty_ = false;
    std::erase_if(followed_, [](const auto& followed) { return followed.expired(); });
    for (const auto& followed : followed_) {
      if (auto alive = followed.lock()) now.push_back(std::move(alive));
    }
  }
  for (const auto& followed : now) {
    if (!read_on(*followed)) continue;
    const std::lock_guard lock(mutex_);
    dirty_ = true;
  }
}

/// Reads one page; whether there may be more that its reader can take.
bool LogFollower::read_on(Followed& followed) {
  {
    const std::lock_guard lock(followed.mutex);
    if (followed.over || followed.held >= kMostHeld) return false;
  }
  // The status is read first: what belongs to the end is in the log by then.
  const auto details = store_.run(followed.run_id);
  const auto page = store_.events(
      followed.run_id, {.after = followed.after, .limit = kFollowPage, .step = followed.step});
  std::string text;
  bool over = !details || !page;
  if (page) {
    for (const store::StoredEvent& event : *page) {
      followed.after = event.seq;
      const auto line = log_line(event.line);
      if (line && followed.filter(*line)) text += to_text(*line);
    }
  }
  const bool full = page && page->size() == kFollowPage;
  if (details && !full) {
    const auto status = flow::run_status_from_name(details->row.status);
    over = over || !status || flow::is_terminal(*status);
  }
  if (!text.empty() || over) {
    const std::lock_guard lock(followed.mutex);
    followed.held += text.size();
    if (!text.empty()) {
      followed.frames.push_back(std::make_shared<const std::string>(std::move(text)));
    }
    followed.over = over;
    followed.handle.wake();
  }
  return full && !over;
}

}  // namespace wave::server::api

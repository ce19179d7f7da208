#include "http/epoll_reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/survive.h"

namespace wave::http {
namespace {

constexpr Millis kTick{250};

/// The reactor whose thread this is: what it posts to itself needs no bell.
thread_local const EpollReactor* this_reactor = nullptr;

}  // namespace

Result<std::shared_ptr<EpollReactor>> EpollReactor::create(size_t index) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.valid() || !wake.valid()) return fail(errno_error(errno, "making a reactor"));
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return fail(errno_error(errno, "making a reactor"));
  }
  return std::shared_ptr<EpollReactor>(new EpollReactor(index, std::move(epoll), std::move(wake)));
}

EpollReactor::~EpollReactor() {
  stop();
}

void EpollReactor::start(Hooks hooks) {
  hooks_ = std::move(hooks);
  thread_ = std::thread([this] { run(); });
}

void EpollReactor::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  const uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void EpollReactor::post(std::move_only_function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return;
    posted_.push_back(std::move(work));
    if (posted_.size() > 1) return;  // somebody woke the thread already
  }
  if (this_reactor == this) return;  // it looks before it waits again
  const uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

Status EpollReactor::add(int fd, uint32_t events, Pollable& pollable) {
  epoll_event event{.events = events, .data = {.ptr = &pollable}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return fail(errno_error(errno, "watching a socket"));
}

void EpollReactor::remove(int fd) {
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EpollReactor::run_posted() {
  std::vector<std::move_only_function<void()>> posted;
  {
    const std::scoped_lock lock(mutex_);
    posted.swap(posted_);
  }
  for (auto& work : posted) survive("a reactor", [&] { work(); });
}

// One round only: a stream that wakes itself lets others have their turn.
void EpollReactor::pull_woken() {
  const std::vector<uint64_t> woken = std::exchange(woken_, {});
  for (const uint64_t stream : woken) hooks_.pull(stream);
}

Millis EpollReactor::patience(MonoTime next_tick) {
  if (!woken_.empty()) return Millis(0);
  const std::scoped_lock lock(mutex_);
  if (!posted_.empty()) return Millis(0);
  const auto left = std::chrono::ceil<Millis>(next_tick - std::chrono::steady_clock::now());
  return std::max(left, Millis(0));
}

void EpollReactor::run() {
  this_reactor = this;
  std::array<epoll_event, 256> events;
  MonoTime next_tick = std::chrono::steady_clock::now() + kTick;
  while (true) {
    {
      const std::scoped_lock lock(mutex_);
      if (stopped_) break;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_tick) {
      hooks_.tick(now);
      next_tick = now + kTick;
    }
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(),
                                   static_cast<int>(patience(next_tick).count()));
    for (int at = 0; at < count; ++at) {
      const epoll_event& event = events[static_cast<size_t>(at)];
      if (event.data.ptr == nullptr) {
        uint64_t rings = 0;
        (void)!::read(wake_.get(), &rings, sizeof rings);
        continue;
      }
      static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
    }
    run_posted();
    pull_woken();
  }
  hooks_.ended();
}

}  // namespace wave::http

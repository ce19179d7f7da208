#include "base/asio_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <unordered_map>

namespace wave {

namespace asio = boost::asio;

namespace {

struct Watch {
  Watch(asio::io_context& io, int fd, std::move_only_function<void()> on_readable)
      : descriptor(io, fd), callback(std::move(on_readable)) {}
  ~Watch() { descriptor.release(); }  // the descriptor is the caller's

  asio::posix::stream_descriptor descriptor;
  std::move_only_function<void()> callback;
};

}  // namespace

struct AsioLoop::Impl {
  explicit Impl(int threads) : pool_threads(threads) {}

  int pool_threads;
  SystemClock clock;
  // Destroying it is the only way to destroy what was posted, and that has to happen while the loop
  // still answers: callbacks cancel timers and watches as they go. Reset by close(), on the loop's
  // thread; other threads use it under open_mutex and while open.
  std::optional<asio::io_context> io{std::in_place, 1};
  std::mutex open_mutex;
  bool open = true;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{
      std::in_place, asio::make_work_guard(*io)};
  std::unordered_map<TimerId, std::unique_ptr<asio::steady_timer>> timers;
  std::unordered_map<WatchId, std::shared_ptr<Watch>> watches;
  uint64_t next_id = 1;
  // Guarded by open_mutex until end_blocking.
  std::unique_ptr<asio::thread_pool> short_pool, long_pool;
  bool takes_work = true;  // guarded by open_mutex

  void run_on(std::unique_ptr<asio::thread_pool>& pool, Callback task, Callback done,
              AsioLoop& loop) {
    const std::scoped_lock lock(open_mutex);
    if (!takes_work) return;
    if (!pool) pool = std::make_unique<asio::thread_pool>(static_cast<size_t>(pool_threads));
    asio::post(*pool, [&loop, task = std::move(task), done = std::move(done)]() mutable {
      // What `task` holds is let go before `done` runs, so that `done` is the last to hold it.
      std::exchange(task, nullptr)();
      loop.post(std::move(done));
    });
  }

  void wait_readable(WatchId id, std::shared_ptr<Watch> watch) {
    auto& descriptor = watch->descriptor;
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this, id, watch = std::move(watch)](boost::system::error_code error) {
                            if (error || !watches.contains(id)) return;
                            watch->callback();
                            if (watches.contains(id)) wait_readable(id, watch);
                          });
  }
};

AsioLoop::AsioLoop(int pool_threads) : impl_(std::make_unique<Impl>(pool_threads)) {}

AsioLoop::~AsioLoop() {
  close();
}

void AsioLoop::run() {
  if (!impl_->io) return;
  impl_->io->run();
  impl_->io->restart();  // what stopped it is done: it may be run again
}

void AsioLoop::stop() {
  const std::scoped_lock lock(impl_->open_mutex);
  if (impl_->open) impl_->io->stop();
}

void AsioLoop::close() {
  end_blocking();
  {
    const std::scoped_lock lock(impl_->open_mutex);
    if (!std::exchange(impl_->open, false)) return;
  }
  for (auto& [id, watch] : std::exchange(impl_->watches, {})) watch->descriptor.release();
  impl_->timers.clear();
  impl_->work.reset();
  impl_->io.reset();
}

void AsioLoop::post(Callback callback) {
  const std::scoped_lock lock(impl_->open_mutex);
  if (impl_->open) asio::post(*impl_->io, std::move(callback));
}  // not open: destroyed by the caller, after the lock

Loop::TimerId AsioLoop::call_at(MonoTime when, Callback callback) {
  const TimerId id = impl_->next_id++;
  if (!impl_->open) return id;
  auto timer = std::make_unique<asio::steady_timer>(*impl_->io, when);
  timer->async_wait(
      [this, id, callback = std::move(callback)](boost::system::error_code error) mutable {
        if (error || impl_->timers.erase(id) == 0) return;
        callback();
      });
  impl_->timers.emplace(id, std::move(timer));
  return id;
}

void AsioLoop::cancel_timer(TimerId timer) {
  impl_->timers.erase(timer);
}

Loop::WatchId AsioLoop::watch_readable(int fd, std::move_only_function<void()> callback) {
  const WatchId id = impl_->next_id++;
  if (!impl_->open) return id;
  auto watch = std::make_shared<Watch>(*impl_->io, fd, std::move(callback));
  impl_->watches.emplace(id, watch);
  impl_->wait_readable(id, std::move(watch));
  return id;
}

void AsioLoop::unwatch(WatchId watch) {
  const auto found = impl_->watches.find(watch);
  if (found == impl_->watches.end()) return;
  // Let go of the descriptor now: the caller may close it next.
  found->second->descriptor.release();
  impl_->watches.erase(found);
}

void AsioLoop::run_blocking(Callback work, Callback done) {
  impl_->run_on(impl_->short_pool, std::move(work), std::move(done), *this);
}

void AsioLoop::run_lengthy(Callback work, Callback done) {
  impl_->run_on(impl_->long_pool, std::move(work), std::move(done), *this);
}

void AsioLoop::end_blocking() {
  {
    const std::scoped_lock lock(impl_->open_mutex);
    impl_->takes_work = false;
  }
  for (auto* pool : {&impl_->short_pool, &impl_->long_pool}) {
    if (*pool) (*pool)->join();
    pool->reset();
  }
}

const Clock& AsioLoop::clock() const {
  return impl_->clock;
}

}  // namespace wave

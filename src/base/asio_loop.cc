#include "base/asio_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
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
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::unordered_map<TimerId, std::unique_ptr<asio::steady_timer>> timers;
  std::unordered_map<WatchId, std::shared_ptr<Watch>> watches;
  uint64_t next_id = 1;
  std::unique_ptr<asio::signal_set> signals;
  std::move_only_function<void(int)> on_signal;
  std::once_flag pool_started;
  std::unique_ptr<asio::thread_pool> pool;

  void wait_readable(WatchId id, std::shared_ptr<Watch> watch) {
    auto& descriptor = watch->descriptor;
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this, id, watch = std::move(watch)](boost::system::error_code error) {
                            if (error || !watches.contains(id)) return;
                            watch->callback();
                            if (watches.contains(id)) wait_readable(id, watch);
                          });
  }

  void wait_signal() {
    signals->async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      on_signal(signal);
      wait_signal();
    });
  }
};

AsioLoop::AsioLoop(int pool_threads) : impl_(std::make_unique<Impl>(pool_threads)) {}

AsioLoop::~AsioLoop() {
  end_blocking();
  impl_->watches.clear();
  impl_->timers.clear();
}

void AsioLoop::run() {
  impl_->io.run();
  impl_->io.restart();  // what stopped it is done: it may be run again
}

void AsioLoop::stop() {
  impl_->io.stop();
}

void AsioLoop::on_signals(std::initializer_list<int> signals,
                          std::move_only_function<void(int)> callback) {
  impl_->on_signal = std::move(callback);
  impl_->signals = std::make_unique<asio::signal_set>(impl_->io);
  for (const int signal : signals) impl_->signals->add(signal);
  impl_->wait_signal();
}

void AsioLoop::post(Callback callback) {
  asio::post(impl_->io, std::move(callback));
}

Loop::TimerId AsioLoop::call_at(MonoTime when, Callback callback) {
  const TimerId id = impl_->next_id++;
  auto timer = std::make_unique<asio::steady_timer>(impl_->io, when);
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
  auto watch = std::make_shared<Watch>(impl_->io, fd, std::move(callback));
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
  std::call_once(impl_->pool_started, [this] {
    impl_->pool = std::make_unique<asio::thread_pool>(static_cast<size_t>(impl_->pool_threads));
  });
  asio::post(*impl_->pool, [this, work = std::move(work), done = std::move(done)]() mutable {
    // What `work` holds is let go before `done` runs, so that `done` is the last to hold it.
    std::exchange(work, nullptr)();
    post(std::move(done));
  });
}

void AsioLoop::end_blocking() {
  if (impl_->pool) impl_->pool->join();
}

const Clock& AsioLoop::clock() const {
  return impl_->clock;
}

}  // namespace wave

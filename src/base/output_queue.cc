#include "base/output_queue.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace wave {
namespace {

using namespace std::chrono_literals;

constexpr size_t kMostAtOnce = 64 << 10;
// A descriptor that blocks is given little at a time: after poll(2) that much fits.
constexpr size_t kMostBlocking = 512;
constexpr auto kBetweenInterrupts = 10ms;
constexpr auto kDecision = 100ms;
// Ignored by default; nobody sends it to us but we ourselves.
constexpr int kInterrupt = SIGURG;

/// A description of our own that does not block. The flag must not be set on the inherited one: a
/// shell, or the program at the other end of the same terminal, shares it.
UniqueFd open_unblocking(int fd) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) return {};
  const bool can_stall = S_ISFIFO(facts.st_mode) || ::isatty(fd) == 1;
  if (!can_stall) return {};
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

bool is_socket(int fd) {
  struct stat facts{};
  return ::fstat(fd, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

void do_nothing(int) {}

Error given_up() {
  return {Code::kInterrupted, "the output was not read to its end",
          "nothing is lost: see wave logs"};
}

}  // namespace

OutputQueue::OutputQueue(int fd, OutputQueueOptions options)
    : fd_(fd), options_(std::move(options)) {}

OutputQueue::~OutputQueue() {
  give_up_after(0ms);
  (void)end();
}

// mutex_ is held. False: there is no room for a thread, and whoever calls writes by himself. A
// machine that short of threads has something to say, and it is an error message.
bool OutputQueue::start() {
  if (started_) return true;
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (options_.reopens) own_ = open_unblocking(fd_);
  is_socket_ = is_socket(fd_);
  // Signals are for other threads, but for the one that ends a write, and the one that says that a
  // background process may not write to its terminal.
  sigset_t blocked, before;
  ::sigfillset(&blocked);
  ::sigdelset(&blocked, kInterrupt);
  ::sigdelset(&blocked, SIGTTOU);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  try {
    thread_ = std::thread([this] { run(); });
    started_ = true;
  } catch (const std::system_error&) {
    wake_ = {};
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started_;
}

bool OutputQueue::offer(std::string_view bytes) {
  if (bytes.empty()) return true;
  const std::scoped_lock lock(mutex_);
  const bool fits = waiting_bytes_ == 0 || waiting_bytes_ + bytes.size() <= options_.bound;
  if (ending_ || failure_ || !fits) {
    ++lost_;
    return false;
  }
  if (!start()) return write_all(fd_, bytes).has_value();
  pending_ += bytes;
  waiting_bytes_ += bytes.size();
  changed_.notify_all();
  return true;
}

Status OutputQueue::write(std::string_view bytes) {
  if (bytes.empty()) return status();
  std::unique_lock lock(mutex_);
  const bool room = wait(lock, [&] {
    return failure_ || ending_ || waiting_bytes_ == 0 ||
           waiting_bytes_ + bytes.size() <= options_.bound;
  });
  if (failure_) return fail(*failure_);
  if (!room || ending_) return fail(given_up());
  if (!start()) return write_all(fd_, bytes);
  pending_ += bytes;
  waiting_bytes_ += bytes.size();
  changed_.notify_all();
  return {};
}

Status OutputQueue::flush() {
  std::unique_lock lock(mutex_);
  const bool written = wait(lock, [&] { return failure_ || waiting_bytes_ == 0; });
  if (failure_) return fail(*failure_);
  return written ? Status{} : fail(given_up());
}

bool OutputQueue::settle(Millis most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, most, [&] { return waiting_bytes_ == 0; });
}

/// Until it is ready, or the deadline has passed, which may be set meanwhile.
bool OutputQueue::wait(std::unique_lock<std::mutex>& lock, const std::function<bool()>& ready) {
  const Time began = std::chrono::steady_clock::now();
  while (!ready()) {
    if (!deadline_) {
      changed_.wait(lock);
      continue;
    }
    // The thread decides at the deadline; it does not only if it hangs in a write.
    const Time last = std::max(*deadline_, began) + kDecision;
    if (changed_.wait_until(lock, last) == std::cv_status::timeout) return ready();
  }
  return true;
}

void OutputQueue::give_up_after(Millis patience) {
  const std::scoped_lock lock(mutex_);
  const Time deadline = std::chrono::steady_clock::now() + patience;
  if (deadline_ && *deadline_ <= deadline) return;
  deadline_ = deadline;
  changed_.notify_all();
  const uint64_t one = 1;
  if (wake_.valid()) (void)!::write(wake_.get(), &one, sizeof one);
}

Status OutputQueue::end() {
  (void)flush();
  end_thread();
  if (thread_.joinable()) thread_.join();
  return status();
}

/// A blocking write that nobody reads is ended by a signal. One may come just before the write
/// begins, so it is sent until the thread is done.
void OutputQueue::end_thread() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  changed_.notify_all();
  if (!started_ || changed_.wait_for(lock, kDecision, [&] { return done_; })) return;
  struct sigaction action{};
  action.sa_handler = do_nothing;  // no SA_RESTART
  (void)::sigaction(kInterrupt, &action, nullptr);
  while (!done_) {
    ::pthread_kill(thread_.native_handle(), kInterrupt);
    changed_.wait_for(lock, kBetweenInterrupts, [&] { return done_; });
  }
}

bool OutputQueue::is_behind() const {
  const std::scoped_lock lock(mutex_);
  return waiting_bytes_ > 0;
}

Status OutputQueue::status() const {
  const std::scoped_lock lock(mutex_);
  return failure_ ? Status(fail(*failure_)) : Status{};
}

// --- the queue's thread ---

void OutputQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !pending_.empty() || ending_; });
    if (pending_.empty()) break;
    write_pending(lock);
    if (pending_.empty() && lost_ > 0 && options_.lost) say_what_was_lost(lock);
  }
  done_ = true;
  changed_.notify_all();
}

void OutputQueue::write_pending(std::unique_lock<std::mutex>& lock) {
  const std::string taken = std::exchange(pending_, {});
  lock.unlock();
  size_t written = 0;
  const int error = put(taken, written);
  lock.lock();
  waiting_bytes_ -= taken.size() - written;  // what was written has been taken off on the way
  const std::string_view rest = std::string_view(taken).substr(written);
  if (!rest.empty()) {
    lost_ += static_cast<uint64_t>(std::ranges::count(rest, '\n'));
    line_is_open_ = written > 0 && taken[written - 1] != '\n';
    if (!options_.outlives_failures) {
      failure_ = error == 0 ? given_up() : write_error(error);
      waiting_bytes_ -= pending_.size();
      pending_.clear();
    }
  }
  changed_.notify_all();
}

void OutputQueue::say_what_was_lost(std::unique_lock<std::mutex>& lock) {
  const uint64_t lost = std::exchange(lost_, 0);
  const bool line_is_open = line_is_open_;
  // Asked without our lock: whoever offers may hold the caller's own, and wait for ours.
  lock.unlock();
  const std::string text = (line_is_open ? "\n" : "") + options_.lost(lost);
  lock.lock();
  waiting_bytes_ += text.size();
  lock.unlock();
  size_t written = 0;
  const int error = put(text, written);
  lock.lock();
  waiting_bytes_ -= text.size() - written;
  changed_.notify_all();
  line_is_open_ = written > 0 && written < text.size();
  if (error != 0 || written < text.size()) lost_ += lost;  // said with the next line that fits
}

/// The errno of what failed; 0 with fewer bytes written: it was given up.
int OutputQueue::put(std::string_view bytes, size_t& written) {
  while (written < bytes.size()) {
    if (!wait_writable()) return 0;
    const ssize_t count = write_some(bytes.substr(written));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return errno;
    written += static_cast<size_t>(count);
    const std::scoped_lock lock(mutex_);
    waiting_bytes_ -= static_cast<size_t>(count);
    changed_.notify_all();
  }
  return 0;
}

ssize_t OutputQueue::write_some(std::string_view bytes) const {
  const bool can_block = !own_.valid() && !is_socket_;
  bytes = bytes.substr(0, can_block ? kMostBlocking : kMostAtOnce);
  if (is_socket_) return ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return ::write(own_.valid() ? own_.get() : fd_, bytes.data(), bytes.size());
}

/// False: it was given up before there was room.
bool OutputQueue::wait_writable() {
  while (true) {
    std::array<pollfd, 2> waits{pollfd{own_.valid() ? own_.get() : fd_, POLLOUT, 0},
                                pollfd{wake_.get(), POLLIN, 0}};
    const int timeout = poll_timeout();
    const int ready = ::poll(waits.data(), waits.size(), timeout);
    if (ready < 0 && errno != EINTR) return true;  // write(2) says what it is
    if (ready > 0 && waits[0].revents != 0) return true;
    if (ready == 0 && timeout == 0) return false;
    uint64_t ignored = 0;
    if (ready > 0) (void)!::read(wake_.get(), &ignored, sizeof ignored);
  }
}

/// Until the deadline; after it nobody waits, but what there is room for is still written.
int OutputQueue::poll_timeout() const {
  const std::scoped_lock lock(mutex_);
  if (!deadline_) return -1;
  const auto left = std::chrono::ceil<Millis>(*deadline_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<int64_t>(0, left.count()));
}

}  // namespace wave

#include "base/end_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

namespace wave {
namespace {

constexpr char kWakeUp = 0;  // no signal: the deadline has changed, or the watch ends

std::atomic<int> pipe_in = -1;
std::atomic<int> pipe_out = -1;

Status open_pipe() {
  if (pipe_in >= 0) return {};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return fail(errno_error(errno, "cannot create a pipe"));
  }
  pipe_out = ends[0];
  pipe_in = ends[1];
  return {};
}

/// A full pipe holds more requests than anybody needs. Async-signal-safe.
void write_byte(char byte) {
  [[maybe_unused]] const ssize_t written = ::write(pipe_in, &byte, 1);
}

void on_signal(int signal) {
  const int saved = errno;
  write_byte(static_cast<char>(signal));
  errno = saved;
}

void set_action(const std::vector<int>& signals, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigfillset(&action.sa_mask);
  for (const int signal : signals) ::sigaction(signal, &action, nullptr);
}

int milliseconds_until(MonoTime when) {
  if (when == MonoTime::max()) return -1;
  const auto left = std::chrono::ceil<Millis>(when - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

}  // namespace

Result<std::unique_ptr<EndWatch>> EndWatch::start(std::initializer_list<int> signals, Heard heard) {
  WAVE_CHECK(open_pipe());
  std::unique_ptr<EndWatch> watch(new EndWatch(signals, std::move(heard)));
  try {
    watch->thread_ = std::thread([self = watch.get()] { self->run(); });
  } catch (const std::system_error& error) {
    return fail(errno_error(error.code().value(), "cannot start a thread"));
  }
  set_action(watch->signals_, on_signal);
  return watch;
}

EndWatch::EndWatch(std::vector<int> signals, Heard heard)
    : signals_(std::move(signals)), heard_(std::move(heard)) {}

EndWatch::~EndWatch() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    set_action(signals_, deadline_ == MonoTime::max() ? SIG_DFL : SIG_IGN);
  }
  write_byte(kWakeUp);
  thread_.join();
}

void EndWatch::stop_hearing() {
  const std::scoped_lock lock(heard_mutex_);
  heard_ = nullptr;
}

void EndWatch::end_by(MonoTime when, int exit_code) {
  {
    const std::scoped_lock lock(mutex_);
    if (when >= deadline_) return;
    deadline_ = when;
    exit_code_ = exit_code;
  }
  write_byte(kWakeUp);
}

void EndWatch::end_soon(int exit_code) {
  end_by(std::chrono::steady_clock::now() + kEndPatience, exit_code);
}

void EndWatch::run() {
  while (true) {
    MonoTime deadline;
    {
      const std::scoped_lock lock(mutex_);
      if (over_) return;
      deadline = deadline_;
    }
    pollfd readable{pipe_out, POLLIN, 0};
    ::poll(&readable, 1, milliseconds_until(deadline));
    end_if_due();
    char bytes[64];
    const ssize_t got = ::read(pipe_out, bytes, sizeof bytes);
    for (ssize_t i = 0; i < got; ++i) hear(bytes[i]);
  }
}

void EndWatch::hear(char byte) {
  if (byte == kWakeUp) return;
  const std::scoped_lock lock(heard_mutex_);
  if (heard_) heard_(*this, byte);
}

void EndWatch::end_if_due() {
  int exit_code = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (over_ || std::chrono::steady_clock::now() < deadline_) return;
    exit_code = exit_code_;
  }
  // Nothing that could wait: whatever holds up the end may hold a lock of the log as well.
  static constexpr char kText[] =
      "wave: the end took too long (a slow disk, or a lot to break off); what was under way is "
      "taken up by the next wave serve or wave resume\n";
  pollfd writable{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT) != 0) {
    [[maybe_unused]] const ssize_t said = ::write(STDERR_FILENO, kText, sizeof kText - 1);
  }
  std::_Exit(exit_code);
}

}  // namespace wave

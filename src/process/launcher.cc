#include "process/launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>

#include "process/launcher_process.h"
#include "process/launcher_state.h"
#include "process/launching.h"
#include "process/proc.h"

namespace wave::process {
namespace {

struct SocketPair {
  UniqueFd ours, theirs;
};

Result<SocketPair> launcher_socket() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(errno_error(errno, "cannot create a socket pair"));
  }
  return SocketPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool is_reaped(int pid) {
  return ::waitpid(pid, nullptr, WNOHANG) != 0;
}

}  // namespace

// ---- the processes

Result<Launcher::Impl::Helper> Launcher::Impl::fork_one() {
  WAVE_TRY(SocketPair sockets, launcher_socket());
  // What stdio holds back would be written a second time by the copy, into the first program's
  // spool.
  std::fflush(nullptr);
  const int pid = ::fork();
  if (pid < 0) return fail(errno_error(errno, "cannot fork the launcher"));
  if (pid == 0) run_launcher(std::move(sockets.theirs));
  return Helper{.socket = std::move(sockets.ours), .pid_pipe = {}, .pid = pid};
}

Result<Launcher::Impl::Sent> Launcher::Impl::send(int request_file, int reply) {
  const std::lock_guard lock(mutex);
  while (active.socket.valid()) {
    const auto sent =
        send_to_launcher(active.socket.get(), LauncherCommand::kHost, request_file, reply);
    if (sent) return Sent{generation, true};
    if (sent.error().code == Code::kTimeout) return Sent{generation, false};
    if (sent.error().code != Code::kInterrupted) return fail(sent.error());
    promote_standby();  // it died, and nobody has noticed yet
  }
  return fail(Code::kInterrupted, "the launcher process is gone",
              "restart wave; what runs goes on");
}

void Launcher::Impl::note_taken(uint64_t of, MonoTime when) {
  const std::lock_guard lock(mutex);
  if (of == generation) taken_at = std::max(taken_at, when);
}

MonoTime Launcher::Impl::last_taken(uint64_t of) {
  const std::lock_guard lock(mutex);
  return of == generation ? taken_at : MonoTime{};
}

bool Launcher::Impl::wake(uint64_t of) {
  const std::lock_guard lock(mutex);
  if (of != generation) return false;
  learn_pid(active);
  if (active.pid <= 0 || !is_stopped(active.pid)) return false;
  ::kill(active.pid, SIGCONT);
  return true;
}

void Launcher::Impl::replace(uint64_t of) {
  const std::lock_guard lock(mutex);
  if (of == generation) promote_standby();
}

void Launcher::Impl::promote_standby() {
  ++generation;
  let_go(active);
  active = std::exchange(standby, {});
  learn_pid(active);
  // Whoever stopped the one may have stopped the other: it had nothing to do that shows it.
  if (active.pid > 0) ::kill(active.pid, SIGCONT);
  taken_at = {};
  ask_for_standby();
  std::erase_if(ended, is_reaped);
}

/// Forked by a launcher and not by us: we have threads by now. It may take its time, or fail.
void Launcher::Impl::ask_for_standby() {
  if (!active.socket.valid()) return;
  auto sockets = launcher_socket();
  int pid_pipe[2];
  if (!sockets || ::pipe2(pid_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;
  Helper next{.socket = std::move(sockets->ours), .pid_pipe = UniqueFd(pid_pipe[0])};
  const UniqueFd tell(pid_pipe[1]);
  if (!send_to_launcher(active.socket.get(), LauncherCommand::kStandby, sockets->theirs.get(),
                        tell.get())) {
    return;
  }
  standby = std::move(next);
}

void Launcher::Impl::learn_pid(Helper& helper) {
  if (helper.pid != 0 || !helper.pid_pipe.valid()) return;
  char text[16];
  const ssize_t got = ::read(helper.pid_pipe.get(), text, sizeof text);
  if (got < 0) return;  // not written yet
  helper.pid_pipe.reset();
  if (got > 0) std::from_chars(text, text + got, helper.pid);
}

/// A stopped or traced process is ended by SIGKILL all the same, and with it the requests that it
/// has not taken: whoever waits for an answer sees the end of the pipe.
void Launcher::Impl::let_go(Helper& helper) {
  learn_pid(helper);
  helper.socket.reset();
  if (helper.pid <= 0) return;
  ::kill(helper.pid, SIGKILL);
  ended.push_back(std::exchange(helper.pid, 0));
}

// ---- the owner's side

Launcher::Launcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Launcher::Launcher(Launcher&&) noexcept = default;
Launcher& Launcher::operator=(Launcher&&) noexcept = default;

Result<Launcher> Launcher::start() {
  auto impl = std::make_unique<Impl>();
  WAVE_TRY(impl->active, Impl::fork_one());
  // Without one that stands by everything works as long as nobody stops the first.
  if (auto standby = Impl::fork_one()) impl->standby = *std::move(standby);
  return Launcher(std::move(impl));
}

Launcher::~Launcher() {
  if (!impl_) return;
  std::vector<int> left = std::move(impl_->ended);
  for (Impl::Helper* helper : {&impl_->active, &impl_->standby}) {
    Impl::learn_pid(*helper);
    helper->socket.reset();
    if (helper->pid > 0) left.push_back(helper->pid);
  }
  // They sleep in recvmsg and end at once, unless they are stopped or starved: never wait for that.
  for (int i = 0; i < 200; ++i) {
    std::erase_if(left, is_reaped);
    if (left.empty()) return;
    ::poll(nullptr, 0, 5);
  }
  for (const int pid : left) ::kill(pid, SIGKILL);
}

int Launcher::pid() const {
  const std::lock_guard lock(impl_->mutex);
  Impl::learn_pid(impl_->active);
  return impl_->active.pid;
}

Result<HostMeta> Launcher::launch(const HostRequest& request) {
  WAVE_TRY(Launching launching, Launching::begin(*this, request));
  while (true) {
    if (auto result = launching.advance()) return *std::move(result);
    const auto left =
        std::chrono::ceil<Millis>(launching.next_look() - std::chrono::steady_clock::now());
    pollfd readable{launching.fd(), POLLIN, 0};
    ::poll(&readable, 1, static_cast<int>(std::max(left, Millis(0)).count()));
  }
}

}  // namespace wave::process

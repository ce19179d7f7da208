#include "process/launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "process/host_request.h"
#include "process/launch_reply.h"
#include "process/launcher_process.h"

namespace wave::process {
namespace {

constexpr std::chrono::seconds kReplyPatience{30};
constexpr size_t kMaxReply = 1 << 20;

/// What the host answers: everything up to the end of the pipe.
Result<std::string> read_reply(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + kReplyPatience;
  std::string text;
  while (text.size() < kMaxReply) {
    const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
    pollfd readable{fd, POLLIN, 0};
    const int ready = left.count() > 0 ? ::poll(&readable, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return fail(Code::kTimeout, "the agent-host did not answer");
    char chunk[4096];
    const ssize_t got = ::read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "cannot read the agent-host's answer"));
    if (got == 0) break;
    text.append(chunk, static_cast<size_t>(got));
  }
  return text;
}

Result<UniqueFd> memory_file(std::string_view bytes) {
  UniqueFd fd(::memfd_create("wave-request", MFD_CLOEXEC));
  if (!fd.valid()) return fail(errno_error(errno, "cannot create a file in memory"));
  WAVE_CHECK(write_all(fd.get(), bytes));
  return fd;
}

}  // namespace

Result<Launcher> Launcher::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(errno_error(errno, "cannot create a socket pair"));
  }
  UniqueFd ours(ends[0]);
  // It only ever forks, so a full socket means that it is stopped: an error, not a hang.
  const timeval patience{.tv_sec = kReplyPatience.count(), .tv_usec = 0};
  ::setsockopt(ours.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  UniqueFd theirs(ends[1]);
  // What stdio holds back would be written a second time by the copy, into the first program's
  // spool.
  std::fflush(nullptr);
  const int pid = ::fork();
  if (pid < 0) return fail(errno_error(errno, "cannot fork the launcher"));
  if (pid == 0) run_launcher(std::move(theirs));
  return Launcher(std::move(ours), pid);
}

Launcher::Launcher(Launcher&& other) noexcept
    : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, 0)) {}

Launcher& Launcher::operator=(Launcher&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(pid_, other.pid_);
  return *this;
}

Launcher::~Launcher() {
  socket_.reset();
  if (pid_ <= 0) return;
  // It sleeps in recvmsg and ends at once, unless it is stopped or starved: never wait for that.
  for (int i = 0; i < 200 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) ::poll(nullptr, 0, 5);
}

Result<HostMeta> Launcher::launch(const HostRequest& request) {
  WAVE_CHECK(check_request(request));
  HostRequest absolute = request;
  std::error_code error;  // only for a current folder that has been removed
  absolute.dir = fs::absolute(request.dir, error);
  absolute.cwd = fs::absolute(request.cwd, error);
  if (!request.owner_lock.empty()) absolute.owner_lock = fs::absolute(request.owner_lock, error);
  if (error) return fail(errno_error(error.value(), "cannot resolve", request.dir.native()));

  WAVE_TRY(const UniqueFd file, memory_file(encode_request(absolute)));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(errno_error(errno, "cannot create a pipe"));
  const UniqueFd reply(ends[0]);
  UniqueFd theirs(ends[1]);
  if (auto sent = send_to_launcher(socket_.get(), file.get(), theirs.get()); !sent) {
    return fail(Code::kInterrupted, sent.error().message, "restart wave; what runs goes on");
  }
  theirs.reset();
  WAVE_TRY(const std::string text, read_reply(reply.get()));
  if (text.empty()) {
    return fail(Code::kInterrupted,
                "the agent-host or its launcher ended before it could start the program");
  }
  return decode_reply(text);
}

}  // namespace wave::process

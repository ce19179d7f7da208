#include "process/launcher_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/id.h"
#include "process/cgroup.h"
#include "process/host.h"
#include "process/host_request.h"
#include "process/launch_reply.h"

namespace wave::process {
namespace {

constexpr int kSocket = 3;  // where the launcher keeps its end
constexpr int kDescriptors = 2;

union ControlBuffer {
  cmsghdr alignment;
  char bytes[CMSG_SPACE(kDescriptors * sizeof(int))];
};

/// No terminal, no folder that could be unmounted, no descriptor of whoever started us: what a host
/// holds open for hours must not be somebody else's pipe.
void detach(UniqueFd socket) {
  ::setsid();  // Ctrl-C on the terminal never reaches us, the hosts or their programs
  [[maybe_unused]] const int moved = ::chdir("/");
  ::prctl(PR_SET_NAME, "wave-launcher", 0, 0, 0);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int end = ::fcntl(socket.get(), F_DUPFD_CLOEXEC, kSocket + 1);
  for (int fd = 0; fd < kSocket; ++fd) ::dup2(null, fd);
  ::dup3(end, kSocket, O_CLOEXEC);
  (void)socket.release();
  ::close_range(kSocket + 1, ~0U, 0);
}

/// Signals as hosts want them: everything blocked, so that a stop request finds no moment in which
/// it would kill the host, and nothing else ends it by mistake; dispositions as in a fresh process.
/// The launcher itself ends with its socket only.
void set_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::signal(SIGCHLD, SIG_IGN);  // hosts leave no zombies
  sigset_t every;
  ::sigfillset(&every);
  ::sigprocmask(SIG_SETMASK, &every, nullptr);
}

struct Message {
  LauncherCommand command = LauncherCommand::kEnd;
  UniqueFd first, second;
};

/// The next message; kEnd when the owner is gone.
Message receive() {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  ControlBuffer control{};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  ssize_t got = 0;
  do {
    got = ::recvmsg(kSocket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return {};
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  // Without room for both descriptors the message is lost, and its sender sees the end of his pipe.
  Message message{.command = LauncherCommand::kNone};
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) return message;
  if (rights->cmsg_len != CMSG_LEN(kDescriptors * sizeof(int))) {
    int lost = -1;
    if (rights->cmsg_len >= CMSG_LEN(sizeof lost))
      std::memcpy(&lost, CMSG_DATA(rights), sizeof lost);
    message.first.reset(lost);
    return message;
  }
  int fds[kDescriptors];
  std::memcpy(fds, CMSG_DATA(rights), sizeof fds);
  return {static_cast<LauncherCommand>(byte), UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<HostRequest> read_request(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail(errno_error(errno, "cannot read the request"));
  const auto size = static_cast<size_t>(info.st_size);
  void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED) return fail(errno_error(errno, "cannot read the request"));
  auto request = decode_request({static_cast<const char*>(bytes), size});
  ::munmap(bytes, size);
  return request;
}

[[noreturn]] void become_host(Message message, const HostContext& context) {
  ::close(kSocket);  // or the owner would not see that the launcher is gone
  ::signal(SIGCHLD, SIG_DFL);
  auto request = read_request(message.first.get());
  message.first.reset();
  if (!request) {
    send_reply(std::move(message.second), fail(request.error()));
    ::_exit(1);
  }
  run_host(std::move(*request), context, std::move(message.second));
}

void start_host(Message message, const HostContext& context) {
  (void)write_all(message.second.get(), {&kRequestTaken, 1});
  const int pid = ::fork();
  if (pid == 0) become_host(std::move(message), context);
  if (pid < 0) send_reply(std::move(message.second), fail(errno_error(errno, "cannot fork")));
}

/// Forks another launcher, which is a child of the owner as we are, so that he can end it. It goes
/// on in the caller's loop, with a socket of its own.
void start_standby(Message message) {
  clone_args args{};
  args.flags = CLONE_PARENT;  // the signal at its end is ours: SIGCHLD
  if (::syscall(SYS_clone3, &args, sizeof args) != 0) return;
  (void)write_all(message.second.get(), fmt::format("{}\n", ::getpid()));
  ::dup3(message.first.get(), kSocket, O_CLOEXEC);
}

}  // namespace

void run_launcher(UniqueFd socket) {
  detach(std::move(socket));
  set_signals();
  const HostContext context{boot_id(), own_cgroup()};
  while (true) {
    Message message = receive();
    switch (message.command) {
      case LauncherCommand::kEnd:
        ::_exit(0);
      case LauncherCommand::kNone:
        break;
      case LauncherCommand::kStandby:
        start_standby(std::move(message));
        break;
      case LauncherCommand::kHost:
        start_host(std::move(message), context);
        break;
    }
  }
}

Status send_to_launcher(int socket, LauncherCommand command, int first, int second) {
  char byte = static_cast<char>(command);
  iovec data{.iov_base = &byte, .iov_len = 1};
  ControlBuffer control{};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(kDescriptors * sizeof(int));
  const int fds[kDescriptors] = {first, second};
  std::memcpy(CMSG_DATA(rights), fds, sizeof fds);
  while (::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    // Every descriptor on its way counts (ETOOMANYREFS), so this is a full socket as well.
    if (errno == EAGAIN || errno == ETOOMANYREFS) {
      return fail(Code::kTimeout, "the launcher process has not taken the last requests yet");
    }
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
      return fail(Code::kInterrupted, "the launcher process is gone",
                  "restart wave; what runs goes on");
    }
    return fail(errno_error(errno, "cannot reach the launcher process"));
  }
  return {};
}

}  // namespace wave::process

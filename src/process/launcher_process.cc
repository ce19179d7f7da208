#include "process/launcher_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
  UniqueFd request, reply;
};

/// The next message; without descriptors when the owner is gone.
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
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (got <= 0 || rights == nullptr || rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(kDescriptors * sizeof(int))) {
    return {};
  }
  int fds[kDescriptors];
  std::memcpy(fds, CMSG_DATA(rights), sizeof fds);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
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
  auto request = read_request(message.request.get());
  message.request.reset();
  if (!request) {
    send_reply(std::move(message.reply), fail(request.error()));
    ::_exit(1);
  }
  run_host(std::move(*request), context, std::move(message.reply));
}

}  // namespace

void run_launcher(UniqueFd socket) {
  detach(std::move(socket));
  set_signals();
  const HostContext context{boot_id(), own_cgroup()};
  while (true) {
    Message message = receive();
    if (!message.request.valid()) ::_exit(0);
    const int pid = ::fork();
    if (pid == 0) become_host(std::move(message), context);
    if (pid < 0) send_reply(std::move(message.reply), fail(errno_error(errno, "cannot fork")));
  }
}

Status send_to_launcher(int socket, int request_file, int reply) {
  char byte = 0;
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
  const int fds[kDescriptors] = {request_file, reply};
  std::memcpy(CMSG_DATA(rights), fds, sizeof fds);
  while (::sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    return fail(errno_error(errno, "cannot reach the launcher process"));
  }
  return {};
}

}  // namespace wave::process

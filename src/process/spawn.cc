#include "process/spawn.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "process/proc.h"

namespace wave::process {
namespace {

/// What the forked process sends back when it cannot execute the program.
struct ExecFailure {
  enum Stage : int { kFolder, kExecute } stage;
  int error;
};

/// Everything the forked process needs, made before the fork: after it, nothing is allocated.
struct Image {
  std::string path, cwd;
  std::vector<std::string> arguments, variables;
  std::vector<char*> argv, envp;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

Image make_image(const HostRequest& request, const std::string& program) {
  Image image;
  image.path = program;
  image.cwd = request.cwd.native();
  image.arguments = request.argv;
  for (const auto& [name, value] : request.env) {
    if (name != kAgentMarker) image.variables.push_back(name + "=" + value);
  }
  image.variables.push_back(fmt::format("{}={}", kAgentMarker, request.agent_id));
  image.argv = pointers(image.arguments);
  image.envp = pointers(image.variables);
  return image;
}

void place(int fd, int at) {
  if (fd != at) ::dup2(fd, at);
}

/// The forked process. Only async-signal-safe calls.
[[noreturn]] void run_image(Image& image, StandardFds fds, int control) {
  ::setpgid(0, 0);
  place(fds.in, 0);
  place(fds.out, 1);
  place(fds.err, 2);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // all are opened that way; this is the second lock

  char go = 0;
  ssize_t got = 0;
  do {
    got = ::recv(control, &go, 1, 0);
  } while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(127);  // the host changed its mind, or is gone

  sigset_t none;
  ::sigemptyset(&none);
  ExecFailure failure{ExecFailure::kFolder, 0};
  if (::chdir(image.cwd.c_str()) == 0) {
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(image.path.c_str(), image.argv.data(), image.envp.data());
    failure.stage = ExecFailure::kExecute;
  }
  failure.error = errno;
  [[maybe_unused]] const ssize_t sent = ::send(control, &failure, sizeof failure, MSG_NOSIGNAL);
  ::_exit(127);
}

/// fork(2), into a cgroup if there is one. The pid, 0 in the child, -1 on failure.
/// Being born in a cgroup spares the migration through cgroup.procs, which waits for all CPUs.
int fork_into(const std::string& cgroup) {
  if (cgroup.empty()) return ::fork();
  const UniqueFd folder(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  clone_args args{};
  args.flags = CLONE_INTO_CGROUP;
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<uint64_t>(folder.get());
  return static_cast<int>(::syscall(SYS_clone3, &args, sizeof args));
}

}  // namespace

Status HeldProgram::release() {
  const char go = 1;
  if (::send(control.get(), &go, 1, MSG_NOSIGNAL) == 1) return {};
  return fail(errno_error(errno, "cannot start the held process"));
}

std::optional<std::string> HeldProgram::exec_failure(const HostRequest& request) {
  ExecFailure failure{};
  const ssize_t got = ::recv(control.get(), &failure, sizeof failure, MSG_DONTWAIT);
  control.reset();
  if (got != sizeof failure) return std::nullopt;
  const std::string reason = std::generic_category().message(failure.error);
  if (failure.stage == ExecFailure::kFolder) {
    return fmt::format("cannot enter {}: {}", request.cwd.native(), reason);
  }
  return fmt::format("cannot execute {}: {}", request.argv[0], reason);
}

Result<HeldProgram> hold_program(const HostRequest& request, const std::string& program,
                                 StandardFds fds, const std::string& cgroup) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(errno_error(errno, "cannot create a socket pair"));
  }
  HeldProgram held;
  held.control.reset(ends[0]);
  const UniqueFd theirs(ends[1]);
  Image image = make_image(request, program);
  held.pid = fork_into(cgroup);
  if (held.pid < 0) return fail(errno_error(errno, "cannot fork"));
  if (held.pid == 0) {
    ::close(ends[0]);  // or the end of the host would not be seen
    run_image(image, fds, ends[1]);
  }
  ::setpgid(held.pid, held.pid);  // in both processes: whoever comes first
  return held;
}

}  // namespace wave::process

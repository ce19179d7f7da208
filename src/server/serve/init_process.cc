#include "server/serve/init_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "base/log.h"

namespace wave::server {
namespace {

std::atomic<pid_t> server_pid = 0;

void hand_on(int signal) {
  if (const pid_t pid = server_pid; pid > 0) ::kill(pid, signal);
}

}  // namespace

std::optional<int> act_as_init() {
  if (::getpid() != 1) return std::nullopt;
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;  // then without: what is not reaped is only untidy
  if (child == 0) return std::nullopt;
  server_pid = child;
  log::warning(
      "running as process 1 of a container: agents end when the container ends; "
      "their steps run again when it is started with the same project folder");
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT}) {
    struct sigaction action{};
    action.sa_handler = hand_on;
    (void)::sigaction(signal, &action, nullptr);
  }
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended < 0 && errno == EINTR) continue;
    if (ended < 0) return 1;
    if (ended != child) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

}  // namespace wave::server

#include "process/clean_start.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace wave::process {
namespace {

void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is this one, as those below are open.
    if (::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) == fd) continue;
    static constexpr char kText[] =
        "wave: standard input, output or error is closed, and /dev/null cannot be opened in its "
        "place\n";
    [[maybe_unused]] const ssize_t said = ::write(2, kText, sizeof kText - 1);
    std::_Exit(1);
  }
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) {
    if (number == SIGHUP || number == SIGINT || number == SIGQUIT) continue;
    struct sigaction action{};
    if (::sigaction(number, nullptr, &action) != 0) continue;
    // Handlers are not inherited: one that is there is the sanitizers'.
    if (action.sa_handler == SIG_IGN) ::signal(number, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void clean_start() {
  open_standard_descriptors();
  reset_signals();
}

}  // namespace wave::process

// The launcher process itself: forked before any thread exists, asleep in recvmsg(2), forking a
// host for each request. Small, so that forking it is quick.
#pragma once

#include "base/file.h"

namespace wave::process {

/// What a message on the launcher's socket asks for. Each carries two descriptors.
enum class LauncherCommand : char {
  kEnd = 0,     // never sent: there is no owner any more
  kNone = '-',  // never sent: what came cannot be carried out
  kHost = 'h',  // a file with the request (host_request.h), a pipe for the reply (launch_reply.h)
  kStandby = 's',  // the socket of another launcher, a pipe that its pid is written to
};

/// Written to the reply's pipe when the launcher has taken a request, in front of the host's reply.
inline constexpr char kRequestTaken = '+';

/// The child's side of Launcher::start; never returns. Ends when the other end of `socket` is
/// closed.
[[noreturn]] void run_launcher(UniqueFd socket);

/// Sends one message from the owner's side; never waits. kTimeout: the socket is
/// full; kInterrupted: the launcher is gone.
Status send_to_launcher(int socket, LauncherCommand command, int first, int second);

}  // namespace wave::process

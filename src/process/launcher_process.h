// The launcher process itself: forked before any thread exists, asleep in recvmsg(2), forking a
// host for each request. Small, so that forking it is quick.
#pragma once

#include "base/file.h"

namespace wave::process {

/// The child's side of Launcher::start; never returns. Ends when the other end of `socket` is
/// closed. Each message on the socket carries two descriptors: a file with the request
/// (host_request.h) and a pipe for the host's reply (launch_reply.h).
[[noreturn]] void run_launcher(UniqueFd socket);

/// Sends one request from the owner's side.
Status send_to_launcher(int socket, int request_file, int reply);

}  // namespace wave::process

// The agent-host: the small process that is parent and keeper of one hosted program. It is a fork
// of the launcher, never an exec of wave, so that an upgrade of the binary does not touch it.
//
// It writes <dir>/meta, lets the program go, and waits: for the program's end, its deadline, a stop
// request (SIGTERM: gracefully; SIGTERM again or SIGUSR1: at once), a spool that grows beyond its
// cap (ended at once: it would fill the disk during a grace period), and owners that never come
// back. When the program has ended, so must everything it left behind: the host is the subreaper of
// all its descendants, so that "no child left" proves there is none. Only then it writes
// <dir>/exit, and ends.
#pragma once

#include "base/file.h"
#include "process/launcher.h"

namespace wave::process {

/// What does not change between hosts, found out once by the launcher.
struct HostContext {
  std::string boot_id;
  std::string cgroup;  // below which agents' cgroups are made; empty: none
};

/// Keeps one program from its start to its end; never returns. `reply` gets the answer for
/// Launcher::launch (launch_reply.h). Expects all signals blocked, and their dispositions as in a
/// fresh process.
[[noreturn]] void run_host(HostRequest request, const HostContext& context, UniqueFd reply);

}  // namespace wave::process

// A host's program: forked, held back until the host has written down that it exists, then let go.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "process/launcher.h"

namespace wave::process {

/// Where a program's standard descriptors point.
struct StandardFds {
  int in = -1, out = -1, err = -1;
};

/// A forked program that waits. Destroying it before `release` ends it without it having run.
struct HeldProgram {
  int pid = 0;
  /// Readable when the program has been executed (end of file) or could not be (see exec_failure).
  UniqueFd control;

  /// Lets it execute.
  Status release();
  /// Once `control` is readable: what execution failed with, or nothing. Closes `control`.
  std::optional<std::string> exec_failure(const HostRequest& request);
};

/// Forks a process in a process group of its own, in `cgroup` if that is not empty, with the
/// signals of a fresh process, no descriptor but 0, 1, 2, the request's folder, and the request's
/// environment plus WAVE_AGENT. It executes `program` when it is released.
Result<HeldProgram> hold_program(const HostRequest& request, const std::string& program,
                                 StandardFds fds, const std::string& cgroup);

}  // namespace wave::process

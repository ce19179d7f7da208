// Whether a host lives, and how it is reached. Not visible is not gone: a host is gone when the
// lock on its meta is, and only hosts of earlier versions, which have no lock, are looked for in
// /proc.
#pragma once

#include "base/file.h"
#include "process/launcher.h"

namespace wave::process {

struct HostLife {
  bool alive = false;
  int pid = 0;  // in our pid namespace; 0: it has none there
};

/// An error means that it is not known: never take that for gone.
Result<HostLife> host_life(const HostMeta& meta);
/// A pidfd of exactly this host. kNotFound: it is gone. kUnsupported: it lives, and has no pid
/// here.
Result<UniqueFd> open_host(const HostMeta& meta);
/// Whether anybody who inherited the spools lives, as far as locks tell.
bool spools_are_held(const fs::path& dir);
/// Whether wave can tell here which of its processes live: by /proc, or by locks of files in
/// `folder`. If not, nothing may be started. kUnsupported with the reason.
Status check_supervision(const fs::path& folder);

}  // namespace wave::process

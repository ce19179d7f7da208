#include "process/spawn_attributes.h"

#include <csignal>

namespace wave::process {

SpawnAttributes::SpawnAttributes(Apart apart) {
  ::posix_spawn_file_actions_init(&actions_);
  ::posix_spawnattr_init(&attributes_);
  sigset_t every, none;
  ::sigfillset(&every);
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigdefault(&attributes_, &every);
  ::posix_spawnattr_setsigmask(&attributes_, &none);
  int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  if (apart == Apart::kGroup) flags |= POSIX_SPAWN_SETPGROUP;  // the default group is its own
  if (apart == Apart::kSession) flags |= POSIX_SPAWN_SETSID;
  ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
}

SpawnAttributes::~SpawnAttributes() {
  ::posix_spawn_file_actions_destroy(&actions_);
  ::posix_spawnattr_destroy(&attributes_);
}

}  // namespace wave::process

// Waiting for the disk: which failures of wave's own work are its want of room, and how long until
// they are tried again (promise O11).
#pragma once

#include <optional>

#include "engine/world.h"

namespace wave::engine {

/// Why work that failed with `error` is to wait for the disk rather than fail; nothing when the
/// disk is not to blame. `waits`: how often in a row it waited already. A disk that is full or not
/// there is waited for without end; one that is there, has room and fails all the same, a few
/// times. (pool)
std::optional<Error> disk_wait(World& world, const Error& error, int waits);

/// Why a program that failed is to run again: the disk lacks something now, or ran out of room
/// while it ran. Nothing when the disk is not to blame. (pool)
std::optional<Error> disk_shortage(World& world, const process::HostExit& exit);

/// How long it is waited before the disk is looked at.
Millis disk_wait_delay(int waits);

}  // namespace wave::engine

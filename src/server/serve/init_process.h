// Being process 1 of a container.
#pragma once

#include <optional>

namespace wave::server {

/// As process 1: forks the real server, hands signals on to it, and reaps what orphans are left to
/// it, until the server ends; returns the server's exit code. Anywhere else, and in the forked
/// server: nothing. Call before any thread is started.
std::optional<int> act_as_init();

}  // namespace wave::server

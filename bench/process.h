// What the system tells of a process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

namespace wave::bench {

int64_t resident_bytes(pid_t pid);
/// User and system time so far.
double cpu_seconds(pid_t pid);

/// Of a process's first thread: how long it ran, and how long it could have run and had no core.
struct Scheduled {
  std::chrono::nanoseconds ran{}, waited{};
};
Scheduled scheduled(pid_t pid);

}  // namespace wave::bench

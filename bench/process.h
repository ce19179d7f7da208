// What the system tells of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace wave::bench {

int64_t resident_bytes(pid_t pid);
/// User and system time so far.
double cpu_seconds(pid_t pid);

}  // namespace wave::bench

// Whether the machine leaves a program enough to work with, asked before it begins: later, a thread
// or an allocation that is refused can only be an abort, or a server that answers nothing.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace wave::process {

/// What a command needs to do its work, not what it may use at most.
struct StartRoom {
  std::string program;  // for the message: "wave serve"
  size_t descriptors = 0;
  int tasks = 0;        // threads and processes together, as the kernel counts them
  uint64_t memory = 0;  // bytes beside the stacks of threads
};

/// Looks at the limit on the stack, which every thread gets as well: one that is too small ends a
/// program with SIGSEGV in the middle of its work. kLimit, as below. Before anything else is done.
Status check_stack_limit(const std::string& program);

/// Looks at the limits on address space, data and memory (also of the cgroup), and starts that many
/// threads for a moment. kLimit with what is needed, what there is, and which limit to raise.
/// Thread: the only one there is.
Status check_start_room(const StartRoom& needed);

}  // namespace wave::process

#include "process/start_room.h"

#include <fmt/core.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <latch>
#include <system_error>
#include <thread>
#include <vector>

#include "base/descriptor_limit.h"
#include "base/file.h"
#include "base/text.h"
#include "process/cgroup.h"

namespace wave::process {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;
constexpr uint64_t kMaxProcFile = 4096;
/// Twice what the deepest work is known to take: buffers of 64 KiB, files nested to their limit.
constexpr uint64_t kLeastStack = kMegabyte;

uint64_t megabytes(uint64_t bytes) {
  return (bytes + kMegabyte - 1) / kMegabyte;
}

uint64_t stack_of_a_thread() {
  pthread_attr_t attributes;
  size_t stack = 8 * kMegabyte;
  if (::pthread_getattr_default_np(&attributes) == 0) {
    (void)::pthread_attr_getstacksize(&attributes, &stack);
    ::pthread_attr_destroy(&attributes);
  }
  return stack;
}

/// A column of /proc/self/statm (proc(5)), in bytes.
uint64_t used(size_t column) {
  const auto text = read_file("/proc/self/statm", kMaxProcFile);
  if (!text) return 0;
  const std::vector<std::string> columns = split(trim(*text), ' ');
  uint64_t pages = 0;
  if (column >= columns.size()) return 0;
  const std::string& number = columns[column];
  (void)std::from_chars(number.data(), number.data() + number.size(), pages);
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

Status check_limit(const StartRoom& needed, int resource, size_t column, std::string_view what,
                   std::string_view remedy) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return {};
  const uint64_t wanted =
      used(column) + needed.memory + static_cast<uint64_t>(needed.tasks) * stack_of_a_thread();
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted) return {};
  return fail(Code::kLimit,
              fmt::format("{} needs {} MiB of {}, and may have {} MiB", needed.program,
                          megabytes(wanted), what, megabytes(limit.rlim_cur)),
              fmt::format("raise the limit ({})", remedy));
}

/// The smallest memory.max of our cgroup v2 and those that it lies in.
uint64_t cgroup_memory() {
  uint64_t smallest = UINT64_MAX;
  for (fs::path at = own_cgroup(); at.has_relative_path(); at = at.parent_path()) {
    const auto text = read_file(at / "memory.max", kMaxProcFile);
    if (!text) continue;
    const std::string_view number = trim(*text);
    uint64_t bytes = 0;  // "max" is no number
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bytes);
    if (error == std::errc()) smallest = std::min(smallest, bytes);
  }
  return smallest;
}

Status check_cgroup(const StartRoom& needed) {
  const uint64_t memory = cgroup_memory();
  if (memory >= needed.memory) return {};
  return fail(Code::kLimit,
              fmt::format("{} needs {} MiB of memory, and its cgroup may have {} MiB",
                          needed.program, megabytes(needed.memory), megabytes(memory)),
              "raise memory.max (a container's --memory, MemoryMax= of a unit)");
}

Status check_descriptors(const StartRoom& needed) {
  const size_t most = descriptor_limit();
  if (most >= needed.descriptors) return {};
  return fail(Code::kLimit,
              fmt::format("{} needs {} file descriptors, and may have {}", needed.program,
                          needed.descriptors, most),
              "raise the limit (ulimit -n, LimitNOFILE= of a unit)");
}

/// How many of `wanted` threads can live at the same time.
int threads_to_be_had(int wanted) {
  std::latch done(1);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(wanted));
  try {
    while (static_cast<int>(threads.size()) < wanted) {
      threads.emplace_back([&done] { done.wait(); });
    }
  } catch (const std::system_error&) {
    // That is the answer.
  }
  done.count_down();
  for (std::thread& thread : threads) thread.join();
  return static_cast<int>(threads.size());
}

}  // namespace

Status check_stack_limit(const std::string& program) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0) return {};
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= kLeastStack) return {};
  return fail(Code::kLimit,
              fmt::format("{} needs {} KiB of stack, and may have {} KiB", program,
                          kLeastStack / 1024, limit.rlim_cur / 1024),
              "raise the limit (ulimit -s, LimitSTACK= of a unit)");
}

Status check_start_room(const StartRoom& needed) {
  WAVE_CHECK(check_descriptors(needed));
  WAVE_CHECK(check_limit(needed, RLIMIT_AS, 0, "address space", "ulimit -v"));
  WAVE_CHECK(check_limit(needed, RLIMIT_DATA, 5, "data memory", "ulimit -d"));
  WAVE_CHECK(check_cgroup(needed));
  const int got = threads_to_be_had(needed.tasks);
  if (got >= needed.tasks) return {};
  return fail(Code::kLimit,
              fmt::format("{} needs room for {} threads and processes, and there is room for {}",
                          needed.program, needed.tasks, got),
              "raise the limit on processes (ulimit -u, pids.max of the cgroup, TasksMax= of a "
              "unit, a container's --pids-limit), or end other programs of this user");
}

}  // namespace wave::process

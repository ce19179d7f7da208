#include "base/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

namespace wave {
namespace {

// A hard limit may be "unlimited", which the kernel takes for no number of files (fs.nr_open).
constexpr rlim_t kMostDescriptors = 1 << 20;

// The limit belongs to the process, and so does what it was; 0: it was not raised.
std::atomic<rlim_t> first_limit = 0;

bool set_soft_limit(rlim_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
      limit.rlim_cur >= std::min(limit.rlim_max, kMostDescriptors)) {
    return;
  }
  const rlim_t before = limit.rlim_cur;
  if (set_soft_limit(kMostDescriptors)) first_limit = before;
}

size_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return std::min(limit.rlim_cur, kMostDescriptors);
}

void restore_descriptor_limit(pid_t child) {
  rlimit limit{};
  if (first_limit == 0 || ::prlimit(child, RLIMIT_NOFILE, nullptr, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(first_limit, limit.rlim_max);
  (void)::prlimit(child, RLIMIT_NOFILE, &limit, nullptr);
}

FirstDescriptorLimit::FirstDescriptorLimit() : raised_(first_limit == 0 ? 0 : descriptor_limit()) {
  if (raised_ > 0) set_soft_limit(first_limit);
}

FirstDescriptorLimit::~FirstDescriptorLimit() {
  if (raised_ > 0) set_soft_limit(raised_);
}

}  // namespace wave

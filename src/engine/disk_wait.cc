#include "engine/disk_wait.h"

#include <algorithm>

#include "base/disk.h"

namespace wave::engine {
namespace {

constexpr Millis kFirstDelay{1'000};
constexpr Millis kMaxDelay{60'000};
constexpr int kMaxDoublings = 6;
constexpr int kMaxFailures = 6;  // about two minutes

}  // namespace

std::optional<Error> disk_wait(World& world, const Error& error, int waits) {
  // What is not there may look like anything: a missing file, a folder that is no repository.
  if (const Status there = world.check_disk(); !there) return there.error();
  if (!is_of_disk(error)) return std::nullopt;
  if (error.code == Code::kDiskError && waits >= kMaxFailures) return std::nullopt;
  return error;
}

std::optional<Error> disk_shortage(World& world, const process::HostExit& exit) {
  if (const Status there = world.check_disk(); !there) return there.error();
  if (!exit.disk_ran_out) return std::nullopt;
  return Error(Code::kDiskFull, "the disk was full while it ran",
               "free disk space, or let `wave clean` remove what ended runs left");
}

Millis disk_wait_delay(int waits) {
  return std::min(kFirstDelay * (1 << std::clamp(waits - 1, 0, kMaxDoublings)), kMaxDelay);
}

}  // namespace wave::engine

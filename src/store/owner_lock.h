// The lock that a run's owner holds while it lives. The kernel drops it when the owner dies,
// however.
#pragma once

#include <optional>

#include "base/file.h"
#include "store/store.h"

namespace wave::store {

/// Held for as long as the object lives. Move-only.
class OwnerLock {
 public:
  /// kRunLocked with the owner's pid when somebody else holds it.
  static Result<OwnerLock> acquire(const StatePaths& paths, const std::string& run_id);
  /// Whether a living process holds it.
  static bool is_held(const StatePaths& paths, const std::string& run_id);

 private:
  explicit OwnerLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace wave::store

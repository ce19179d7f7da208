// How wave spawns a program that is not hosted: with the signals of a fresh process, whatever wave
// itself ignores or blocks.
#pragma once

#include <spawn.h>

namespace wave::process {

/// For posix_spawn. Signals are set; more is the caller's. Thread: any.
class SpawnAttributes {
 public:
  /// Where the program stands: in a process group of its own, in a session of its own, or in ours.
  enum class Apart { kGroup, kSession, kNot };

  explicit SpawnAttributes(Apart apart);
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes();

  [[nodiscard]] posix_spawn_file_actions_t* actions() { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace wave::process

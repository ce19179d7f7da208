// The doorbell: a file that every process touches after a commit, so that the others look. Nothing
// depends on it for correctness; a slow poll stands behind it.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/file.h"
#include "base/result.h"

namespace wave::store {

/// Rings. Cheap enough for every commit: it changes a time stamp. Thread: one.
class Doorbell {
 public:
  explicit Doorbell(std::filesystem::path path) : path_(std::move(path)) {}
  void ring();

 private:
  std::filesystem::path path_;
  UniqueFd file_;
};

/// Calls `rung` on a thread of its own when the doorbell rings, and every two seconds. Ends its
/// thread when it is destroyed.
class DoorbellWatch {
 public:
  static Result<std::unique_ptr<DoorbellWatch>> start(const std::filesystem::path& path,
                                                      std::function<void()> rung);
  ~DoorbellWatch();

 private:
  DoorbellWatch(std::filesystem::path path, UniqueFd inotify, UniqueFd stop,
                std::function<void()> rung);
  void run();
  void watch();

  const std::filesystem::path path_;
  const UniqueFd inotify_;
  const UniqueFd stop_;  // an eventfd
  const std::function<void()> rung_;
  std::thread thread_;
};

}  // namespace wave::store

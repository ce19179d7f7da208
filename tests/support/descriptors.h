// Makes a program short of descriptors, and gives them back.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <set>
#include <string>

namespace wave::test {

/// From now on the program may open `more` files beyond those it has open. Gives back what it could
/// open before, at the latest with the object.
class FewDescriptors {
 public:
  FewDescriptors(pid_t pid, size_t more) : pid_(pid) {
    EXPECT_EQ(::prlimit(pid_, RLIMIT_NOFILE, nullptr, &before_), 0);
    std::set<size_t> open;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid))) {
      open.insert(std::stoul(entry.path().filename()));
    }
    // The limit is a bound of numbers: the lowest one below which `more` are free.
    rlimit limit = before_;
    limit.rlim_cur = 0;
    for (size_t free = 0; free < more; ++limit.rlim_cur)
      free += open.contains(limit.rlim_cur) ? 0 : 1;
    EXPECT_EQ(::prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr), 0);
  }
  ~FewDescriptors() { (void)::prlimit(pid_, RLIMIT_NOFILE, &before_, nullptr); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  pid_t pid_;
  rlimit before_{};
};

}  // namespace wave::test

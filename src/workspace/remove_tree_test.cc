#include "workspace/remove_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

class RemoveTree : public ProjectTest {};

/// Folders within folders, deeper than any path may be long; the way back up is one descriptor.
void make_deep(const fs::path& top, int levels) {
  ASSERT_EQ(::mkdir(top.c_str(), 0700), 0);
  UniqueFd at(::open(top.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < levels; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), "deep-folder", 0700), 0);
    UniqueFd next(::openat(at.get(), "deep-folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(next.valid());
    const UniqueFd file(::openat(at.get(), "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ::fchmod(next.get(), 0700);
    at = std::move(next);
  }
}

TEST_F(RemoveTree, FoldersMayBeNestedAsDeeplyAsAnybodyLikes) {
  make_deep(base_ / "deep", 600);
  const auto removed = remove_tree(base_ / "deep");
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(fs::exists(base_ / "deep"));
}

TEST_F(RemoveTree, DepthCostsFewDescriptors) {
  make_deep(base_ / "deep", 300);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto removed = remove_tree(base_ / "deep");
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(removed) << removed.error().message;
}

}  // namespace
}  // namespace wave::workspace

#include <thread>

#include "workspace/remove_tree.h"
#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

class RemoveRun : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    make_repository();
    sh("git branch mine && git worktree add -q ../own mine && printf s > staged && git add staged "
       "&& "
       "printf u > untracked");
  }
  std::string state() const {
    return sh("git for-each-ref; git worktree list; git status --porcelain; cat .git/config");
  }
  Status remove() const { return remove_run(project_, ".agents/workspaces", kRun); }
};

TEST_F(RemoveRun, LeavesTheRepositoryAsItWas) {
  const std::string before = state();
  const Prepared one = must(prepare(request(Kind::kWorktree, "one")));
  Request wanted = request(Kind::kWorktree, "two");
  wanted.branch = "feature";
  const Prepared two = must(prepare(wanted));
  must(prepare(request(Kind::kPlain, "three")));
  Request mount = request(Kind::kMount, "four");
  mount.mounts = {{"./", "/project", true}};
  must(prepare(mount));
  put(one.root / "work.txt", "w");
  ASSERT_TRUE(checkpoint(one, std::string("refs/wave/") + kRun + "/one/1.1", "m").has_value());
  ASSERT_NE(state(), before);
  const Status removed = remove();
  ASSERT_TRUE(removed.has_value()) << full_message(removed.error());
  EXPECT_EQ(state(), before);
  EXPECT_FALSE(fs::exists(run_folder()));
  EXPECT_TRUE(remove().has_value()) << "again is fine";
}

TEST_F(RemoveRun, KeepsBranchesWithCommitsOfTheirOwn) {
  const Prepared made = must(prepare(request(Kind::kWorktree, "one")));
  sh("printf w > work.txt && git add -A && git commit -qm work", made.root);
  const Prepared merged = must(prepare(request(Kind::kWorktree, "two")));
  sh("git commit -q --allow-empty -m merged && git branch -q other", merged.root);
  ASSERT_TRUE(remove().has_value());
  EXPECT_EQ(sh("git branch --list 'wave/*' --format='%(refname:short)'"), made.branch);
  EXPECT_EQ(sh("git log -1 --format=%s " + made.branch), "work");
}

TEST_F(RemoveRun, OfTwoBranchesOnOneNewCommitOneStays) {
  const Prepared one = must(prepare(request(Kind::kWorktree, "one")));
  sh("git commit -q --allow-empty -m work", one.root);
  const Prepared two = must(prepare(request(Kind::kWorktree, "two")));
  sh("git reset -q --hard " + one.branch, two.root);
  ASSERT_TRUE(remove().has_value());
  EXPECT_EQ(sh("git branch --list 'wave/*' --format='%(contents:subject)'"), "work");
}

TEST_F(RemoveRun, LeavesBranchesThatExistedBefore) {
  sh("git branch topic");
  Request wanted = request(Kind::kWorktree, "one");
  wanted.branch = "topic";
  must(prepare(wanted));
  ASSERT_TRUE(remove().has_value());
  EXPECT_EQ(sh("git branch --list topic --format='%(refname:short)'"), "topic");
}

TEST_F(RemoveRun, LeavesOtherRunsAlone) {
  Request other = request(Kind::kWorktree, "one");
  other.run_id = std::string(kRun) + "x";
  const Prepared theirs = must(prepare(other));
  ASSERT_TRUE(checkpoint(theirs, std::string("refs/wave/") + kRun + "x/one/1.1", "m").has_value());
  must(prepare(request(Kind::kWorktree, "one")));
  ASSERT_TRUE(remove().has_value());
  EXPECT_TRUE(fs::exists(theirs.root / "a.txt"));
  EXPECT_EQ(sh("git status --porcelain", theirs.root), "");
  EXPECT_EQ(sh("git for-each-ref refs/wave | wc -l"), "1");
}

TEST_F(RemoveRun, IsInterruptedAndTakenUpAgain) {
  const Prepared made = must(prepare(request(Kind::kWorktree)));
  std::stop_source stop;
  stop.request_stop();
  const auto removed = remove_run(project_, ".agents/workspaces", kRun, stop.get_token());
  EXPECT_EQ(removed.error().code, Code::kInterrupted);
  EXPECT_TRUE(fs::exists(run_folder()));
  EXPECT_TRUE(remove_run(project_, ".agents/workspaces", kRun).has_value());
  EXPECT_FALSE(fs::exists(run_folder()));
}

TEST_F(RemoveRun, A9_LinksAreRemovedNotFollowed) {
  const Prepared made = must(prepare(request(Kind::kPlain, "one")));
  put(base_ / "precious/file", "p");
  fs::create_directory_symlink(base_ / "precious", made.root / "link");
  fs::create_directory_symlink(base_ / "precious", run_folder() / "linked-step");
  ASSERT_TRUE(remove().has_value());
  EXPECT_EQ(slurp(base_ / "precious/file"), "p");
  // The run's folder itself a link: the link goes.
  fs::create_directory_symlink(base_ / "precious", run_folder());
  ASSERT_TRUE(remove().has_value());
  EXPECT_EQ(slurp(base_ / "precious/file"), "p");
  EXPECT_FALSE(fs::exists(fs::symlink_status(run_folder())));
}

TEST_F(RemoveRun, A9_RefusesWhatIsNoRun) {
  for (const char* bad : {"", "..", ".", "a/b", "../../x"}) {
    EXPECT_EQ(remove_run(project_, ".agents/workspaces", bad).error().code, Code::kUsage) << bad;
  }
  EXPECT_EQ(remove_run(project_, "..", kRun).error().code, Code::kPathEscape);
}

TEST_F(RemoveRun, WhatAnAgentLockedAwayIsRemovedToo) {
  const Prepared made = must(prepare(request(Kind::kWorktree, "one")));
  sh("mkdir -p a/b && touch a/b/c && chmod 000 a/b && chmod 555 a && rm .git", made.root);
  ASSERT_TRUE(remove().has_value());
  EXPECT_FALSE(fs::exists(run_folder()));
  EXPECT_EQ(sh("git worktree list | wc -l"), "2");
}

TEST_F(RemoveRun, WhatAnotherRemovesAtTheSameTimeIsRemoved) {
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) put(base_ / fmt::format("tree/{}/{}/file", i % 7, i), "x");
    std::vector<Status> removed(2);
    {
      std::vector<std::jthread> both;
      for (Status& status : removed) {
        both.emplace_back([&] { status = remove_tree(base_ / "tree", {}); });
      }
    }
    for (const Status& status : removed) {
      EXPECT_TRUE(status.has_value()) << full_message(status.error());
    }
    EXPECT_FALSE(fs::exists(base_ / "tree"));
  }
}

TEST_F(RemoveRun, WithoutARepository) {
  fs::remove_all(project_ / ".git");
  must(prepare(request(Kind::kPlain, "one")));
  ASSERT_TRUE(remove().has_value());
  EXPECT_FALSE(fs::exists(run_folder()));
}

}  // namespace
}  // namespace wave::workspace

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

constexpr const char* kRef = "refs/wave/run/step/1.1";

class Checkpoints : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    make_repository();
    workspace_ = must(prepare(request(Kind::kWorktree)));
  }
  Checkpoint save(const char* ref = kRef) {
    auto saved = checkpoint(workspace_, ref, "after build");
    EXPECT_TRUE(saved.has_value()) << (saved ? "" : full_message(saved.error()));
    return saved && *saved ? **saved : Checkpoint{};
  }
  std::string wt(const std::string& script) const { return sh(script, workspace_.root); }
  // Every file with mode, link target and content: what a person would compare.
  std::string snapshot() const {
    return wt(
        "find . -path ./.git -prune -o -path ./.agents -prune -o -type f -printf '%p %m ' -exec "
        "cat {} ';' -o -type l -printf '%p -> %l\\n' | sort");
  }

  Prepared workspace_;
};

TEST_F(Checkpoints, HoldEverythingButIgnoredFiles) {
  wt("printf two > a.txt; printf n > 'new ü.txt'; printf i > x.log; rm sub/b.txt; git add a.txt");
  const std::string status = wt("git status --porcelain");
  const Checkpoint saved = save();
  EXPECT_FALSE(saved.empty);
  EXPECT_EQ(saved.ref, kRef);
  EXPECT_EQ(sh(std::string("git ls-tree -r --name-only -z ") + kRef + " | tr '\\0' ' '"),
            ".gitignore a.txt new ü.txt ");
  EXPECT_EQ(sh(std::string("git rev-parse ") + kRef + " " + kRef + "^{tree} " + kRef + "^"),
            saved.commit + "\n" + saved.tree + "\n" + workspace_.head);
  EXPECT_EQ(sh(std::string("git log -1 --format='%an %ae %s' ") + kRef),
            "wave wave@localhost after build");
  // Branch, HEAD and index are as they were.
  EXPECT_EQ(wt("git status --porcelain"), status);
  EXPECT_EQ(wt("git rev-parse HEAD"), workspace_.head);
  EXPECT_EQ(wt("ls \"$(git rev-parse --git-dir)\" | grep wave-index || true"), "");
}

/// git takes its time for what is large.
class SlowCheckpoints : public Checkpoints {
 protected:
  void SetUp() override {
    Checkpoints::SetUp();
    // More than core.bigFileThreshold: git writes it into a pack while it reads; and it takes long.
    sh("git config core.bigFileThreshold 1m; git config core.compression 9");
  }
  // git waits for somebody to write the rules of what is ignored.
  void stop_git() const { sh("mkfifo ../rules && git config core.excludesFile \"$PWD/../rules\""); }
  static constexpr CheckpointLimits kTight{.patience = Millis(3'000), .large_file = 1 << 20};
};

TEST_F(SlowCheckpoints, LeaveOutWhatIsLargeWhenGitTakesTooLong) {
  wt("printf two > a.txt; head -c 300000000 /dev/urandom > 'big [1] one'; head -c 2000000 "
     "/dev/zero > $(printf 'big\\n2')");
  const auto saved = checkpoint(workspace_, kRef, "after build", kTight);
  ASSERT_TRUE(saved.has_value() && *saved) << full_message(saved.error());
  EXPECT_THAT((*saved)->left_out, testing::UnorderedElementsAre("big [1] one", "big\n2"));
  EXPECT_EQ(sh(std::string("git show ") + kRef + ":a.txt"), "two");
  EXPECT_EQ(wt("ls \"$(git rev-parse --git-dir)\" | grep wave-index || true"), "");
  // What was left out is not taken away by the way back.
  wt("printf later > a.txt; printf more > new.txt; rm .gitignore; printf x >> 'big [1] one'");
  const Status restored = restore(workspace_, (*saved)->commit);
  ASSERT_TRUE(restored.has_value()) << full_message(restored.error());
  EXPECT_EQ(slurp(workspace_.root / "a.txt"), "two");
  EXPECT_FALSE(fs::exists(workspace_.root / "new.txt"));
  EXPECT_TRUE(fs::exists(workspace_.root / "big [1] one"));
  EXPECT_TRUE(fs::exists(workspace_.root / "big\n2"));
}

TEST_F(SlowCheckpoints, LeaveNothingUnfinishedInTheObjectStore) {
  wt("head -c 200000000 /dev/urandom > large.bin");
  std::ofstream(project_ / ".git/objects/pack/tmp_pack_of_another") << "unfinished";
  const int theirs = ::open((project_ / ".git/objects/pack/tmp_pack_of_another").c_str(), O_WRONLY);
  const auto saved = checkpoint(workspace_, kRef, "after build",
                                {.patience = Millis(3'000), .large_file = 1 << 20});
  EXPECT_TRUE(saved.has_value()) << full_message(saved.error());
  EXPECT_EQ(sh("ls .git/objects/*/tmp_*"), ".git/objects/pack/tmp_pack_of_another");
  ::close(theirs);
}

TEST_F(SlowCheckpoints, SayWhenNothingHelps) {
  stop_git();
  const auto saved = checkpoint(workspace_, kRef, "after build", kTight);
  EXPECT_EQ(saved.error().code, Code::kTimeout);
}

TEST_F(SlowCheckpoints, AreInterrupted) {
  const fs::path folder = wt("git rev-parse --git-dir");
  stop_git();
  std::stop_source stop;
  workspace_.stop = stop.get_token();
  std::thread asker([&] {
    // Its lock shows that git is at work.
    const auto works = [&] {
      for (const auto& entry : fs::directory_iterator(folder)) {
        if (fs::exists(entry.path() / "index.lock")) return true;
      }
      return false;
    };
    while (!works()) std::this_thread::sleep_for(Millis(1));
    stop.request_stop();
  });
  const auto before = std::chrono::steady_clock::now();
  const auto saved = checkpoint(workspace_, kRef, "after build");
  asker.join();
  EXPECT_EQ(saved.error().code, Code::kInterrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(15));
  EXPECT_EQ(sh("ls '" + folder.native() + "' | grep -e wave-index -e lock || true"), "");
}

TEST_F(Checkpoints, OfNothingIsEmpty) {
  const Checkpoint saved = save();
  EXPECT_TRUE(saved.empty);
  EXPECT_EQ(saved.tree, sh("git rev-parse HEAD^{tree}"));
  EXPECT_EQ(*tree_id(workspace_), saved.tree);
}

TEST_F(Checkpoints, TreeIdSeesUntrackedAndCommittedWorkAlike) {
  const auto before = tree_id(workspace_);
  wt("printf n > new.txt");
  const auto after = tree_id(workspace_);
  ASSERT_TRUE(after.has_value() && *after);
  EXPECT_NE(*before, *after);
  wt("git add -A && git commit -qm work");
  EXPECT_EQ(*tree_id(workspace_), *after);
}

TEST_F(Checkpoints, AreNothingOutsideOfWorktrees) {
  const Prepared plain = must(prepare(request(Kind::kPlain, "plain")));
  EXPECT_EQ(*checkpoint(plain, kRef, "m"), std::nullopt);
  EXPECT_EQ(*tree_id(plain), std::nullopt);
  EXPECT_EQ(restore(plain, std::string(40, '0')).error().code, Code::kConflict);
}

TEST_F(Checkpoints, RefuseRefsThatAreNotTheirs) {
  EXPECT_EQ(checkpoint(workspace_, "refs/heads/main", "m").error().code, Code::kUsage);
  EXPECT_EQ(checkpoint(workspace_, "refs/wave/../heads/main", "m").error().code, Code::kUsage);
}

TEST_F(Checkpoints, RoundTrip) {
  wt("printf two > a.txt; git mv sub/b.txt moved.txt; printf '#!/bin/sh\\n' > run.sh; chmod 755 "
     "run.sh; ln -s a.txt link; printf n > 'new ü.txt'; printf i > x.log; mkdir deep; printf d > "
     "deep/d.txt");
  const std::string before = snapshot();
  const std::string staged = wt("git diff --cached");
  const Checkpoint saved = save();
  wt("rm -rf deep run.sh; printf three > a.txt; rm link; mkdir link; printf l > link/f; git add "
     "-A; "
     "printf junk > junk.txt; rm moved.txt; printf b > deep; mkdir -p sub; printf x > sub/b.txt; "
     "git init -q nested; printf i2 > x.log");
  ASSERT_NE(snapshot(), before);
  const Status restored = restore(workspace_, saved.commit);
  ASSERT_TRUE(restored.has_value()) << full_message(restored.error());
  wt("printf i > x.log");  // ignored files are left alone
  EXPECT_EQ(snapshot(), before);
  EXPECT_EQ(*tree_id(workspace_), saved.tree);
  EXPECT_EQ(wt("git diff --cached"), staged);
  // Repeated, it changes nothing.
  ASSERT_TRUE(restore(workspace_, saved.commit).has_value());
  EXPECT_EQ(snapshot(), before);
}

TEST_F(Checkpoints, CommitsOfTheFailedAttemptAreTakenBackButNotLost) {
  wt("printf good > good.txt && git add -A && git commit -qm good && printf more > more.txt");
  const std::string head = wt("git rev-parse HEAD");
  const Checkpoint saved = save();
  wt("git add -A && git commit -qm half-done && git checkout -q -b astray && git commit -q "
     "--allow-empty -m astray && git merge -q main 2>/dev/null || true");
  const std::string lost = wt("git rev-parse " + workspace_.branch);
  ASSERT_TRUE(restore(workspace_, saved.commit).has_value());
  EXPECT_EQ(wt("git branch --show-current"), workspace_.branch);
  EXPECT_EQ(wt("git rev-parse HEAD"), head);
  EXPECT_EQ(wt("git status --porcelain"), "?? more.txt");
  EXPECT_EQ(sh("git for-each-ref --format='%(objectname)' refs/wave/" + std::string(kRun)), lost);
}

TEST_F(Checkpoints, LocksAndMergesOfAKilledGitDoNotBlock) {
  wt("git checkout -q -b other && printf o > a.txt && git commit -qam other && git checkout -q - "
     "&& "
     "printf m > a.txt && git commit -qam mine");
  const Checkpoint saved = save();
  wt("git merge other >/dev/null || true; touch \"$(git rev-parse --git-dir)/index.lock\"");
  const Checkpoint during = save("refs/wave/run/step/1.2");
  EXPECT_NE(during.tree, saved.tree) << "a lock of the agent's git does not hinder a checkpoint";
  const Status restored = restore(workspace_, saved.commit);
  ASSERT_TRUE(restored.has_value()) << full_message(restored.error());
  EXPECT_EQ(wt("git status --porcelain"), "");
  EXPECT_EQ(slurp(workspace_.root / "a.txt"), "m");
}

TEST_F(Checkpoints, NestedRepositoryWithoutACommitDoesNotStopThem) {
  wt("git init -q nested; printf x > nested/x; printf n > new.txt");
  const Checkpoint saved = save();
  EXPECT_NE(sh("git ls-tree --name-only " + saved.tree).find("new.txt"), std::string::npos);
}

TEST_F(Checkpoints, WithASubmodule) {
  sh("git init -q -b main ../lib && cd ../lib && printf l > l.c && git add -A && git commit -qm "
     "lib");
  sh("git -c protocol.file.allow=always submodule --quiet add ../lib lib && git commit -qm sub");
  Request wanted = request(Kind::kWorktree, "with-lib");
  workspace_ = must(prepare(wanted));
  wt("printf n > new.txt");
  const Checkpoint saved = save();
  EXPECT_EQ(wt("git diff --name-only HEAD " + saved.commit), "new.txt");
  ASSERT_TRUE(restore(workspace_, saved.commit).has_value());
  ASSERT_TRUE(remove_run(project_, ".agents/workspaces", kRun).has_value());
  EXPECT_EQ(sh("git worktree list | wc -l"), "1");
}

TEST_F(Checkpoints, DiffTellsWhatChanged) {
  wt("printf 'one\\ntwo\\n' > a.txt; git mv sub/b.txt 'moved ü.txt'; printf 'n\\n' > new.txt; "
     "printf "
     "'\\0\\1' > bin; rm .gitignore");
  const Checkpoint saved = save();
  const auto files = diff(project_, workspace_.head, saved.commit);
  ASSERT_TRUE(files.has_value()) << full_message(files.error());
  std::map<std::string, FileDiff> by_path;
  for (const FileDiff& file : *files) by_path[file.path] = file;
  ASSERT_EQ(by_path.size(), 5U);
  EXPECT_EQ(by_path["a.txt"].status, "modified");
  EXPECT_EQ(by_path["a.txt"].additions, 1);
  EXPECT_EQ(by_path["a.txt"].deletions, 0);
  EXPECT_EQ(by_path["new.txt"].status, "added");
  EXPECT_EQ(by_path["moved ü.txt"].status, "renamed");
  EXPECT_EQ(by_path["moved ü.txt"].old_path, "sub/b.txt");
  EXPECT_TRUE(by_path["bin"].binary);
  EXPECT_EQ(by_path[".gitignore"].status, "deleted");
  EXPECT_EQ(by_path[".gitignore"].deletions, 1);
  EXPECT_EQ(diff(project_, "--output=x", "HEAD").error().code, Code::kUsage);
  EXPECT_EQ(diff(project_, "nothing", "HEAD").error().code, Code::kGit);
}

}  // namespace
}  // namespace wave::workspace

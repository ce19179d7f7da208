#include "workspace/worktree.h"

#include <barrier>
#include <thread>

#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

class Worktree : public ProjectTest {
 protected:
  Request worktree(const std::string& step, const std::string& branch = "",
                   const std::string& start = "") const {
    Request wanted = request(Kind::kWorktree, step);
    wanted.branch = branch;
    wanted.base = start;
    return wanted;
  }
};

TEST_F(Worktree, HasABranchOfItsOwn) {
  make_repository();
  const Prepared made = must(prepare(worktree("implement")));
  EXPECT_TRUE(made.created);
  EXPECT_TRUE(made.is_worktree);
  EXPECT_EQ(made.branch, std::string("wave/") + kRun + "/implement");
  EXPECT_EQ(made.head, sh("git rev-parse HEAD"));
  EXPECT_EQ(slurp(made.cwd / "a.txt"), "one\n");
  EXPECT_EQ(sh("git branch --show-current", made.root), made.branch);
  EXPECT_EQ(sh("git status --porcelain"), "") << "the user's checkout shows nothing";
  EXPECT_EQ(sh("git status --porcelain", made.root), "");
}

TEST_F(Worktree, OutputsAndArtifactsAreNoChanges) {
  make_repository();
  const Prepared made = must(prepare(worktree("implement")));
  put(made.root / ".agents/output/plan.json", "{}");
  put(made.root / ".agents/artifacts/a/plan.json", "{}");
  EXPECT_EQ(sh("git status --porcelain", made.root), "");
}

TEST_F(Worktree, IsSharedByTheStepsThatNameItsBranch) {
  make_repository();
  const Prepared first = must(prepare(worktree("plan", "feature/ä")));
  put(first.root / "new.txt", "n");
  const Prepared second = must(prepare(worktree("build", "feature/ä")));
  EXPECT_EQ(first.root, second.root);
  EXPECT_TRUE(first.created);
  EXPECT_FALSE(second.created);
  EXPECT_EQ(slurp(second.root / "new.txt"), "n");
  EXPECT_NE(must(prepare(worktree("other", "feature-ä"))).root, first.root);
}

TEST_F(Worktree, ExistingBranchIsCheckedOut) {
  make_repository();
  sh("git checkout -q -b topic && printf t > t.txt && git add -A && git commit -qm topic && git "
     "checkout -q main");
  const Prepared made = must(prepare(worktree("s", "topic")));
  EXPECT_EQ(made.branch, "topic");
  EXPECT_EQ(slurp(made.root / "t.txt"), "t");
}

TEST_F(Worktree, StartsAtItsBase) {
  make_repository();
  sh("git checkout -q -b dev && printf d > d.txt && git add -A && git commit -qm dev && git "
     "checkout -q main");
  const Prepared made = must(prepare(worktree("s", "topic", "dev")));
  EXPECT_EQ(slurp(made.root / "d.txt"), "d");
  EXPECT_EQ(sh("git config --get branch.topic.merge || true"), "") << "no tracking was set up";
}

TEST_F(Worktree, OnlyABaseIsDetachedAndEachStepHasItsOwn) {
  make_repository();
  sh("git branch dev");
  const Prepared one = must(prepare(worktree("one", "", "main")));
  const Prepared two = must(prepare(worktree("two", "", "dev")));
  EXPECT_EQ(one.branch, "");
  EXPECT_EQ(one.head, sh("git rev-parse main"));
  EXPECT_NE(one.root, two.root);
  EXPECT_EQ(must(prepare(worktree("one", "", "main"))).root, one.root);
}

TEST_F(Worktree, AContradictingBaseIsAnErrorNotIgnored) {
  make_repository();
  must(prepare(worktree("one", "topic", "main")));
  EXPECT_TRUE(prepare(worktree("two", "topic", "main")).has_value());
  EXPECT_TRUE(prepare(worktree("two", "topic")).has_value());
  sh("git checkout -q -b dev && git commit -q --allow-empty -m dev && git checkout -q main");
  const auto contradicting = prepare(worktree("two", "topic", "dev"));
  EXPECT_EQ(contradicting.error().code, Code::kConflict);
  EXPECT_FALSE(contradicting.error().hint.empty());
}

TEST_F(Worktree, BaseThatOnlyTheRemoteHas) {
  make_repository();
  sh("git update-ref refs/remotes/origin/release HEAD");
  EXPECT_EQ(must(prepare(worktree("s", "topic", "release"))).head, sh("git rev-parse HEAD"));
}

TEST_F(Worktree, RefusalsSayWhatToDo) {
  const auto refused = [&](const Request& wanted, Code code) {
    const auto result = prepare(wanted);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_FALSE(result.error().hint.empty()) << result.error().message;
  };
  refused(worktree("s"), Code::kConflict);  // no repository
  sh("git init -q -b main");
  refused(worktree("s"), Code::kConflict);  // no commit
  sh("git commit -q --allow-empty -m First");
  refused(worktree("s", "main"), Code::kConflict);  // checked out by the user
  refused(worktree("s", "x", "nowhere"), Code::kNotFound);
  refused(worktree("s", "x", "--force"), Code::kNotFound);
  for (const char* bad : {"-b", "a..b", "a b", "a:b", "x.lock", "/a", "a\nb", "HEAD", "@{-1}"}) {
    refused(worktree("s", bad), Code::kUsage);
  }
  EXPECT_EQ(sh("git worktree list | wc -l"), "1");
  EXPECT_EQ(sh("git for-each-ref --format='%(refname)'"), "refs/heads/main");
}

TEST_F(Worktree, BranchInUseByAnotherRunIsAConflictThatNamesThePlace) {
  make_repository();
  const Prepared first = must(prepare(worktree("s", "topic")));
  Request other = worktree("s", "topic");
  other.run_id = "other-20260101-000000-0123456789";
  const auto result = prepare(other);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::kConflict);
  EXPECT_NE(result.error().message.find(first.root.native()), std::string::npos)
      << result.error().message;
}

TEST_F(Worktree, WorkspacesDeletedByHandDoNotBlockTheirBranches) {
  make_repository();
  must(prepare(worktree("s", "topic")));
  sh("git worktree add -q ../elsewhere -b mine && rm -r ../elsewhere && rm -rf .agents/workspaces");
  Request other = worktree("s", "topic");
  other.run_id = "other-20260101-000000-0123456789";
  EXPECT_EQ(must(prepare(other)).branch, "topic");
  EXPECT_NE(sh("git worktree list").find("elsewhere"), std::string::npos)
      << "what is not ours is not pruned";
}

TEST_F(Worktree, HalfMadeOnesAreMadeAgain) {
  make_repository();
  const Prepared made = must(prepare(worktree("s", "topic")));
  const std::string name = made.root.filename();
  put(made.root / "junk.txt", "half");
  // As if the crash had come before the worktree was declared ready.
  fs::remove(run_folder() / ".wave" / (name + ".ready"));
  const Prepared again = must(prepare(worktree("s", "topic")));
  EXPECT_TRUE(again.created);
  EXPECT_FALSE(fs::exists(again.root / "junk.txt"));
  // ... in the middle of `git worktree add`: registered and locked, nothing checked out.
  fs::remove(run_folder() / ".wave" / (name + ".ready"));
  fs::remove_all(again.root);
  put(project_ / ".git/worktrees" / name / "locked", "initializing");
  EXPECT_EQ(must(prepare(worktree("s", "topic"))).branch, "topic");
  // ... a folder that git never heard of.
  ASSERT_TRUE(remove_run(project_, ".agents/workspaces", kRun).has_value());
  put(run_folder() / name / "junk.txt", "half");
  EXPECT_FALSE(fs::exists(must(prepare(worktree("s", "topic"))).root / "junk.txt"));
  EXPECT_EQ(sh("git worktree list | wc -l"), "2");
}

TEST_F(Worktree, ALostDotGitIsRepaired) {
  make_repository();
  const Prepared made = must(prepare(worktree("s")));
  put(made.root / "work.txt", "w");
  fs::remove(made.root / ".git");
  EXPECT_EQ(checkpoint(made, "refs/wave/x/s/1.1", "m").error().code, Code::kConflict)
      << "never the user's own checkout above";
  const Prepared again = must(prepare(worktree("s")));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(sh("git status --porcelain", again.root), "?? work.txt");
}

// Reading this file fails with EIO, as on a disk that fails for a moment.
constexpr const char* kUnreadable = "/proc/self/mem";

TEST_F(Worktree, O11_ADiskThatFailsForAMomentMakesNothingLookAbsent) {
  make_repository();
  const Prepared made = must(prepare(worktree("s")));
  put(made.root / "work.txt", "w");
  const fs::path ready = run_folder() / ".wave" / (made.root.filename().native() + ".ready");
  const fs::path kept = ready.native() + ".kept";
  fs::rename(ready, kept);
  fs::create_symlink(kUnreadable, ready);
  EXPECT_EQ(prepare(worktree("s")).error().code, Code::kDiskError);
  EXPECT_EQ(slurp(made.root / "work.txt"), "w") << "it was made anew over an agent's work";
  fs::remove(ready);
  fs::rename(kept, ready);

  const std::string link = slurp(made.root / ".git");
  fs::remove(made.root / ".git");
  fs::create_symlink(kUnreadable, made.root / ".git");
  EXPECT_EQ(checkpoint(made, "refs/wave/x/s/1.1", "m").error().code, Code::kDiskError);
  EXPECT_EQ(prepare(worktree("s")).error().code, Code::kDiskError);
  fs::remove(made.root / ".git");
  put(made.root / ".git", link);
  EXPECT_FALSE(must(prepare(worktree("s"))).created);
}

TEST_F(Worktree, O11_ARepositoryThatCannotBeReadForAMomentHasItsCommits) {
  make_repository();
  sh("mv .git/HEAD .git/HEAD.kept && ln -s /proc/self/mem .git/HEAD");
  const auto refused = prepare(worktree("s"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDiskError) << full_message(refused.error());
  sh("rm .git/HEAD && mv .git/HEAD.kept .git/HEAD");
  EXPECT_TRUE(prepare(worktree("s")));
}

TEST_F(Worktree, ARepositoryMadeInItsPlaceIsNotDeleted) {
  make_repository();
  const Prepared made = must(prepare(worktree("s")));
  sh("rm .git && git init -q && git add -A && git commit -qm own", made.root);
  const auto again = prepare(worktree("s"));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Code::kConflict);
  EXPECT_EQ(sh("git log --format=%s", made.root), "own");
}

TEST_F(Worktree, ADeletedOneIsMadeAgainOnItsBranch) {
  make_repository();
  const Prepared made = must(prepare(worktree("s")));
  sh("printf w > work.txt && git add -A && git commit -qm work", made.root);
  fs::remove_all(made.root);
  const Prepared again = must(prepare(worktree("s")));
  EXPECT_TRUE(again.created);
  EXPECT_EQ(slurp(again.root / "work.txt"), "w");
  // The branch is still known as ours.
  sh("git reset -q --hard HEAD~1", again.root);
  ASSERT_TRUE(remove_run(project_, ".agents/workspaces", kRun).has_value());
  EXPECT_EQ(sh("git branch --list 'wave/*'"), "");
}

TEST_F(Worktree, TwoStepsAtOnceGetOne) {
  make_repository();
  constexpr int kThreads = 6;
  std::barrier start(kThreads);
  std::vector<Result<Prepared>> results(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        // Three share a branch, three have their own.
        results[i] = prepare(worktree("s" + std::to_string(i), i < 3 ? "shared" : ""));
      });
    }
  }
  int created = 0;
  for (const auto& result : results) {
    ASSERT_TRUE(result.has_value()) << full_message(result.error());
    created += result->created ? 1 : 0;
  }
  EXPECT_EQ(created, 4);
  EXPECT_EQ(results[0]->root, results[1]->root);
  EXPECT_EQ(results[0]->root, results[2]->root);
  EXPECT_EQ(sh("git worktree list | wc -l"), "5");
}

TEST_F(Worktree, HooksAndSigningOfTheUserDoNotMatter) {
  make_repository();
  sh("for h in post-checkout pre-commit reference-transaction; do printf '#!/bin/sh\\necho ran >> "
     "../hook-ran\\nexit 1\\n' > .git/hooks/$h; chmod 755 .git/hooks/$h; done;"
     "git config commit.gpgsign true; git config gpg.program /nonexistent");
  const Prepared made = must(prepare(worktree("s")));
  put(made.root / "new.txt", "n");
  const auto saved = checkpoint(made, "refs/wave/r/s/1.1", "m");
  ASSERT_TRUE(saved.has_value()) << full_message(saved.error());
  ASSERT_TRUE(restore(made, (*saved)->commit).has_value());
  ASSERT_TRUE(remove_run(project_, ".agents/workspaces", kRun).has_value());
  EXPECT_EQ(sh("find .. -name hook-ran"), "");
}

TEST_F(Worktree, ProjectInASubfolderOfItsRepository) {
  sh("git init -q -b main", base_);
  put(project_ / "p.txt", "p");
  sh("git add -A && git commit -qm First", base_);
  const Prepared made = must(prepare(worktree("s")));
  EXPECT_EQ(made.root.filename(), "project");
  EXPECT_EQ(slurp(made.cwd / "p.txt"), "p");
  put(made.root / ".agents/output/o.txt", "o");
  EXPECT_EQ(sh("git status --porcelain", made.root), "");
  EXPECT_EQ(sh("git status --porcelain", base_), "");
  put(made.root.parent_path() / "above.txt", "a");
  const auto saved = checkpoint(made, "refs/wave/r/s/1.1", "m");
  ASSERT_TRUE(saved.has_value()) << full_message(saved.error());
  EXPECT_EQ(sh("git show refs/wave/r/s/1.1:above.txt", base_), "a");
}

TEST_F(Worktree, ProjectThatIsItselfAWorktree) {
  make_repository();
  sh("git worktree add -q ../linked -b linked");
  project_ = base_ / "linked";
  const Prepared made = must(prepare(worktree("s")));
  EXPECT_EQ(sh("git status --porcelain", made.root), "");
  EXPECT_EQ(sh("git status --porcelain"), "");
  ASSERT_TRUE(remove_run(project_, ".agents/workspaces", kRun).has_value());
  EXPECT_EQ(sh("git worktree list | wc -l"), "2");
}

TEST_F(Worktree, InstructionFilesAreHidden) {
  make_repository();
  put(project_ / "AGENTS.md", "the team's");
  sh("git add -A && git commit -qm agents");
  Request wanted = worktree("s");
  wanted.copy_in = {"AGENTS.md", "GEMINI.md"};
  const Prepared made = must(prepare(wanted));
  put(made.root / "AGENTS.md", "wave's");
  put(made.root / "GEMINI.md", "wave's");
  put(made.root / "work.txt", "w");
  EXPECT_EQ(sh("git status --porcelain -- AGENTS.md", made.root), "");
  const auto saved = checkpoint(made, "refs/wave/r/s/1.1", "m");
  ASSERT_TRUE(saved.has_value()) << full_message(saved.error());
  EXPECT_EQ(sh("git diff --name-only HEAD refs/wave/r/s/1.1", made.root), "work.txt");
  ASSERT_TRUE(restore(made, (*saved)->commit).has_value());
  EXPECT_EQ(slurp(made.root / "AGENTS.md"), "wave's");
  EXPECT_EQ(slurp(made.root / "GEMINI.md"), "wave's");
  // The user's checkout goes on seeing a file of that name.
  put(project_ / "GEMINI.md", "mine");
  EXPECT_EQ(sh("git status --porcelain"), "?? GEMINI.md");
}

TEST_F(Worktree, DetachedHeadIsABaseToo) {
  make_repository();
  sh("git checkout -q --detach");
  EXPECT_EQ(must(prepare(worktree("s"))).head, sh("git rev-parse HEAD"));
}

}  // namespace
}  // namespace wave::workspace

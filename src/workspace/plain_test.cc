#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

class Plain : public ProjectTest {};

TEST_F(Plain, HasFoldersAndARepositoryOfItsOwn) {
  make_repository();
  const Prepared made = must(prepare(request(Kind::kPlain)));
  EXPECT_TRUE(made.created);
  EXPECT_FALSE(made.is_worktree);
  EXPECT_EQ(made.root, run_folder() / "build");
  EXPECT_EQ(made.cwd, made.root);
  EXPECT_TRUE(fs::is_directory(made.root / ".agents/output"));
  EXPECT_EQ(sh("git rev-parse --show-toplevel", made.root), made.root);
  EXPECT_EQ(sh("touch f; git status --porcelain -- f", made.root), "?? f");
  // An agent may use it.
  EXPECT_EQ(sh("git add f && git commit -qm x && git log --format=%s", made.root), "x");
}

TEST_F(Plain, DoesNotDisturbTheUsersGit) {
  make_repository();
  must(prepare(request(Kind::kPlain)));
  Request elsewhere = request(Kind::kPlain);
  elsewhere.workspace_root = "work spaces";
  must(prepare(elsewhere));
  EXPECT_EQ(sh("git status --porcelain"), "");
  sh("touch mine && git add -A && git commit -qm mine");
}

TEST_F(Plain, AgainChangesNothing) {
  const Prepared made = must(prepare(request(Kind::kPlain)));
  put(made.root / "work.txt", "mine");
  sh("git checkout -q -b other", made.root);
  const Prepared again = must(prepare(request(Kind::kPlain)));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(slurp(again.root / "work.txt"), "mine");
  EXPECT_EQ(slurp(again.root / ".git/HEAD"), "ref: refs/heads/other\n");
}

TEST_F(Plain, IsCompletedAfterACrash) {
  fs::create_directories(run_folder() / "build/.git");
  put(run_folder() / "build/.git/HEAD", "");
  const Prepared made = must(prepare(request(Kind::kPlain)));
  EXPECT_EQ(sh("git rev-parse --show-toplevel", made.root), made.root);
  EXPECT_TRUE(fs::is_directory(made.root / ".agents/output"));
}

TEST_F(Plain, RefusesNamesThatLeaveTheRun) {
  for (const char* step : {"../x", "", "a/b", ".wave", ".."}) {
    EXPECT_EQ(prepare(request(Kind::kPlain, step)).error().code, Code::kUsage) << step;
  }
  Request other = request(Kind::kPlain);
  other.run_id = "../../outside";
  EXPECT_EQ(prepare(other).error().code, Code::kUsage);
  other = request(Kind::kPlain);
  other.workspace_root = "../elsewhere";
  EXPECT_EQ(prepare(other).error().code, Code::kPathEscape);
}

TEST_F(Plain, A9_WorkspaceRootThroughALinkIsRefused) {
  fs::create_directories(base_ / "outside");
  fs::create_directories(project_ / ".agents");
  fs::create_directory_symlink(base_ / "outside", project_ / ".agents/workspaces");
  EXPECT_EQ(prepare(request(Kind::kPlain)).error().code, Code::kPathEscape);
  EXPECT_TRUE(fs::is_empty(base_ / "outside"));
}

TEST_F(Plain, A9_LinksThatAStepLeftAreNotFollowed) {
  const Prepared made = must(prepare(request(Kind::kPlain)));
  fs::create_directories(base_ / "outside");
  for (const char* name : {".agents", ".git"}) {
    fs::remove_all(made.root / name);
    fs::create_directory_symlink(base_ / "outside", made.root / name);
    EXPECT_EQ(prepare(request(Kind::kPlain)).error().code, Code::kPathEscape) << name;
    EXPECT_TRUE(fs::is_empty(base_ / "outside"));
    fs::remove(made.root / name);
  }
  EXPECT_TRUE(prepare(request(Kind::kPlain)).has_value());
}

TEST_F(Plain, RefGivesAnotherStepsWorkspace) {
  const Prepared made = must(prepare(request(Kind::kPlain)));
  Request wanted = request(Kind::kRef, "check");
  wanted.ref_workspace = made.root.lexically_relative(project_);
  const Prepared same = must(prepare(wanted));
  EXPECT_EQ(same.root, made.root);
  EXPECT_EQ(same.cwd, made.root);
  EXPECT_FALSE(same.created);
}

TEST_F(Plain, RefToWhatIsNotThereOrNotAWorkspaceIsRefused) {
  must(prepare(request(Kind::kPlain)));
  Request wanted = request(Kind::kRef, "check");
  wanted.ref_workspace = std::string(".agents/workspaces/") + kRun + "/none";
  EXPECT_EQ(prepare(wanted).error().code, Code::kConflict);
  for (const char* bad : {"", ".", "..", "../x", "/etc"}) {
    wanted.ref_workspace = bad;
    EXPECT_EQ(prepare(wanted).error().code, Code::kPathEscape) << bad;
  }
}

}  // namespace
}  // namespace wave::workspace

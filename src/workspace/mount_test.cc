#include <sys/stat.h>

#include "workspace/run_folder.h"
#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

class Mount : public ProjectTest {
 protected:
  Request mounts(std::vector<Request::MountSpec> specs) const {
    Request wanted = request(Kind::kMount, "review");
    wanted.mounts = std::move(specs);
    return wanted;
  }
  static mode_t mode_of(const fs::path& path) {
    struct stat info{};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
  }
};

TEST_F(Mount, CopiesTheProjectAndStartsInIt) {
  make_repository();
  sh("printf '#!/bin/sh\\n' > run.sh && chmod 755 run.sh && ln -s a.txt link && mkfifo pipe");
  const Prepared made = must(prepare(mounts({{"./", "/project", false}})));
  EXPECT_TRUE(made.created);
  EXPECT_EQ(made.root, run_folder() / "review");
  EXPECT_EQ(made.cwd, made.root / "project");
  EXPECT_EQ(slurp(made.cwd / "sub/b.txt"), "x\n");
  EXPECT_EQ(mode_of(made.cwd / "run.sh"), 0755U);
  EXPECT_EQ(fs::read_symlink(made.cwd / "link"), "a.txt");
  EXPECT_FALSE(fs::exists(made.cwd / "pipe"));
  EXPECT_FALSE(fs::exists(made.cwd / ".git"));
  // A git started there does not reach the user's checkout.
  EXPECT_EQ(sh("git rev-parse --show-toplevel", made.cwd), made.root);
  // Writing the copy leaves the original alone.
  put(made.cwd / "a.txt", "changed");
  EXPECT_EQ(slurp(project_ / "a.txt"), "one\n");
}

TEST_F(Mount, ArtifactsAreReachedFromTheMountAlsoWhenItIsReadOnly) {
  make_repository();
  const Prepared made = must(prepare(mounts({{".", "project", true}})));
  put(made.cwd / ".agents/output/report.json", "{}");
  EXPECT_EQ(slurp(made.root / ".agents/output/report.json"), "{}");
  const auto files =
      collect(made, "review", {{"report", ".agents/output/report.json", "json", ""}});
  ASSERT_TRUE(files.has_value()) << full_message(files.error());
  EXPECT_FALSE(files->at(0).missing);
  EXPECT_EQ(slurp(made.root / ".agents/artifacts/review/report.json"), "{}");
}

TEST_F(Mount, ReadOnlyReachesEveryFile) {
  make_repository();
  const Prepared made =
      must(prepare(mounts({{"./", "/project", true}, {"sub", "/scratch", false}})));
  EXPECT_EQ(mode_of(made.cwd) & 0222, 0U);
  EXPECT_EQ(mode_of(made.cwd / "sub") & 0222, 0U);
  EXPECT_EQ(mode_of(made.cwd / "sub/b.txt") & 0222, 0U);
  EXPECT_NE(mode_of(made.root / "scratch/b.txt") & 0200, 0U);
  EXPECT_EQ(mode_of(project_ / "sub/b.txt") & 0200, 0200U);
  ASSERT_TRUE(remove_run(project_, ".agents/workspaces", kRun).has_value());
  EXPECT_FALSE(fs::exists(run_folder()));
}

TEST_F(Mount, LeavesOutWhatIsFetchedButKeepsTrackedBuildFolders) {
  make_repository();
  put(project_ / "node_modules/m/index.js", "x");
  put(project_ / "build/rules.mk", "tracked");
  put(project_ / "dist/out.js", "made");
  sh("git add build && git commit -qm build");
  put(project_ / "big.bin", std::string((10 << 20) + 1, 'x'));
  const Prepared made = must(prepare(mounts({{"./", "/project", false}})));
  EXPECT_TRUE(fs::exists(made.cwd / "build/rules.mk"));
  EXPECT_FALSE(fs::exists(made.cwd / "dist"));
  EXPECT_FALSE(fs::exists(made.cwd / "node_modules"));
  EXPECT_FALSE(fs::exists(made.cwd / "big.bin"));
  EXPECT_FALSE(fs::exists(made.cwd / ".agents/workspaces"));
}

TEST_F(Mount, WithoutGitBuildFoldersAreKept) {
  put(project_ / "vendor/lib.c", "x");
  const Prepared made = must(prepare(mounts({{"./", "/project", false}})));
  EXPECT_TRUE(fs::exists(made.cwd / "vendor/lib.c"));
}

TEST_F(Mount, A9_LinksThatLeadOutAreNotCopied) {
  put(base_ / "secret", "s");
  put(project_ / "dir/inner", "i");
  fs::create_symlink(base_ / "secret", project_ / "absolute");
  fs::create_symlink("../secret", project_ / "relative");
  fs::create_symlink("../../secret", project_ / "dir/deeper");
  fs::create_symlink("dir/inner", project_ / "inside");
  const Prepared made = must(prepare(mounts({{"./", "/project", false}})));
  EXPECT_FALSE(fs::exists(fs::symlink_status(made.cwd / "absolute")));
  EXPECT_FALSE(fs::exists(fs::symlink_status(made.cwd / "relative")));
  EXPECT_FALSE(fs::exists(fs::symlink_status(made.cwd / "dir/deeper")));
  EXPECT_EQ(slurp(made.cwd / "inside"), "i");
}

TEST_F(Mount, A9_SourcesAndTargetsStayInside) {
  put(base_ / "secret", "s");
  fs::create_symlink(base_, project_ / "out");
  for (const char* source : {"../", "/etc", "out", "out/secret", "a/../../secret"}) {
    EXPECT_EQ(prepare(mounts({{source, "/p", false}})).error().code, Code::kPathEscape) << source;
  }
  for (const char* target : {"../x", "/../x", "a/../../x"}) {
    EXPECT_EQ(prepare(mounts({{"./", target, false}})).error().code, Code::kPathEscape) << target;
  }
  EXPECT_EQ(prepare(mounts({{"./", ".git/x", false}})).error().code, Code::kUsage);
  EXPECT_EQ(prepare(mounts({{"missing", "/p", false}})).error().code, Code::kNotFound);
  EXPECT_FALSE(fs::exists(run_folder() / "review"));
}

TEST_F(Mount, AgainKeepsWhatTheStepDid) {
  put(project_ / "a.txt", "one");
  const Prepared made = must(prepare(mounts({{"./", "/project", false}})));
  put(made.cwd / "a.txt", "two");
  const Prepared again = must(prepare(mounts({{"./", "/project", false}})));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.cwd, made.cwd);
  EXPECT_EQ(slurp(again.cwd / "a.txt"), "two");
}

TEST_F(Mount, HalfACopyIsNeverTakenForAWhole) {
  put(project_ / "a.txt", "one");
  // What a crash in the middle of the copy leaves: read-only folders included.
  const fs::path partial = run_folder() / ".wave/new-review/project";
  put(partial / "stale.txt", "old");
  fs::permissions(partial, fs::perms::owner_read | fs::perms::owner_exec);
  const Prepared made = must(prepare(mounts({{"./", "/project", false}})));
  EXPECT_TRUE(made.created);
  EXPECT_FALSE(fs::exists(made.cwd / "stale.txt"));
  EXPECT_EQ(slurp(made.cwd / "a.txt"), "one");
  EXPECT_FALSE(fs::exists(run_folder() / ".wave/new-review"));
}

TEST_F(Mount, RefStartsWhereTheMountStarts) {
  put(project_ / "a.txt", "one");
  const Prepared made = must(prepare(mounts({{"./", "/project", false}})));
  Request wanted = request(Kind::kRef, "check");
  wanted.ref_workspace = made.root.lexically_relative(project_);
  EXPECT_EQ(must(prepare(wanted)).cwd, made.cwd);
}

TEST_F(Mount, OneFileAndTheFirstFolder) {
  put(project_ / "docs/x.md", "d");
  put(project_ / "a.txt", "one");
  const Prepared made =
      must(prepare(mounts({{"a.txt", "/in/a.txt", true}, {"docs", "/docs", false}})));
  EXPECT_EQ(made.cwd, made.root / "docs");
  EXPECT_EQ(slurp(made.root / "in/a.txt"), "one");
  EXPECT_EQ(mode_of(made.root / "in/a.txt") & 0222, 0U);
}

}  // namespace
}  // namespace wave::workspace

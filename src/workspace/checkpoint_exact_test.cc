// What comes back from a checkpoint is what was there: bytes, modes, folders, the index; and what a
// checkpoint cannot hold is named, and stays.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

constexpr const char* kExactRef = "refs/wave/run/step/1.1";

class ExactCheckpoints : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    make_repository();
    open();
  }
  void open(const std::string& step = "build") {
    workspace_ = must(prepare(request(Kind::kWorktree, step)));
  }
  Checkpoint save() {
    auto saved = checkpoint(workspace_, kExactRef, "after build");
    EXPECT_TRUE(saved.has_value()) << (saved ? "" : full_message(saved.error()));
    return saved && *saved ? **saved : Checkpoint{};
  }
  void go_back(const Checkpoint& saved) {
    const Status restored = restore(workspace_, saved.commit);
    ASSERT_TRUE(restored.has_value()) << full_message(restored.error());
  }
  std::string wt(const std::string& script) const { return sh(script, workspace_.root); }
  // Everything but git's and wave's own: kind, mode, link target, content.
  std::string all() const {
    return wt(
        "find . -mindepth 1 -name .git -prune -o -path ./.agents -prune -o -type d -printf '%p d "
        "%m\\n' -o -type l -printf '%p -> %l\\n' -o -type f -printf '%p %m ' -exec md5sum {} ';' "
        "-o "
        "-printf '%p %y\\n' | sort");
  }
  std::string times() const {
    return wt("find . -name .git -prune -o -type f -printf '%p %T@\\n' | sort");
  }

  Prepared workspace_;
};

TEST_F(ExactCheckpoints, LeaveWhatTheyCannotHoldWhereItIs) {
  wt("git init -q unborn; printf w > unborn/work; git init -q born; printf b > born/b; "
     "git -C born add -A; git -C born commit -qm b; printf more > born/more; mkfifo pipe; "
     "mkdir -p deep/er; mkfifo \"$(printf 'deep/er/two\\nlines')\"; python3 -c 'import socket; "
     "socket.socket(socket.AF_UNIX).bind(\"socket\")'; printf n > new.txt; "
     "mkfifo x.log; mkdir sub/.git");
  const Checkpoint saved = save();
  EXPECT_THAT(saved.left_out, testing::UnorderedElementsAre("unborn", "born", "pipe", "socket",
                                                            "deep/er/two\nlines", "sub/.git"));
  EXPECT_EQ(sh("git show " + saved.commit + ":new.txt"), "n");
  const std::string before = all();
  wt("printf later > new.txt; printf j > junk; mkfifo later; git init -q nested; printf n > "
     "nested/n; mkdir -p left/behind");
  go_back(saved);
  EXPECT_EQ(all(), before);
  EXPECT_TRUE(fs::exists(workspace_.root / "unborn/.git"));
  EXPECT_TRUE(fs::exists(workspace_.root / "born/.git"));
}

TEST_F(ExactCheckpoints, LeaveWhatBecomesStorableAfterwards) {
  wt("git init -q nest; printf w > nest/work");
  const Checkpoint saved = save();
  EXPECT_THAT(saved.left_out, testing::ElementsAre("nest"));
  wt("rm -rf nest/.git");
  go_back(saved);
  EXPECT_EQ(slurp(workspace_.root / "nest/work"), "w");
  wt("git init -q nest; git -C nest add -A; git -C nest commit -qm w");
  go_back(saved);
  EXPECT_EQ(slurp(workspace_.root / "nest/work"), "w");
}

TEST_F(ExactCheckpoints, HoldWhatLiesOutsideOfASparseCheckout) {
  sh("mkdir in out && printf i > in/i && printf o > out/o && git add -A && git commit -qm dirs");
  sh("git sparse-checkout set --cone in");
  open("sparse");
  wt("git sparse-checkout set --cone in; mkdir -p out; printf un > out/un; printf c > in/i");
  const Checkpoint saved = save();
  EXPECT_THAT(saved.left_out, testing::IsEmpty());
  EXPECT_EQ(wt("git diff --name-only HEAD " + saved.commit), "in/i\nout/un");
  wt("rm -r out; printf later > in/i");
  go_back(saved);
  EXPECT_EQ(slurp(workspace_.root / "out/un"), "un");
  EXPECT_EQ(slurp(workspace_.root / "in/i"), "c");
  EXPECT_FALSE(fs::exists(workspace_.root / "out/o"));
  EXPECT_EQ(wt("git status --porcelain -uall"), " M in/i\n?? out/un");
}

TEST_F(ExactCheckpoints, NameTheUnreadable) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  wt("printf s > secret; chmod 0 secret; mkdir closed; printf c > closed/c; chmod 0 closed");
  const Checkpoint saved = save();
  EXPECT_THAT(saved.left_out, testing::UnorderedElementsAre("secret", "closed"));
  go_back(saved);
  wt("chmod 700 secret closed");
  EXPECT_EQ(slurp(workspace_.root / "secret") + slurp(workspace_.root / "closed/c"), "sc");
}

TEST_F(ExactCheckpoints, TakeBytesAsTheyAreWhateverTheSettingsSay) {
  sh("git config core.safecrlf true; git config core.autocrlf input; "
     "git config filter.lfs.required true; git config filter.lfs.clean missing-program; "
     "git config filter.lfs.smudge missing-program");
  wt("printf '*.bin filter=lfs\\n*.id ident\\n*.bat text eol=crlf\\n*.u16 text "
     "working-tree-encoding=UTF-16\\n' > .gitattributes; "
     "printf 'a\\r\\nb\\n' > mixed.txt; printf 'c\\r\\n' > crlf.txt; printf raw > x.bin; "
     "printf '$Id: mine $\\n' > v.id; printf 'lf\\n' > lf.bat; printf 'no utf 16' > t.u16");
  const Checkpoint saved = save();
  EXPECT_THAT(saved.left_out, testing::IsEmpty());
  const std::string before = all();
  wt("rm mixed.txt crlf.txt x.bin v.id lf.bat t.u16; printf other > mixed.txt");
  go_back(saved);
  EXPECT_EQ(all(), before);
}

TEST_F(ExactCheckpoints, KnowTrackedFilesWhoseBytesGitConverts) {
  sh("printf '*.bat text eol=crlf\\n*.txt text=auto\\n*.id ident\\n*.big text eol=crlf\\n' > "
     ".gitattributes; printf 'one\\ntwo\\n' > run.bat; printf 'one\\ntwo\\n' > odd.bat; "
     "printf '$Id$\\n' > v.id; yes line | head -c 2000000 > lines.big; git add -A; git commit -qm "
     "attributes");
  open("converted");
  // Staged, so that git finds nothing to do: LF where it would write CRLF, and a mixture.
  wt("printf 'one\\ntwo\\n' > odd.bat; printf 'a\\r\\nb\\n' > mixed.txt; git add -A 2>/dev/null; "
     "git commit -qm converted");
  const std::string before = all();
  const Checkpoint saved = save();
  wt("for f in *.bat *.txt *.id *.big; do printf gone > $f; done");
  go_back(saved);
  EXPECT_EQ(all(), before);
  EXPECT_EQ(wt("git status --porcelain"), "");
}

TEST_F(ExactCheckpoints, BringBackModes) {
  wt("printf s > secret; chmod 600 secret; printf w > wide; chmod 666 wide; chmod 640 a.txt; "
     "mkdir private; printf p > private/p; chmod 700 private; printf x > run; chmod 750 run; "
     "mkdir -m 711 nothing; printf r > ro; chmod 400 ro");
  const std::string before = all();
  const Checkpoint saved = save();
  wt("rm -f secret run ro; chmod 777 wide; chmod 644 a.txt; chmod 755 private; rm -r nothing; "
     "chmod 600 sub/b.txt; printf more > private/p; chmod 500 sub");
  go_back(saved);
  EXPECT_EQ(all(), before);
}

TEST_F(ExactCheckpoints, BringBackTheExecutableBitThatGitIsToldToIgnore) {
  sh("git config core.fileMode false");
  wt("printf x > tool; chmod 755 tool a.txt");
  const std::string before = all();
  const Checkpoint saved = save();
  wt("rm tool; printf later > a.txt; chmod 644 a.txt");
  go_back(saved);
  EXPECT_EQ(all(), before);
}

TEST_F(ExactCheckpoints, BringBackEmptyFolders) {
  wt("mkdir -p one/two/three four; printf f > four/f; mkdir four/five; rm sub/b.txt");
  const std::string before = all();
  const Checkpoint saved = save();
  wt("rm -r one four; mkdir -p later/still; mkdir sub/deep");
  go_back(saved);
  EXPECT_EQ(all(), before);
}

TEST_F(ExactCheckpoints, BringBackWhatWasStaged) {
  wt("printf staged > a.txt; git add a.txt; printf work > a.txt; printf n > new.txt; git add "
     "new.txt; git rm -q --cached sub/b.txt; printf u > untracked");
  const std::string status = wt("git status --porcelain -uall; git diff --cached");
  const Checkpoint saved = save();
  wt("git add -A; git commit -qm all; printf later > a.txt");
  go_back(saved);
  EXPECT_EQ(wt("git status --porcelain -uall; git diff --cached"), status);
  // A collection of garbage does not take it away.
  sh("git gc -q --prune=now");
  wt("git add -A; git commit -qm again");
  go_back(saved);
  EXPECT_EQ(wt("git status --porcelain -uall; git diff --cached"), status);
}

TEST_F(ExactCheckpoints, DoNotTouchWhatHasNotChanged) {
  wt("printf u > untracked; printf two > a.txt; touch -d 2001-01-01 untracked a.txt sub/b.txt; "
     "printf c > changed");
  const Checkpoint saved = save();
  wt("printf later > changed");
  const std::string before = times();
  go_back(saved);
  const auto but_changed = [&](const std::string& text) {
    return sh("printf '%s' '" + text + "' | grep -v changed");
  };
  EXPECT_EQ(but_changed(times()), but_changed(before));
  EXPECT_EQ(slurp(workspace_.root / "changed"), "c");
  wt("git add -A; git commit -qm all; printf later > changed");
  go_back(saved);
  EXPECT_EQ(but_changed(times()), but_changed(before));
}

TEST_F(ExactCheckpoints, KeepWhatWasIgnoredThen) {
  wt("printf i > kept.log; printf 'secret/\\n' >> .gitignore; mkdir secret; printf s > secret/s");
  const Checkpoint saved = save();
  wt("printf '' > .gitignore; printf j > junk");
  go_back(saved);
  EXPECT_EQ(slurp(workspace_.root / "kept.log") + slurp(workspace_.root / "secret/s"), "is");
  EXPECT_FALSE(fs::exists(workspace_.root / "junk"));
  // Rules of the attempt itself hide nothing of it.
  wt("printf '*.tmp\\n' >> .gitignore; printf j > junk.tmp");
  go_back(saved);
  EXPECT_FALSE(fs::exists(workspace_.root / "junk.tmp"));
}

TEST_F(ExactCheckpoints, PutKindsOfFilesBack) {
  wt("ln -s a.txt link; printf f > file; mkdir dir; printf d > dir/d; printf '%s' x > ':(top)*'; "
     "printf b > \"$(printf 'inv\\377lid')\"; printf n > \"$(printf 'new\\nline')\"; printf q > "
     "'\"q'");
  const std::string before = all();
  const Checkpoint saved = save();
  wt("rm link file; mkdir link; printf l > link/l; mkdir file; rm -r dir; ln -s sub dir; rm a.txt; "
     "mkfifo a.txt; rm ':(top)*' new* inv*; rm '\"q'");
  go_back(saved);
  EXPECT_EQ(all(), before);
  EXPECT_EQ(slurp(workspace_.root / "sub/b.txt"), "x\n");
}

TEST_F(ExactCheckpoints, ReplaceABrokenIndex) {
  wt("printf two > a.txt; printf u > untracked");
  const Checkpoint saved = save();
  wt("echo broken > \"$(git rev-parse --git-dir)/index\"; printf three > a.txt");
  go_back(saved);
  EXPECT_EQ(wt("git status --porcelain"), " M a.txt\n?? untracked");
  EXPECT_EQ(slurp(workspace_.root / "a.txt"), "two");
}

// A file that changes within the second in which git wrote the index, and keeps its length, looks
// unchanged to whoever does not know that second.
TEST_F(ExactCheckpoints, SeeWhatChangedWhileTheIndexWasWritten) {
  wt("while :; do now=$(date +%s); printf one > racy; git add racy; printf two > racy; "
     "[ \"$(date +%s)\" = \"$now\" ] && break; done; while [ \"$(date +%s)\" = \"$now\" ]; do :; "
     "done");
  const Checkpoint saved = save();
  EXPECT_EQ(sh("git show " + saved.commit + ":racy"), "two");
}

TEST_F(ExactCheckpoints, TakeAnIndexInTwoFiles) {
  sh("git config core.splitIndex true");
  wt("git update-index --split-index; printf two > a.txt; printf s > staged; git add staged");
  const std::string status = wt("git status --porcelain");
  const Checkpoint saved = save();
  wt("rm staged; printf three > a.txt");
  go_back(saved);
  EXPECT_EQ(wt("git status --porcelain"), status);
  EXPECT_EQ(slurp(workspace_.root / "a.txt"), "two");
}

}  // namespace
}  // namespace wave::workspace

#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

class Facts : public ProjectTest {};

TEST_F(Facts, OfNoRepository) {
  const GitFacts facts = git_facts(project_);
  EXPECT_FALSE(facts.is_repository);
  EXPECT_TRUE(facts.root.empty() && facts.branch.empty() && facts.head.empty());
  EXPECT_TRUE(exclude_from_git(project_).has_value());
}

TEST_F(Facts, OfARepositoryWithoutACommit) {
  sh("git init -q -b trunk");
  const GitFacts facts = git_facts(project_);
  EXPECT_TRUE(facts.is_repository);
  EXPECT_EQ(facts.branch, "trunk");
  EXPECT_EQ(facts.head, "");
  EXPECT_EQ(facts.default_branch, "trunk");
}

TEST_F(Facts, AgreeWithGit) {
  make_repository();
  sh("git remote add up ssh://git@host/up.git && git remote add origin 'git@host:team/ü.git' && "
     "git "
     "checkout -q -b feature/x");
  for (const char* change : {"true", "git pack-refs --all", "git commit -q --allow-empty -m x",
                             "git update-ref refs/remotes/origin/dev HEAD && git symbolic-ref "
                             "refs/remotes/origin/HEAD refs/remotes/origin/dev"}) {
    sh(change);
    const GitFacts facts = git_facts(project_ / "sub");
    EXPECT_EQ(facts.root, project_);
    EXPECT_EQ(facts.branch, "feature/x");
    EXPECT_EQ(facts.head, sh("git rev-parse HEAD")) << change;
    EXPECT_EQ(facts.remote_url, "git@host:team/ü.git");
  }
  EXPECT_EQ(git_facts(project_).default_branch, "dev");
  sh("git checkout -q --detach");
  EXPECT_EQ(git_facts(project_).branch, "");
  EXPECT_EQ(git_facts(project_).head, sh("git rev-parse HEAD"));
}

TEST_F(Facts, OfALinkedWorktree) {
  make_repository();
  sh("git worktree add -q ../linked -b linked");
  const GitFacts facts = git_facts(base_ / "linked");
  EXPECT_EQ(facts.branch, "linked");
  EXPECT_EQ(facts.root, base_ / "linked");
  EXPECT_EQ(facts.default_branch, "main");
}

TEST_F(Facts, IncludedConfigurationIsLeftToGit) {
  make_repository();
  put(base_ / "more", "[remote \"origin\"]\n\turl = https://host/from-include.git\n");
  sh("git config include.path ../../more");
  EXPECT_EQ(git_facts(project_).remote_url, "https://host/from-include.git");
}

TEST_F(Facts, S6_CredentialsOfTheRemoteAreLeftOut) {
  make_repository();
  for (const auto& [url, shown] :
       std::map<std::string, std::string>{{"https://user:dummy@host/x.git", "https://host/x.git"},
                                          {"https://dummy-token@host/x.git", "https://host/x.git"},
                                          {"ssh://git:dummy@host/x", "ssh://host/x"},
                                          {"ssh://git@host/x@y", "ssh://git@host/x@y"},
                                          {"https://host/a@b", "https://host/a@b"},
                                          {"git@host:x", "git@host:x"}}) {
    sh("git config remote.origin.url '" + url + "'");
    EXPECT_EQ(git_facts(project_).remote_url, shown);
  }
}

TEST_F(Facts, FoldersAreExcludedOnce) {
  make_repository();
  put(project_ / ".git/info/exclude", "mine");
  ASSERT_TRUE(exclude_from_git(project_).has_value());
  const std::string once = slurp(project_ / ".git/info/exclude");
  EXPECT_TRUE(once.starts_with("mine\n"));
  ASSERT_TRUE(exclude_from_git(project_).has_value());
  EXPECT_EQ(slurp(project_ / ".git/info/exclude"), once);
  put(project_ / ".agents/state/wave.db", "");
  put(project_ / ".agents/workspaces/r/s/f", "");
  put(project_ / ".agents/output/o", "");
  EXPECT_EQ(sh("git status --porcelain"), "");
  put(project_ / ".agents/pipelines/p.yaml", "");
  EXPECT_EQ(sh("git status --porcelain"), "?? .agents/");
}

TEST_F(Facts, ExcludedInASubfolderWithOddCharacters) {
  sh("git init -q -b main", base_);
  const fs::path odd = base_ / "a [b] *!#";
  put(odd / ".agents/state/wave.db", "");
  put(base_ / ".agents/state/other", "");
  ASSERT_TRUE(exclude_from_git(odd).has_value());
  EXPECT_EQ(sh("git status --porcelain", base_), "?? .agents/") << "only the project's own folders";
}

TEST_F(Facts, ExcludeIsWrittenWhereNoInfoFolderIs) {
  make_repository();
  fs::remove_all(project_ / ".git/info");
  ASSERT_TRUE(exclude_from_git(project_).has_value());
  EXPECT_NE(slurp(project_ / ".git/info/exclude").find("/.agents/state/"), std::string::npos);
}

}  // namespace
}  // namespace wave::workspace

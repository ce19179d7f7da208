#include "workspace/names.h"
#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

class Artifacts : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    make_repository();
    workspace_ = must(prepare(request(Kind::kPlain)));
  }
  Injection blob(const std::string& step, const std::string& name, const std::string& file,
                 const std::string& text) {
    const fs::path path = base_ / "blobs" / std::to_string(blobs_++);
    put(path, text);
    return {step, name, "", path, file, false};
  }
  Result<std::vector<CollectedFile>> collect_one(const std::string& path,
                                                 const std::string& fallback = "",
                                                 const std::string& type = "text") {
    return collect(workspace_, "build", {{"result", path, type, fallback}});
  }

  Prepared workspace_;
  int blobs_ = 0;
};

TEST_F(Artifacts, DependenciesArePlacedTwiceAndNamed) {
  const auto result = inject(workspace_, {blob("plan-it", "the plan", "plan.json", "{}")});
  ASSERT_TRUE(result.has_value()) << full_message(result.error());
  EXPECT_EQ(slurp(workspace_.root / ".agents/artifacts/plan-it/plan.json"), "{}");
  EXPECT_EQ(slurp(workspace_.root / ".agents/output/plan.json"), "{}");
  EXPECT_EQ(result->placed.at(0).path, ".agents/artifacts/plan-it/plan.json");
  const auto& environment = result->environment;
  EXPECT_EQ(environment.at("WAVE_DEPS_DIR"), workspace_.root / ".agents/artifacts");
  EXPECT_EQ(environment.at("WAVE_DEP_PLAN_IT_THE_PLAN"),
            workspace_.root / ".agents/artifacts/plan-it/plan.json");
  EXPECT_TRUE(result->warnings.empty());
}

TEST_F(Artifacts, TheyAreCopiesOfTheirOwn) {
  const Injection artifact = blob("a", "n", "f.txt", "before");
  ASSERT_TRUE(inject(workspace_, {artifact}).has_value());
  const fs::path alias = workspace_.root / ".agents/output/f.txt";
  EXPECT_FALSE(fs::is_symlink(alias));
  put(alias, "after");
  EXPECT_EQ(slurp(workspace_.root / ".agents/artifacts/a/f.txt"), "before");
  EXPECT_EQ(slurp(artifact.blob), "before");
}

TEST_F(Artifacts, ExplicitOnesGoWhereTheyAreAsked) {
  Injection artifact = blob("a", "n", "f.txt", "x");
  artifact.explicit_injection = true;
  artifact.as = "inputs/spec.md";
  ASSERT_TRUE(inject(workspace_, {artifact}).has_value());
  EXPECT_EQ(slurp(workspace_.root / ".agents/artifacts/inputs/spec.md"), "x");
  EXPECT_FALSE(fs::exists(workspace_.root / ".agents/output/f.txt"));
}

TEST_F(Artifacts, CollisionsAreSaid) {
  const auto result =
      inject(workspace_, {blob("a", "n", "f.txt", "first"), blob("b", "n", "f.txt", "second"),
                          blob("a_n", "x", "1", "3"), blob("a", "n_x", "2", "4")});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(slurp(workspace_.root / ".agents/output/f.txt"), "second");
  EXPECT_EQ(slurp(workspace_.root / ".agents/artifacts/a/f.txt"), "first");
  ASSERT_EQ(result->warnings.size(), 2U);
  EXPECT_NE(result->warnings[0].find("a:n and b:n"), std::string::npos) << result->warnings[0];
  EXPECT_NE(result->warnings[1].find("WAVE_DEP_A_N_X"), std::string::npos) << result->warnings[1];
}

TEST_F(Artifacts, InjectingAgainGivesTheSame) {
  const std::vector<Injection> all{blob("a", "n", "f.txt", "x")};
  ASSERT_TRUE(inject(workspace_, all).has_value());
  const auto again = inject(workspace_, all);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->warnings.empty());
  EXPECT_EQ(sh("ls .agents/output .agents/artifacts/a -A", workspace_.root),
            ".agents/artifacts/a:\nf.txt\n\n.agents/output:\nf.txt");
}

TEST_F(Artifacts, A9_NamesCannotLeaveTheFolder) {
  ASSERT_TRUE(inject(workspace_, {blob("..", "n", "../../../evil", "x")}).has_value());
  EXPECT_FALSE(fs::exists(run_folder() / "evil"));
  EXPECT_EQ(slurp(workspace_.root / ".agents/artifacts/__/.._.._.._evil"), "x");
  Injection artifact = blob("a", "n", "f", "x");
  artifact.explicit_injection = true;
  for (const char* as : {"../x", "a/../../x", "/etc/x"}) {
    artifact.as = as;
    EXPECT_EQ(inject(workspace_, {artifact}).error().code, Code::kPathEscape) << as;
  }
}

TEST_F(Artifacts, A9_LinksOfAnAgentDoNotLeadInjectionOut) {
  const fs::path outside = base_ / "outside";
  fs::create_directories(outside);
  fs::remove_all(workspace_.root / ".agents");
  fs::create_directory_symlink(outside, workspace_.root / ".agents");
  EXPECT_EQ(inject(workspace_, {blob("a", "n", "f", "x")}).error().code, Code::kPathEscape);
  fs::remove(workspace_.root / ".agents");
  put(outside / "victim", "v");
  fs::create_directories(workspace_.root / ".agents/artifacts/a");
  fs::create_symlink(outside / "victim", workspace_.root / ".agents/artifacts/a/f");
  ASSERT_TRUE(inject(workspace_, {blob("a", "n", "f", "x")}).has_value());
  EXPECT_EQ(slurp(outside / "victim"), "v");
  EXPECT_EQ(slurp(workspace_.root / ".agents/artifacts/a/f"), "x");
}

TEST_F(Artifacts, AMissingBlobNamesTheArtifact) {
  const auto result = inject(workspace_, {{"a", "n", "", base_ / "none", "f", false}});
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("a:n"), std::string::npos);
}

TEST_F(Artifacts, OutputsAreCollectedAndArchived) {
  put(workspace_.root / "out dir/ä.json", "{}");
  const auto files = collect_one("out dir/ä.json", "unused", "json");
  ASSERT_TRUE(files.has_value()) << full_message(files.error());
  EXPECT_FALSE(files->at(0).missing);
  EXPECT_EQ(files->at(0).path, workspace_.root / "out dir/ä.json");
  EXPECT_EQ(slurp(workspace_.root / ".agents/artifacts/build/result.json"), "{}");
}

TEST_F(Artifacts, TheWorkingFolderComesFirst) {
  Prepared mounted = workspace_;
  mounted.cwd = workspace_.root / "project";
  put(mounted.cwd / "r.txt", "in cwd");
  put(mounted.root / "r.txt", "in root");
  put(mounted.root / "only.txt", "in root");
  const auto files =
      collect(mounted, "s", {{"a", "r.txt", "text", ""}, {"b", "only.txt", "text", ""}});
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(files->at(0).path, mounted.cwd / "r.txt");
  EXPECT_EQ(files->at(1).path, mounted.root / "only.txt");
}

TEST_F(Artifacts, FallbackTextFillsOnlyWhatIsMissing) {
  const auto missing = collect_one("r.txt");
  EXPECT_TRUE(missing->at(0).missing);
  const auto filled = collect_one("deep/r.txt", "said");
  ASSERT_TRUE(filled.has_value()) << full_message(filled.error());
  EXPECT_FALSE(filled->at(0).missing);
  EXPECT_EQ(slurp(workspace_.root / "deep/r.txt"), "said");
  put(workspace_.root / "deep/r.txt", "written");
  EXPECT_EQ(slurp(collect_one("deep/r.txt", "said")->at(0).path), "written");
}

TEST_F(Artifacts, OutputWithoutAPathIsTheText) {
  const auto files = collect_one("", "printed");
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(files->at(0).path, workspace_.root / ".agents/artifacts/build/result");
  EXPECT_EQ(slurp(files->at(0).path), "printed");
  EXPECT_TRUE(collect_one("")->at(0).missing);
}

TEST_F(Artifacts, A9_OutputsCannotBeReadFromOutside) {
  put(base_ / "secret", "s");
  fs::create_symlink(base_ / "secret", workspace_.root / "link");
  fs::create_directory_symlink(base_, workspace_.root / "dir");
  for (const char* path : {"link", "dir/secret", "../build/link", "/etc/passwd"}) {
    const auto files = collect_one(path);
    ASSERT_FALSE(files.has_value()) << path;
    EXPECT_EQ(files.error().code, Code::kPathEscape) << path;
  }
  EXPECT_EQ(collect_one("dir/new", "text").error().code, Code::kPathEscape);
  EXPECT_FALSE(fs::exists(base_ / "new"));
}

TEST_F(Artifacts, OnlyRegularFilesOfBoundedSize) {
  fs::create_directories(workspace_.root / "folder");
  EXPECT_EQ(collect_one("folder").error().code, Code::kConflict);
  sh("mkfifo pipe && truncate -s 257M big", workspace_.root);
  EXPECT_EQ(collect_one("pipe").error().code, Code::kConflict);
  EXPECT_EQ(collect_one("big").error().code, Code::kLimit);
}

TEST_F(Artifacts, StaleOutputsAreCleared) {
  put(workspace_.root / "r.txt", "old");
  put(workspace_.root / "keep.txt", "old");
  ASSERT_TRUE(clear_outputs(workspace_, {{"a", "r.txt", "", ""}, {"b", "none/x", "", ""}}));
  EXPECT_FALSE(fs::exists(workspace_.root / "r.txt"));
  EXPECT_TRUE(fs::exists(workspace_.root / "keep.txt"));
}

TEST_F(Artifacts, A9_ClearingStaysInside) {
  put(base_ / "outside/r.txt", "old");
  fs::create_directory_symlink(base_ / "outside", workspace_.root / "dir");
  EXPECT_EQ(clear_outputs(workspace_, {{"a", "dir/r.txt", "", ""}}).error().code,
            Code::kPathEscape);
  EXPECT_EQ(clear_outputs(workspace_, {{"a", "../r.txt", "", ""}}).error().code, Code::kPathEscape);
  EXPECT_TRUE(fs::exists(base_ / "outside/r.txt"));
}

TEST_F(Artifacts, TrackedFilesOfAWorktreeAreNotCleared) {
  const Prepared worktree = must(prepare(request(Kind::kWorktree, "w")));
  put(worktree.root / "new.txt", "untracked");
  ASSERT_TRUE(clear_outputs(worktree, {{"a", "a.txt", "", ""}, {"b", "new.txt", "", ""}}));
  EXPECT_EQ(slurp(worktree.root / "a.txt"), "one\n");
  EXPECT_FALSE(fs::exists(worktree.root / "new.txt"));
}

TEST(ArtifactNames, AreSafe) {
  EXPECT_EQ(safe_component("a/b"), "a_b");
  EXPECT_EQ(safe_component(""), "artifact");
  EXPECT_EQ(safe_component(".."), "__");
  EXPECT_EQ(safe_component("ü b.txt"), "ü b.txt");
  EXPECT_LE(safe_component(std::string(500, 'x')).size(), 200U);
  EXPECT_EQ(dependency_variable("fetch-pr", "pr.context"), "WAVE_DEP_FETCH_PR_PR_CONTEXT");
  EXPECT_EQ(archive_name("x", "json"), "x.json");
  EXPECT_EQ(archive_name("x.json", "json"), "x.json");
  EXPECT_EQ(archive_name("x", "markdown"), "x");
}

}  // namespace
}  // namespace wave::workspace

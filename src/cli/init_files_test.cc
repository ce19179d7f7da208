#include "cli/init_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/adhoc.h"
#include "cli/plan.h"
#include "cli/start_run.h"
#include "flow/program.h"
#include "model/project.h"

namespace wave::cli {
namespace {

using ::testing::HasSubstr;

model::MemorySource source_of(const InitFacts& facts) {
  std::map<std::string, std::string> files;
  for (const InitFile& file : init_files(facts)) files[file.path] = file.text;
  return model::MemorySource(std::move(files));
}

std::string all_of(const model::Diagnostics& diagnostics) {
  std::string text;
  for (const model::Diagnostic& diagnostic : diagnostics) text += to_text(diagnostic) + "\n";
  return text;
}

TEST(ProjectDetect, TheSpecialWinsOverTheGeneral) {
  EXPECT_EQ(detect_flavour({"Makefile", "go.mod"})->name, "go");
  EXPECT_EQ(detect_flavour({"package.json", "pnpm-lock.yaml"})->name, "node-pnpm");
  EXPECT_EQ(detect_flavour({"package.json", "tsconfig.json"})->name, "node");
  EXPECT_EQ(detect_flavour({"App.csproj"})->name, "csharp");
  EXPECT_EQ(detect_flavour({"CMakeLists.txt", "Makefile"})->language, "cpp");
  EXPECT_EQ(detect_flavour({"Makefile"})->test, "make test");
  EXPECT_EQ(detect_flavour({"README.md"}), nullptr);
  EXPECT_EQ(detect_flavour({}), nullptr);
}

TEST(Init, WhatItWritesValidates) {
  const Flavour* rust = detect_flavour({"Cargo.toml"});
  for (const std::string adapter : {"claude", "scripted"}) {
    for (const Flavour* flavour : {rust, static_cast<const Flavour*>(nullptr)}) {
      const model::MemorySource files =
          source_of({.name = "odd: \"name\" #1", .flavour = flavour, .adapter = adapter});
      const model::Diagnostics diagnostics = model::validate_project(files);
      EXPECT_TRUE(diagnostics.empty()) << adapter << "\n" << all_of(diagnostics);
      EXPECT_EQ(model::load_manifest(files).value.name, "odd: \"name\" #1");
    }
  }
}

TEST(Init, EveryFlavourValidates) {
  for (const char* marker :
       {"go.mod", "Cargo.toml", "package.json", "pyproject.toml", "pom.xml", "CMakeLists.txt",
        "build.zig", "tsconfig.json", "compose.yaml", "Makefile", "mix.exs", "Gemfile"}) {
    const model::MemorySource files =
        source_of({.name = "x", .flavour = detect_flavour({marker}), .adapter = "claude"});
    const model::Diagnostics diagnostics = model::validate_project(files);
    EXPECT_FALSE(model::has_errors(diagnostics)) << marker << "\n" << all_of(diagnostics);
  }
}

TEST(Init, ScriptedProjectsHaveAScriptForEveryStep) {
  const InitFacts facts{.name = "x", .flavour = nullptr, .adapter = "scripted"};
  const model::MemorySource files = source_of(facts);
  for (const std::string& name : model::pipeline_names(files)) {
    const auto project = model::load_project(files, name);
    ASSERT_TRUE(project.ok());
    for (const model::Step& step : project.value.pipeline.steps) {
      const bool own = files.read(".agents/scripts/" + step.id + ".yaml").has_value();
      const bool persona =
          files.read(".agents/scripts/" + step.persona.literal() + ".yaml").has_value();
      EXPECT_TRUE(own || persona) << name << "/" << step.id;
    }
  }
}

TEST(Adhoc, ThePipelineOfDoValidates) {
  const Flavour* go = detect_flavour({"go.mod"});
  for (const Flavour* flavour : {go, static_cast<const Flavour*>(nullptr)}) {
    const model::MemorySource files =
        source_of({.name = "x", .flavour = flavour, .adapter = "claude"});
    const auto manifest = model::load_manifest(files);
    ASSERT_TRUE(manifest.ok());
    const auto adhoc = adhoc_pipeline(manifest.value, "");
    ASSERT_TRUE(adhoc.has_value());
    const model::OverlaySource overlay(files, {{adhoc->path, adhoc->yaml}});
    const auto project = model::load_project(overlay, adhoc->path);
    EXPECT_TRUE(project.diagnostics.empty()) << all_of(project.diagnostics);
    EXPECT_EQ(adhoc->yaml.find("{{ project.test_command }}") != std::string::npos,
              flavour != nullptr)
        << "the contract is the project's own test command, where there is one";
  }
}

TEST(Adhoc, AnUnknownPersonaIsAUsageError) {
  const auto manifest =
      model::load_manifest(source_of({.name = "x", .flavour = nullptr, .adapter = "claude"}));
  const auto adhoc = adhoc_pipeline(manifest.value, "craftman");
  ASSERT_FALSE(adhoc.has_value());
  EXPECT_EQ(adhoc.error().code, Code::kUsage);
  EXPECT_THAT(adhoc.error().hint, HasSubstr("craftsman"));
}

TEST(Adhoc, QuotingIsYaml) {
  EXPECT_EQ(yaml_quoted("a\"b\\c\nd\x01"), "\"a\\\"b\\\\c\\nd\\x01\"");
}

TEST(Plan, ShowsWavesAndWhatIsLeftOut) {
  const model::MemorySource files =
      source_of({.name = "x", .flavour = detect_flavour({"go.mod"}), .adapter = "claude"});
  auto project = model::load_project(files, "implement");
  ASSERT_TRUE(project.ok());
  const flow::Program program(std::move(project.value));
  flow::RunOptions options;
  options.exclude = {"implement"};
  const auto plan = flow::make_plan(program, options);
  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->waves.size(), 2u);
  EXPECT_EQ(plan->waves[0][0].id, "plan");
  EXPECT_EQ(plan->waves[0][0].adapter, "claude");
  EXPECT_EQ(plan->waves[1][0].left_out, "excluded");
  EXPECT_EQ(plan->on_demand[0].id, "repair");
  EXPECT_THAT(plan_text(*plan), HasSubstr("left out: excluded"));
  options.exclude = {"implemet"};
  const auto typo = flow::make_plan(program, options);
  ASSERT_FALSE(typo.has_value());
  EXPECT_THAT(typo.error().hint, HasSubstr("implement"));
}

}  // namespace
}  // namespace wave::cli

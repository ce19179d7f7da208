// The pipelines of a real project, loaded unchanged.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "model/project.h"

namespace wave::model {
namespace {

// The folder with foreign data, or nothing where it is absent.
std::optional<std::filesystem::path> shared_path(const std::string& below) {
  const char* wanted = std::getenv("WAVE_SHARED");
  const std::filesystem::path root =
      wanted != nullptr ? std::filesystem::path(wanted)
                        : std::filesystem::path(__FILE__).parent_path() / "../../../shared";
  const std::filesystem::path path = root / below;
  if (std::filesystem::exists(path)) return path;
  return std::nullopt;
}

std::string texts_of(const Diagnostics& diagnostics, Severity severity) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == severity) text += to_text(diagnostic) + "\n";
  }
  return text;
}

class Corpus : public testing::Test {
 protected:
  void SetUp() override {
    root_ = shared_path("corpus/wave");
    if (root_) return;
    ASSERT_EQ(std::getenv("CI"), nullptr) << "the corpus of pipelines is missing; set WAVE_SHARED";
    GTEST_SKIP() << "the corpus of pipelines is not there; set WAVE_SHARED";
  }
  std::optional<std::filesystem::path> root_;
};

TEST_F(Corpus, ValidatesWithoutErrors) {
  const DiskSource files(*root_);
  const Diagnostics diagnostics = validate_project(files);
  EXPECT_EQ(texts_of(diagnostics, Severity::kError), "");
  if (std::getenv("WAVE_SHOW") != nullptr) {
    puts(texts_of(diagnostics, Severity::kUnsupported).c_str());
    puts(texts_of(diagnostics, Severity::kWarning).c_str());
  }
}

TEST_F(Corpus, EveryPipelineLoadsByName) {
  const DiskSource files(*root_);
  const std::vector<std::string> names = pipeline_names(files);
  EXPECT_GE(names.size(), 26U);
  for (const std::string& name : names) {
    const Loaded<Project> loaded = load_project(files, name);
    EXPECT_TRUE(loaded.ok()) << name << "\n" << texts_of(loaded.diagnostics, Severity::kError);
    EXPECT_EQ(loaded.value.pipeline.name, name);
    EXPECT_FALSE(loaded.value.pipeline.steps.empty());
    if (std::getenv("WAVE_SHOW") != nullptr && !has_unsupported(loaded.diagnostics)) {
      printf("runnable: %s\n", name.c_str());
    }
  }
}

TEST_F(Corpus, ARunLoadsAgainFromItsRecording) {
  const DiskSource files(*root_);
  for (const std::string& name : pipeline_names(files)) {
    const RecordingSource recording(files);
    const Loaded<Project> first = load_project(recording, name);
    const MemorySource snapshot(recording.files());
    const Loaded<Project> second = load_project(snapshot, name);
    EXPECT_TRUE(second.ok()) << texts_of(second.diagnostics, Severity::kError);
    EXPECT_EQ(first.value.pipeline.steps.size(), second.value.pipeline.steps.size());
    EXPECT_EQ(first.value.manifest.personas.size(), second.value.manifest.personas.size());
    EXPECT_EQ(first.value.children.size(), second.value.children.size());
    for (size_t i = 0; i < first.value.pipeline.steps.size(); ++i) {
      const Step& a = first.value.pipeline.steps[i];
      const Step& b = second.value.pipeline.steps[i];
      EXPECT_EQ(a.exec.source.parts, b.exec.source.parts);
      for (size_t c = 0; c < a.contracts.size(); ++c) {
        EXPECT_EQ(a.contracts[c].schema_text, b.contracts[c].schema_text);
        EXPECT_EQ(a.contracts[c].criteria_text, b.contracts[c].criteria_text);
      }
    }
  }
}

}  // namespace
}  // namespace wave::model

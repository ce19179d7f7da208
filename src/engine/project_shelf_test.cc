#include "engine/project_shelf.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"

namespace wave::engine {
namespace {

class ProjectShelfTest : public ::testing::Test {
 protected:
  ProjectShelfTest() {
    std::string name = (fs::temp_directory_path() / "wave-shelf-XXXXXX").native();
    root_ = ::mkdtemp(name.data());
    write("wave.yaml", "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: t}\n");
    write_pipeline("true");
    store_ = *store::open_store({.project = root_});
    shelf_ = std::make_unique<ProjectShelf>(store::StatePaths{root_}, *store_, clock_);
  }
  ~ProjectShelfTest() override {
    store_.reset();
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void write_pipeline(const std::string& script) {
    write(".agents/pipelines/p.yaml",
          "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n"
          "  - {id: a, type: command, script: \"" +
              script + "\"}\n");
  }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
    // As if it had lain there for a while.
    fs::last_write_time(root_ / path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  StoredProgram get() {
    auto got = shelf_->get({.pipeline = "p"});
    EXPECT_TRUE(got) << (got ? "" : full_message(got.error()));
    return got.value_or(StoredProgram());
  }
  /// Asks until what was just written counts as settled, and the same program comes again.
  bool is_kept() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      if (get().loaded == get().loaded) return true;
    }
    return false;
  }

  fs::path root_;
  SystemClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ProjectShelf> shelf_;
};

TEST_F(ProjectShelfTest, GivesTheSameProgramWhileNothingChanges) {
  EXPECT_TRUE(is_kept());
}

TEST_F(ProjectShelfTest, SeesAChangedFile) {
  ASSERT_TRUE(is_kept());
  const StoredProgram before = get();
  write_pipeline("false");  // an hour old, like the one before: its inode's change time tells
  const StoredProgram after = get();
  EXPECT_NE(after.snapshot, before.snapshot);
  EXPECT_EQ(after.loaded->snapshot.files.at(".agents/pipelines/p.yaml").contains("false"), true);
}

TEST_F(ProjectShelfTest, SeesAFileThatWasLookedForAndHasCome) {
  write(".agents/pipelines/p.yaml",
        "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n"
        "  - {id: a, type: command, script: \"true\"}\n");
  ASSERT_TRUE(is_kept());
  const StoredProgram before = get();
  fs::remove(root_ / "wave.yaml");
  const auto gone = shelf_->get({.pipeline = "p"});
  if (gone) {
    EXPECT_NE(gone->snapshot, before.snapshot);
  }
  write("wave.yaml", "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: other}\n");
  EXPECT_NE(get().snapshot, before.snapshot);
}

TEST_F(ProjectShelfTest, StoresAgainWhatWasDropped) {
  ASSERT_TRUE(is_kept());
  const StoredProgram before = get();
  fs::remove(store_->blob_path(before.snapshot));
  shelf_->drop(before.snapshot);
  const StoredProgram after = get();
  EXPECT_EQ(after.snapshot, before.snapshot);
  EXPECT_TRUE(fs::exists(store_->blob_path(after.snapshot)));
}

}  // namespace
}  // namespace wave::engine

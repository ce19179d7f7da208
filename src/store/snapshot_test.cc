#include "store/snapshot.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/hash.h"
#include "store/test_support.h"

namespace wave::store {
namespace {

class Snapshots : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_store(project_.paths());
    ASSERT_OK(opened);
    store_ = std::move(*opened);
    snapshot_.manifest_path = "wave.yaml";
    snapshot_.pipeline = "review";
    snapshot_.files = {{"wave.yaml", "a: 1"}, {"prompts/p.md", "do it"}, {"empty", ""}};
    snapshot_.facts = {{"forge", "github"}, {"branch", "main"}};
  }

  TemporaryProject project_;
  std::unique_ptr<Store> store_;
  Snapshot snapshot_;
};

TEST_F(Snapshots, Q7_GiveBackEveryByte) {
  const auto sha256 = save_snapshot(*store_, snapshot_);
  ASSERT_OK(sha256);
  const auto loaded = load_snapshot(*store_, *sha256);
  ASSERT_OK(loaded);
  EXPECT_EQ(loaded->manifest_path, "wave.yaml");
  EXPECT_EQ(loaded->pipeline, "review");
  EXPECT_EQ(loaded->files, snapshot_.files);
  EXPECT_EQ(loaded->facts, snapshot_.facts);
  EXPECT_EQ(save_snapshot(*store_, snapshot_).value(), *sha256) << "same content, same hash";
}

TEST_F(Snapshots, Q7_ChangedBytesAreFound) {
  const auto sha256 = save_snapshot(*store_, snapshot_);
  ASSERT_OK(sha256);
  ASSERT_OK(write_file(store_->blob_path(sha256_hex("do it")), "do bad"));
  EXPECT_FAILS(load_snapshot(*store_, *sha256), Code::kStore);
}

TEST_F(Snapshots, Q7_RunNeedsItsWholeSnapshot) {
  const auto sha256 = save_snapshot(*store_, snapshot_);
  ASSERT_OK(sha256);
  NewRun run = new_run("r-1");
  run.snapshot = *sha256;
  std::filesystem::remove(store_->blob_path(sha256_hex("do it")));
  EXPECT_FAILS(store_->create_run(run), Code::kNotFound);
  EXPECT_FAILS(store_->run("r-1"), Code::kNotFound);
  ASSERT_OK(save_snapshot(*store_, snapshot_));
  EXPECT_OK(store_->create_run(run));
  EXPECT_EQ(store_->run("r-1")->snapshot, *sha256);
  run = new_run("r-2");
  run.snapshot = sha256_hex("none");
  EXPECT_FAILS(store_->create_run(run), Code::kNotFound);
}

TEST_F(Snapshots, O7_StayWhileARunNeedsThem) {
  const auto sha256 = save_snapshot(*store_, snapshot_);
  ASSERT_OK(sha256);
  for (const char* id : {"r-1", "r-2"}) {
    NewRun run = new_run(id);
    run.snapshot = *sha256;
    ASSERT_OK(store_->create_run(run));
    ASSERT_OK(store_->append_and_wait(end_of(id, 2)));
  }
  for (const auto& entry : std::filesystem::directory_iterator(project_.paths().blobs())) {
    std::filesystem::last_write_time(
        entry, std::filesystem::file_time_type::clock::now() - std::chrono::hours(24));
  }
  ASSERT_OK(store_->prune_run("r-1"));
  EXPECT_OK(load_snapshot(*store_, *sha256));
  ASSERT_OK(store_->prune_run("r-2"));
  EXPECT_FAILS(load_snapshot(*store_, *sha256), Code::kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(project_.paths().blobs()));
}

TEST_F(Snapshots, GarbageIsRefused) {
  for (const char* bytes : {"", "[]", "{\"files\":{\"a\":1}}", "{"}) {
    const auto sha256 = store_->put_blob(bytes);
    ASSERT_OK(sha256);
    EXPECT_FALSE(load_snapshot(*store_, *sha256)) << bytes;
  }
  const auto newer = store_->put_blob("{\"v\":2}");
  EXPECT_FAILS(load_snapshot(*store_, *newer), Code::kStoreNewer);
}

}  // namespace
}  // namespace wave::store

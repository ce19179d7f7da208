// What pruning frees goes back to the file system.
#include <gtest/gtest.h>

#include "store/sqlite/database.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace wave::store::sqlite {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;

class Space : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open() {
    auto store = SqliteStore::open(project_.paths(), {}, {});
    EXPECT_OK(store);
    return std::move(store).value_or(nullptr);
  }
  /// A run that has ended, with a log of 4 MiB.
  static void add_large_run(Store& store, const std::string& run_id) {
    ASSERT_OK(store.create_run(new_run(run_id)));
    uint64_t seq = 2;
    for (int i = 0; i < 4; ++i) {
      std::vector<flow::Event> events;
      for (int k = 0; k < 1024; ++k) {
        events.push_back(event(run_id, seq++, flow::Kind::kStreamActivity, "build",
                               {{"text", std::string(1000, 'x')}}));
      }
      ASSERT_OK(store.append_and_wait(append_of(run_id, std::move(events))));
    }
    ASSERT_OK(store.append_and_wait(end_of(run_id, seq)));
  }
  [[nodiscard]] uint64_t size() const { return fs::file_size(project_.paths().database()); }

  TemporaryProject project_;
};

TEST_F(Space, PagesGoBackInPieces) {
  auto store = open();
  add_large_run(*store, "r-1");
  store.reset();  // into the database
  const uint64_t before = size();
  EXPECT_GT(before, 4 * kMegabyte);
  store = open();
  ASSERT_OK(store->prune_run("r-1"));
  EXPECT_GT(store->free_bytes().value_or(0), 3 * kMegabyte);
  ASSERT_OK(store->give_back_space({}));
  EXPECT_EQ(store->free_bytes().value_or(1), 0U);
  store.reset();
  EXPECT_LT(size(), kMegabyte);
}

TEST_F(Space, WhatAnInterruptedPruneLeftIsFinished) {
  auto store = open();
  add_large_run(*store, "r-1");
  std::stop_source stopped;
  stopped.request_stop();
  ASSERT_OK(store->prune_run("r-1", stopped.get_token()));
  ASSERT_OK(store->give_back_space({}));
  EXPECT_EQ(store->free_bytes().value_or(1), 0U);
  store.reset();
  EXPECT_LT(size(), kMegabyte);
}

TEST_F(Space, ADatabaseOfAnOlderWaveIsRewrittenOnce) {
  auto store = open();
  add_large_run(*store, "r-1");
  add_large_run(*store, "r-2");
  store.reset();
  {
    auto older = Database::open(project_.paths().database(), {});
    ASSERT_OK(older);
    ASSERT_OK((*older)->execute("PRAGMA auto_vacuum=NONE; VACUUM"));
  }
  store = open();
  ASSERT_OK(store->prune_run("r-1"));
  ASSERT_OK(store->give_back_space({}));
  EXPECT_GT(store->free_bytes().value_or(0), 3 * kMegabyte) << "it cannot, and does not hang";
  ASSERT_OK(store->compact());
  EXPECT_EQ(store->free_bytes().value_or(1), 0U);
  EXPECT_EQ(all_events(*store, "r-2").size(), 4 * 1024 + 2U);
  ASSERT_OK(store->prune_run("r-2"));
  ASSERT_OK(store->give_back_space({}));
  EXPECT_EQ(store->free_bytes().value_or(1), 0U);
  store.reset();
  EXPECT_LT(size(), kMegabyte);
}

}  // namespace
}  // namespace wave::store::sqlite

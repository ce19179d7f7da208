// What survives which failure, on a disk that forgets and fails.
#include <fmt/core.h>
#include <gmock/gmock.h>

#include <random>

#include "store/sqlite/testing/memory_disk.h"
#include "store/store.h"
#include "store/test_support.h"

namespace wave::store::sqlite {
namespace {

using sqlite::testing::DiskFault;
using sqlite::testing::DiskOperation;
using sqlite::testing::MemoryDisk;

class Durability : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open() {
    auto store = open_store(project_.paths(), {.vfs = disk_.name()});
    if (!store) throw std::runtime_error(full_message(store.error()));
    return std::move(*store);
  }

  MemoryDisk disk_{"durability"};
  TemporaryProject project_;
};

TEST_F(Durability, Q1_AcknowledgedRunSurvivesAPowerCut) {
  auto store = open();
  ASSERT_OK(store->create_run(new_run("r-1")));
  disk_.lose_power();
  store.reset();
  store = open();
  EXPECT_OK(store->run("r-1"));
  EXPECT_EQ(all_events(*store, "r-1").size(), 1U);
}

TEST_F(Durability, E1_PowerCutsTakeNothingAcknowledgedAndLeaveNoHole) {
  std::mt19937_64 random(20261123);
  constexpr int kRuns = 3;
  std::vector<uint64_t> acknowledged(kRuns, 1);
  {
    auto store = open();
    for (int r = 0; r < kRuns; ++r) ASSERT_OK(store->create_run(new_run(fmt::format("r-{}", r))));
  }
  for (int cut = 0; cut < 60; ++cut) {
    auto store = open();
    std::mutex mutex;
    std::vector<uint64_t> next(kRuns);
    for (int r = 0; r < kRuns; ++r) {
      const auto events = all_events(*store, fmt::format("r-{}", r));
      expect_no_hole(events);
      const std::scoped_lock lock(mutex);
      ASSERT_GE(events.size(), acknowledged[static_cast<size_t>(r)]) << "after cut " << cut;
      acknowledged[static_cast<size_t>(r)] = events.size();
      next[static_cast<size_t>(r)] = events.size() + 1;
    }
    Tally answered;
    const size_t appends = random() % 40;
    for (size_t i = 0; i < appends; ++i) {
      const auto r = static_cast<size_t>(random() % kRuns);
      const uint64_t seq = next[r]++;
      store->append(activity(fmt::format("r-{}", r), seq), [&, r, seq](Status status) {
        if (status) {
          const std::scoped_lock lock(mutex);
          acknowledged[r] = std::max(acknowledged[r], seq);
        }
        answered.add();
      });
    }
    // Somewhere in the middle of it, wherever the writer is.
    ASSERT_TRUE(answered.wait_for(appends == 0 ? 0 : random() % appends));
    if (cut % 2 == 0) {
      disk_.lose_power();
    } else {
      disk_.lose_power([&] { return random(); });
    }
    store.reset();  // the writer answers all that is left, with errors
  }
}

TEST_F(Durability, E11_KilledProcessTakesNothingAcknowledged) {
  auto store = open();
  ASSERT_OK(store->create_run(new_run("r-1")));
  for (uint64_t seq = 2; seq < 50; ++seq) {
    ASSERT_OK(store->append_and_wait(activity("r-1", seq)));
    disk_.kill_processes();
    EXPECT_FALSE(store->append_and_wait(activity("r-1", seq + 1)));
    store.reset();
    store = open();
    ASSERT_EQ(all_events(*store, "r-1").size(), seq);
  }
}

TEST_F(Durability, O3_FullDiskRefusesAndRecoversByItself) {
  auto store = open();
  ASSERT_OK(store->create_run(new_run("r-1")));
  disk_.inject({.operation = DiskOperation::kWrite, .code = SQLITE_FULL, .lasts = true});
  EXPECT_FAILS(store->create_run(new_run("r-2")), Code::kDiskFull);
  Append large = activity("r-1", 2);
  large.events[0].data["text"] = std::string(100'000, 'x');
  EXPECT_FAILS(store->append_and_wait(large), Code::kDiskFull);
  EXPECT_FAILS(store->run("r-2"), Code::kNotFound);
  EXPECT_EQ(all_events(*store, "r-1").size(), 1U);
  disk_.clear_faults();
  ASSERT_OK(store->append_and_wait(large));
  ASSERT_OK(store->create_run(new_run("r-2")));
  EXPECT_EQ(all_events(*store, "r-1").size(), 2U);
}

/// One fault at every write and every sync of an append in turn.
struct FaultCase {
  DiskOperation operation;
  int code;
  bool takes_effect;
  Code expected;
};

class Faults : public Durability, public ::testing::WithParamInterface<FaultCase> {};

TEST_P(Faults, O3_FailedCommitIsNotAcknowledgedAndTheStoreGoesOn) {
  auto store = open();
  ASSERT_OK(store->create_run(new_run("r-1")));
  uint64_t next = 2;
  bool happened = true;
  for (int64_t after = 0; happened; ++after) {
    disk_.inject({.operation = GetParam().operation,
                  .code = GetParam().code,
                  .after = after,
                  .takes_effect = GetParam().takes_effect});
    Append append = append_of("r-1", {});
    for (int i = 0; i < 30; ++i) {
      append.events.push_back(event("r-1", next + static_cast<uint64_t>(i),
                                    flow::Kind::kStepStarted, "s",
                                    {{"text", std::string(500, 'x')}}));
    }
    const Status first = store->append_and_wait(append);
    happened = !first;
    if (!first) {
      EXPECT_EQ(code_name(first.error().code), code_name(GetParam().expected));
      EXPECT_EQ(all_events(*store, "r-1").size(), next - 1) << "half applied";
      ASSERT_OK(store->append_and_wait(append));
    }
    disk_.clear_faults();
    next += 30;
    expect_no_hole(all_events(*store, "r-1"));
    ASSERT_LT(after, 1000);
  }
  store.reset();
  disk_.lose_power();
  store = open();
  EXPECT_EQ(all_events(*store, "r-1").size(), next - 1);
}

INSTANTIATE_TEST_SUITE_P(
    All, Faults,
    ::testing::Values(FaultCase{DiskOperation::kWrite, SQLITE_FULL, false, Code::kDiskFull},
                      FaultCase{DiskOperation::kWrite, SQLITE_FULL, true, Code::kDiskFull},
                      FaultCase{DiskOperation::kWrite, SQLITE_IOERR_WRITE, false, Code::kStore},
                      FaultCase{DiskOperation::kWrite, SQLITE_IOERR_WRITE, true, Code::kStore},
                      FaultCase{DiskOperation::kSync, SQLITE_IOERR_FSYNC, false, Code::kStore},
                      FaultCase{DiskOperation::kSync, SQLITE_IOERR_FSYNC, true, Code::kStore}));

/// A crash right after a commit that only seemed to fail: the events may be there, whole and
/// without a hole, or not at all.
TEST_F(Durability, O3_CommitThatOnlySeemedToFailIsWholeOrNotThere) {
  for (int64_t after = 0; after < 12; ++after) {
    const std::string run_id = fmt::format("r-{}", after);
    auto store = open();
    ASSERT_OK(store->create_run(new_run(run_id)));
    disk_.inject({.operation = DiskOperation::kSync,
                  .code = SQLITE_IOERR_FSYNC,
                  .after = after,
                  .takes_effect = true});
    Append append = append_of(run_id, {});
    for (uint64_t seq = 2; seq < 12; ++seq) {
      append.events.push_back(event(run_id, seq, flow::Kind::kStepStarted, "s"));
    }
    (void)store->append_and_wait(append);
    disk_.lose_power();
    disk_.clear_faults();
    store.reset();
    store = open();
    const auto events = all_events(*store, run_id);
    expect_no_hole(events);
    EXPECT_TRUE(events.size() == 1 || events.size() == 11) << events.size();
  }
}

TEST_F(Durability, O4_PowerCutDuringCreationLeavesAStoreThatCanBeOpened) {
  for (int64_t after = 0; after < 30; ++after) {
    MemoryDisk disk(fmt::format("creation-{}", after));
    TemporaryProject project;
    disk.inject({.operation = DiskOperation::kSync, .code = SQLITE_IOERR_FSYNC, .after = after});
    auto first = open_store(project.paths(), {.vfs = disk.name()});
    disk.lose_power();
    disk.clear_faults();
    if (first) first->reset();
    auto second = open_store(project.paths(), {.vfs = disk.name()});
    ASSERT_OK(second);
    EXPECT_OK((*second)->create_run(new_run("r-1")));
  }
}

}  // namespace
}  // namespace wave::store::sqlite

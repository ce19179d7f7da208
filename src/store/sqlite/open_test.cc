#include "store/sqlite/open.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "store/owner_lock.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/testing/memory_disk.h"
#include "store/test_support.h"

namespace wave::store::sqlite {
namespace {

using ::testing::HasSubstr;

mode_t mode_of(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

/// Rules of a wave with one more version than ours.
struct NextVersion {
  explicit NextVersion(std::string_view sql)
      : migrations_(migrations().begin(), migrations().end()) {
    migrations_.push_back({newest_version({}) + 1, sql});
    rules.migrations = migrations_;
  }
  std::vector<Migration> migrations_;
  OpenRules rules;
};

constexpr std::string_view kAddTable =
    "CREATE TABLE added(value INTEGER); INSERT INTO added VALUES(7);";

class Opening : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Store>> open(const OpenOptions& options = {},
                                      const OpenRules& rules = {}) {
    return SqliteStore::open(project_.paths(), options, rules);
  }
  void create_with_run(const std::string& run_id) {
    auto store = open();
    ASSERT_OK(store);
    ASSERT_OK((*store)->create_run(new_run(run_id)));
  }

  TemporaryProject project_;
  StatePaths paths_ = project_.paths();
};

TEST_F(Opening, StateIsPrivate) {
  auto store = open();
  ASSERT_OK(store);
  ASSERT_OK((*store)->create_run(new_run("r-1")));
  ASSERT_OK((*store)->put_blob("x"));
  EXPECT_EQ(mode_of(paths_.state()), 0700U);
  EXPECT_EQ(mode_of(paths_.database()), 0600U);
  EXPECT_EQ(mode_of(paths_.database().native() + "-wal"), 0600U);
  EXPECT_EQ(mode_of(paths_.blobs()), 0700U);
  EXPECT_EQ(mode_of((*store)->blob_path(sha256_hex("x"))), 0600U);
}

TEST_F(Opening, ClosedDatabaseIsOneFile) {
  {
    auto store = open();
    ASSERT_OK(store);
    ASSERT_OK((*store)->create_run(new_run("r-1")));
    ASSERT_OK((*store)->run("r-1"));
  }
  EXPECT_FALSE(fs::exists(paths_.database().native() + "-wal"));
}

TEST_F(Opening, NothingThereIsNotFound) {
  const auto reading = open({.create = false, .read_only = true});
  EXPECT_FAILS(reading, Code::kNotFound);
  EXPECT_THAT(reading.error().hint, HasSubstr("wave run"));
  EXPECT_FAILS(open({.create = false}), Code::kNotFound);
  EXPECT_FALSE(fs::exists(paths_.state())) << "looking creates nothing";
  fs::create_directories(paths_.state());
  EXPECT_FAILS(open({.create = false, .read_only = true}), Code::kNotFound);
  EXPECT_FALSE(fs::exists(paths_.database()));
  EXPECT_FAILS(SqliteStore::open({project_.path() / "none"}, {}), Code::kNotFound);
}

TEST_F(Opening, ReadOnlyWorksWithoutAWriterAndRefusesToWrite) {
  create_with_run("r-1");
  auto reader = open({.create = false, .read_only = true});
  ASSERT_OK(reader);
  EXPECT_EQ((*reader)->list_runs({})->size(), 1U);
  EXPECT_FAILS((*reader)->create_run(new_run("r-2")), Code::kStore);
  EXPECT_FAILS((*reader)->append_and_wait(activity("r-1", 2)), Code::kStore);
  EXPECT_FAILS((*reader)->take_ownership("r-1"), Code::kStore);
  // It follows a writer that comes later.
  Tally heard;
  (*reader)->subscribe([&](const std::string& run_id, uint64_t) { heard.add(run_id); });
  auto writer = open();
  ASSERT_OK(writer);
  ASSERT_OK((*writer)->append_and_wait(activity("r-1", 2)));
  EXPECT_TRUE(heard.wait_for(1));
  EXPECT_EQ(all_events(**reader, "r-1").size(), 2U);
}

TEST_F(Opening, NetworkFileSystemIsRefused) {
  OpenRules rules;
  rules.is_network_filesystem = [](const fs::path&) { return true; };
  EXPECT_FAILS(open({}, rules), Code::kNetworkFilesystem);
  EXPECT_FALSE(fs::exists(paths_.database()));
}

TEST_F(Opening, ForeignDatabaseIsLeftAlone) {
  fs::create_directories(paths_.state());
  {
    auto foreign = Database::open(paths_.database(), {.create = true});
    ASSERT_OK(foreign);
    ASSERT_OK((*foreign)->execute("CREATE TABLE theirs(x); PRAGMA user_version=1"));
  }
  const std::string before = read_file(paths_.database(), 1 << 20).value();
  EXPECT_FAILS(open(), Code::kStore);
  EXPECT_EQ(read_file(paths_.database(), 1 << 20).value(), before);
  ASSERT_OK(write_file(paths_.database(), std::string(8192, 'x')));
  EXPECT_FAILS(open(), Code::kStore);
}

TEST_F(Opening, O4_NewerDatabaseIsRefusedUndamaged) {
  NextVersion next(kAddTable);
  create_with_run("r-1");
  {
    auto store = open({}, next.rules);
    ASSERT_OK(store);
    ASSERT_OK((*store)->append_and_wait(activity("r-1", 2)));
  }
  const std::string before = read_file(paths_.database(), 16 << 20).value();
  for (const bool read_only : {false, true}) {
    EXPECT_FAILS(open({.create = !read_only, .read_only = read_only}), Code::kStoreNewer);
  }
  EXPECT_EQ(read_file(paths_.database(), 16 << 20).value(), before);
  auto store = open({}, next.rules);
  ASSERT_OK(store);
  EXPECT_EQ(all_events(**store, "r-1").size(), 2U);
}

TEST_F(Opening, O4_NewerDatabaseWithAnOpenWriterIsRefusedUndamaged) {
  NextVersion next(kAddTable);
  auto newer = open({}, next.rules);
  ASSERT_OK(newer);
  ASSERT_OK((*newer)->create_run(new_run("r-1")));
  EXPECT_FAILS(open(), Code::kStoreNewer);
  ASSERT_OK((*newer)->append_and_wait(activity("r-1", 2)));
}

TEST_F(Opening, O4_MigratesAfterABackup) {
  create_with_run("r-1");
  NextVersion next(kAddTable);
  {
    auto store = open({}, next.rules);
    ASSERT_OK(store);
    EXPECT_EQ((*store)->run("r-1")->row.run_id, "r-1");
    ASSERT_OK((*store)->create_run(new_run("r-2")));
  }
  const fs::path backup = paths_.database().native() + ".bak-" + std::to_string(newest_version({}));
  EXPECT_EQ(mode_of(backup), 0600U);
  fs::remove(paths_.database());
  fs::rename(backup, paths_.database());
  auto old = open();
  ASSERT_OK(old);
  EXPECT_EQ((*old)->list_runs({})->size(), 1U);
}

TEST_F(Opening, O4_AMigrationLeavesNoLogBehind) {
  {
    auto store = open();
    ASSERT_OK(store);
    ASSERT_OK((*store)->create_run(new_run("r-1")));
    for (uint64_t seq = 2; seq < 300; ++seq) {
      ASSERT_OK((*store)->append_and_wait(
          append_of("r-1", {event("r-1", seq, flow::Kind::kStreamActivity, "build",
                                  {{"text", std::string(20'000, 'x')}})})));
    }
  }
  NextVersion next("UPDATE event SET line = line || ' '");
  auto store = open({}, next.rules);
  ASSERT_OK(store);
  std::error_code missing;
  const auto size_of = [&](const std::string& suffix) -> uintmax_t {
    const fs::path path = paths_.database().native() + suffix;
    return fs::exists(path) ? fs::file_size(path, missing) : 0;
  };
  EXPECT_LT(size_of("-wal"), 1u << 20) << "of a database of " << size_of("");
  const std::string backup = ".bak-" + std::to_string(newest_version({}));
  EXPECT_GT(size_of(backup), 1u << 20);
  EXPECT_EQ(size_of(backup + "-wal"), 0u);
  EXPECT_FALSE(fs::exists(paths_.database().native() + backup + "-shm"));
}

TEST_F(Opening, O4_GatesOfOlderVersionsMayBeAnsweredByEverybody) {
  {
    OpenRules older;
    older.migrations = migrations().first(4);
    ASSERT_OK(open({}, older));
    auto database = Database::open(paths_.database(), {});
    ASSERT_OK(database);
    ASSERT_OK((*database)->execute(
        "INSERT INTO run VALUES(1,'r-1',0,'p','ann','','',0,0,'waiting',0,'gate','','','',0,0,NULL,"
        "0,1,0,0,0,0,0,0);"
        "INSERT INTO run_start VALUES(1,'','{}');"
        "INSERT INTO gate VALUES(1,'ask.1',1,'ask','approval','Well?','[]',0,'',0,'','','','','',"
        "5,NULL,NULL)"));
  }
  auto store = open();
  ASSERT_OK(store);
  const auto waiting = (*store)->waiting_gates();
  ASSERT_OK(waiting);
  ASSERT_EQ(waiting->size(), 1U);
  EXPECT_EQ(waiting->front().second.prompt, "Well?");
  EXPECT_TRUE(waiting->front().second.approvers.empty());
  EXPECT_FALSE(waiting->front().second.forbid_self_approval);
}

TEST_F(Opening, O4_FailedMigrationChangesNothing) {
  create_with_run("r-1");
  NextVersion broken("CREATE TABLE added(value INTEGER); INSERT INTO missing VALUES(1);");
  EXPECT_FAILS(open({}, broken.rules), Code::kStore);
  {
    auto old = open();
    ASSERT_OK(old);
    EXPECT_EQ((*old)->run("r-1")->row.run_id, "r-1");
  }
  auto database = Database::open(paths_.database(), {});
  EXPECT_EQ((*database)->integer("SELECT count(*) FROM sqlite_schema WHERE name = 'added'").value(),
            0);
  NextVersion next(kAddTable);
  EXPECT_OK(open({}, next.rules));
}

TEST_F(Opening, O4_MigrationWaitsForOwners) {
  create_with_run("r-1");
  NextVersion next(kAddTable);
  {
    const auto owner = OwnerLock::acquire(paths_, "r-1");
    ASSERT_OK(owner);
    const auto refused = open({}, next.rules);
    EXPECT_FAILS(refused, Code::kStoreBusy);
    EXPECT_THAT(refused.error().message, HasSubstr("r-1"));
    EXPECT_OK(open());  // no migration, no waiting
  }
  EXPECT_OK(open({}, next.rules));
}

TEST_F(Opening, O4_ReadOnlyDoesNotMigrate) {
  create_with_run("r-1");
  NextVersion next(kAddTable);
  const auto refused = open({.create = false, .read_only = true}, next.rules);
  EXPECT_FAILS(refused, Code::kStore);
  EXPECT_THAT(refused.error().hint, HasSubstr("migrates"));
}

TEST_F(Opening, O4_OldWriterStopsWhenTheDatabaseIsMigratedUnderIt) {
  auto old = open();
  ASSERT_OK(old);
  ASSERT_OK((*old)->create_run(new_run("r-1")));
  NextVersion next(kAddTable);
  auto newer = open({}, next.rules);
  ASSERT_OK(newer);
  EXPECT_FAILS((*old)->append_and_wait(activity("r-1", 2)), Code::kStoreNewer);
  ASSERT_OK((*newer)->append_and_wait(activity("r-1", 2)));
}

TEST_F(Opening, O5_ReadsTheSameHoweverLongTheHistory) {
  sqlite::testing::MemoryDisk disk("opening");
  const OpenOptions options{.vfs = disk.name()};
  const auto reads_to_open = [&] {
    const int64_t before = disk.reads();
    EXPECT_OK(open(options));
    return disk.reads() - before;
  };
  ASSERT_OK(open(options));
  const int64_t empty = reads_to_open();
  {
    auto store = open(options);
    ASSERT_OK(store);
    for (int run = 0; run < 200; ++run) {
      const std::string id = fmt::format("r-{}", run);
      ASSERT_OK((*store)->create_run(new_run(id)));
      Append many = append_of(id, {});
      for (uint64_t seq = 2; seq < 200; ++seq) {
        many.events.push_back(event(id, seq, flow::Kind::kStreamActivity, "build"));
      }
      ASSERT_OK((*store)->append_and_wait(many));
    }
  }
  // The tree's depth may add a page or two.
  EXPECT_LE(reads_to_open(), empty + 4);
}

}  // namespace
}  // namespace wave::store::sqlite

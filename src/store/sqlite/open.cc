#include "store/sqlite/open.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/statvfs.h>

#include <chrono>
#include <thread>

#include "base/file_lock.h"
#include "base/stop_gate.h"
#include "base/text.h"
#include "store/owner_lock.h"
#include "store/server_lock.h"

namespace wave::store::sqlite {
namespace {

constexpr int kWriterCacheKib = 16 * 1024;
constexpr Millis kMigrationDeadline{30'000};
constexpr Millis kLookForVersion{20};
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

Error no_store(const StatePaths& paths) {
  return {Code::kNotFound, fmt::format("there is no wave state in {}", paths.project.native()),
          "run `wave run` first, or change to the project's folder"};
}

Status prepare_folder(const StatePaths& paths, const OpenOptions& options, const OpenRules& rules) {
  std::error_code ignored;
  const bool creating = options.create && !options.read_only;
  if (!fs::is_directory(paths.project, ignored)) return fail(no_store(paths));
  if (creating) {
    WAVE_CHECK(make_directories(paths.state().parent_path()));
    WAVE_CHECK(make_directories(paths.state(), kFolderMode));
  } else if (!fs::is_directory(paths.state(), ignored)) {
    return fail(no_store(paths));
  }
  const bool network = rules.is_network_filesystem ? rules.is_network_filesystem(paths.state())
                                                   : is_network_filesystem(paths.state());
  if (!network) return {};
  return fail(Code::kNetworkFilesystem,
              fmt::format("{} lies on a network file system, which cannot keep a database safe",
                          paths.state().native()),
              "use a project folder on a local disk");
}

/// Whether nobody can write beside the database, and all of it is in one file. SQLite would need to
/// create files to read it, unless it is told so.
bool cannot_change(const StatePaths& paths) {
  struct statvfs facts{};
  if (::statvfs(paths.state().c_str(), &facts) != 0 || (facts.f_flag & ST_RDONLY) == 0)
    return false;
  std::error_code error;
  const uintmax_t wal = fs::file_size(paths.database().native() + "-wal", error);
  return error || wal == 0;
}

/// SQLite's own bound on the path of a database, with what it appends for its other files.
constexpr size_t kLongestPath = 512 - sizeof "-journal";

Status check_path(const StatePaths& paths) {
  const size_t length = paths.database().native().size();
  if (length <= kLongestPath) return {};
  return fail(Code::kUsage,
              fmt::format("the path of the database has {} bytes, and at most {} can be used: {}",
                          length, kLongestPath, excerpt(paths.database().native(), 200)),
              "move the project to a folder with a shorter path, or name one with --db FILE");
}

/// Files of a test's VFS are not in the file system.
bool is_real_file(const OpenOptions& options) {
  return options.vfs.empty();
}

/// SQLite would give a new file the umask's mode; its -wal and -shm copy the database's.
Status create_private_file(const fs::path& path, const OpenOptions& options) {
  if (!is_real_file(options)) return {};
  WAVE_TRY(const UniqueFd file, open_file(path, O_RDWR | O_CREAT, kFileMode));
  return {};
}

struct Version {
  int64_t application_id = 0;
  int64_t schema = 0;
  bool empty = true;
};

Result<Version> read_version(Database& database) {
  Version version;
  WAVE_TRY(version.application_id, database.integer("PRAGMA application_id"));
  WAVE_TRY(version.schema, database.integer("PRAGMA user_version"));
  if (version.application_id == kApplicationId && version.schema > 0) {
    version.empty = false;
    return version;
  }
  WAVE_TRY(const int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  version.empty = tables == 0 && version.schema == 0 && version.application_id == 0;
  return version;
}

/// Refuses what is not ours to touch, without changing a byte of it.
Status check_version(Database& database, const Version& version, int newest, const fs::path& path) {
  const auto leave_alone = [&] {
    sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  };
  if (!version.empty && version.application_id != kApplicationId) {
    leave_alone();
    return fail(Code::kStore, fmt::format("{} is not a database of wave", path.native()),
                "move the file away, or restore wave's own from a backup");
  }
  if (version.schema > newest) {
    leave_alone();
    return fail(Code::kStoreNewer,
                fmt::format("{} was written by a newer wave (version {}, this one knows {})",
                            path.native(), version.schema, newest),
                "install that version of wave, or restore a backup (wave.db.bak-*)");
  }
  return {};
}

/// One process creates or migrates at a time. SQLite's own lock is not enough: switching to WAL
/// happens outside of a transaction.
Result<UniqueFd> lock_for_migration(const StatePaths& paths) {
  WAVE_TRY(UniqueFd file, open_file(paths.state() / "migrate.lock", O_RDWR | O_CREAT, kFileMode));
  const fs::path path = paths.state() / "migrate.lock";
  if (auto locked = lock_exclusively(file, kMigrationDeadline, path); !locked) {
    if (locked.error().code != Code::kTimeout) return fail(locked.error());
    return fail(Code::kStoreBusy, "another process has been migrating the database for too long",
                "wait for it to end, then try again");
  }
  return file;
}

Status check_no_owner(const StatePaths& paths) {
  std::error_code error;
  for (fs::directory_iterator entry(paths.state() / "runs", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string run_id = entry->path().filename();
    if (!OwnerLock::is_held(paths, run_id)) continue;
    return fail(
        Code::kStoreBusy,
        fmt::format("the database has to be migrated, but run {} is being worked on", run_id),
        "wait for the run to end or stop it, then try again");
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(errno_error(error.value(), "cannot list the runs in", paths.state().native()));
  }
  return {};
}

/// Copies the database, with what is still in its WAL, to wave.db.bak-<version>.
Status back_up(Database& database, int64_t version, const StatePaths& paths,
               const OpenOptions& options) {
  const fs::path path = paths.database().native() + fmt::format(".bak-{}", version);
  WAVE_CHECK(create_private_file(path, options));
  ConnectionOptions target{.create = true, .vfs = options.vfs};
  WAVE_TRY(const std::unique_ptr<Database> copy, Database::open(path, target));
  sqlite3_backup* backup = sqlite3_backup_init(copy->handle(), "main", database.handle(), "main");
  if (backup == nullptr) {
    return fail(copy->error(sqlite3_errcode(copy->handle()), "cannot back up to " + path.native()));
  }
  const int step = sqlite3_backup_step(backup, -1);
  const int finish = sqlite3_backup_finish(backup);
  if (step != SQLITE_DONE || finish != SQLITE_OK) {
    return fail(copy->error(step != SQLITE_DONE ? step : finish,
                            "cannot back up the database to " + path.native()));
  }
  // A copy of a database in WAL mode is in WAL mode as well: it is to be one file.
  WAVE_CHECK(copy->execute("PRAGMA journal_mode=DELETE"));
  return is_real_file(options) ? sync_path(paths.state()) : Status{};
}

Status apply_migrations(Database& database, int64_t from, const OpenRules& rules) {
  WAVE_CHECK(database.execute("BEGIN IMMEDIATE"));
  const auto apply_all = [&]() -> Status {
    for (const Migration& migration : rules.migrations) {
      if (migration.to > from) WAVE_CHECK(database.execute(std::string(migration.sql)));
    }
    return database.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                                        kApplicationId, newest_version(rules)));
  };
  auto applied = apply_all();
  if (applied) return applied;
  if (database.in_transaction()) (void)database.execute("ROLLBACK");
  return fail(applied.error().wrapped("cannot migrate the database; it is unchanged"));
}

/// Where a server lives, it creates and migrates; what is left to others is to wait for it.
Result<bool> server_has_migrated(Database& database, const StatePaths& paths,
                                 const OpenRules& rules) {
  const auto end = std::chrono::steady_clock::now() + kMigrationDeadline;
  // Asked before the version is read: one that listens has migrated what it can.
  while (const auto server = living_server(paths)) {
    WAVE_TRY(const Version version, read_version(database));
    WAVE_CHECK(check_version(database, version, newest_version(rules), paths.database()));
    if (version.schema == newest_version(rules)) return true;
    if (!server->url.empty() || std::chrono::steady_clock::now() > end) {
      return fail(Code::kStoreBusy,
                  "the database has to be migrated, but a server of an older version runs",
                  "stop the server, start it with this version, then try again");
    }
    std::this_thread::sleep_for(kLookForVersion);
  }
  return false;
}

Status migrate(Database& database, const StatePaths& paths, const OpenOptions& options,
               const OpenRules& rules) {
  WriteTurn turn(paths);
  if (is_real_file(options) && !options.server) {
    while (true) {
      WAVE_TRY(const bool done, server_has_migrated(database, paths, rules));
      if (done) return {};
      WAVE_TRY(const bool mine, turn.take());
      if (mine) break;
    }
  }
  const NoStop no_stop;
  WAVE_TRY(const UniqueFd lock, lock_for_migration(paths));
  // Somebody else may have done it while we waited.
  WAVE_TRY(const Version version, read_version(database));
  WAVE_CHECK(check_version(database, version, newest_version(rules), paths.database()));
  if (version.schema == newest_version(rules)) return {};
  if (version.empty) {
    // Before the first table: later it takes a rewrite (Store::compact).
    WAVE_CHECK(database.execute("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL"));
  } else {
    WAVE_CHECK(check_no_owner(paths));
    WAVE_CHECK(back_up(database, version.schema, paths, options));
  }
  WAVE_CHECK(apply_migrations(database, version.schema, rules));
  // The migration stands in the WAL, which may be as large as the database now.
  (void)sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                  nullptr);
  // SQLite syncs the folder for its journals, not for a new database.
  return is_real_file(options) ? sync_path(paths.state()) : Status{};
}

}  // namespace

int newest_version(const OpenRules& rules) {
  return rules.migrations.back().to;
}

Result<std::unique_ptr<Database>> open_database(const StatePaths& paths, const OpenOptions& options,
                                                const OpenRules& rules) {
  WAVE_CHECK(check_path(paths));
  WAVE_CHECK(prepare_folder(paths, options, rules));
  const bool creating = options.create && !options.read_only;
  std::error_code ignored;
  if (creating) {
    WAVE_CHECK(create_private_file(paths.database(), options));
  } else if (is_real_file(options) && !fs::exists(paths.database(), ignored)) {
    return fail(no_store(paths));
  }
  ConnectionOptions connection{.read_only = options.read_only,
                               .create = creating,
                               .immutable = options.read_only && cannot_change(paths),
                               .vfs = options.vfs,
                               .cache_kib = kWriterCacheKib};
  WAVE_TRY(std::unique_ptr<Database> database, Database::open(paths.database(), connection));
  WAVE_TRY(const Version version, read_version(*database));
  WAVE_CHECK(check_version(*database, version, newest_version(rules), paths.database()));
  if (version.schema == newest_version(rules)) return database;
  if (version.empty && !creating) return fail(no_store(paths));
  if (options.read_only) {
    Error older(Code::kStore,
                fmt::format("{} was written by an older wave (version {}) and has to be migrated",
                            paths.database().native(), version.schema),
                "run a command that writes, such as `wave run`; it migrates after a backup");
    older.reason = kStoreOlder;
    return fail(std::move(older));
  }
  WAVE_CHECK(migrate(*database, paths, options, rules));
  return database;
}

}  // namespace wave::store::sqlite

#include "store/sqlite/database.h"

#include <fmt/core.h>

#include <cctype>
#include <cerrno>

#include "base/system_fault.h"
#include "store/sqlite/lock_holder.h"

namespace wave::store::sqlite {
namespace {

// How long a statement waits for another process's transaction. Transactions of ours last
// milliseconds; only a migration, a stopped process or a foreign tool holds one longer. The writer
// has a patience of its own (writer.cc).
constexpr int kBusyTimeoutMs = 8'000;

// synchronous=FULL: a commit is on disk before it is acknowledged. mmap stays off: an I/O error in
// a mapped page is a SIGBUS, not an error. Automatic checkpoints are off because they stall whoever
// commits next; the writer thread does them when it is idle. secure_delete=FAST because Debian's
// default writes zeros over every freed page.
constexpr char kSettings[] =
    "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
    "PRAGMA secure_delete=FAST; PRAGMA trusted_schema=OFF;";

/// The errno behind the last error. One that a read met is told as a damaged database (SQLite turns
/// SQLITE_IOERR_CORRUPTFS into SQLITE_CORRUPT): only the files know better.
int system_error_of(sqlite3* handle, int code) {
  if (handle == nullptr) return 0;
  const int primary = code & 0xFF;
  if (primary != SQLITE_CORRUPT && primary != SQLITE_NOTADB) return sqlite3_system_errno(handle);
  int met = 0;
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(handle, "main", which, static_cast<void*>(&file)) != SQLITE_OK)
      continue;
    if (file == nullptr || file->pMethods == nullptr) continue;
    int last = 0;
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last);
    if (last == EIO || last == ENXIO) met = last;
  }
  return met;
}

/// What the machine is short of, as an error of ours; nothing when it is not to blame.
std::optional<Error> shortage_error(int code, int system_error, const std::string& message) {
  const int primary = code & 0xFF;
  if (primary == SQLITE_FULL) {
    return Error(Code::kDiskFull, message, "free disk space, then try again");
  }
  if (primary == SQLITE_NOMEM) return errno_error(ENOMEM, message);
  const bool may_be = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ||
                      primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  if (!may_be || system_error == 0) return std::nullopt;
  // What a read met is not what SQLite made of it ("malformed").
  const bool is_misread = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  Error error = errno_error(
      system_error,
      is_misread ? fmt::format("the database cannot be read (SQLite {})", code) : message);
  if (!is_shortage(error)) return std::nullopt;
  return error;
}

std::string hint_for(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the database is damaged: restore wave.db from a backup";
    case SQLITE_IOERR:
      return "the disk fails, or takes no more: the system's log says which; then try again";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return "check the owner and the permissions of .agents/state";
    default:
      return {};
  }
}

Error make_error(sqlite3* handle, int code, std::string_view doing) {
  const char* reason = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  std::string message = fmt::format("{}: {} (SQLite {})", doing, reason, code);
  if (auto error = shortage_error(code, system_error_of(handle, code), message)) {
    return *std::move(error);
  }
  if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED) {
    const char* file = handle != nullptr ? sqlite3_db_filename(handle, "main") : nullptr;
    return {Code::kStoreBusy,
            fmt::format("{} keeps the database locked",
                        file != nullptr ? lock_holder(file) : "another program"),
            "let it finish, or end it; then try again"};
  }
  return {Code::kStore, std::move(message), hint_for(code)};
}

/// For the path of a URI: only what no path of ours needs escaped stays.
std::string percent_encoded(std::string_view path) {
  std::string encoded;
  for (const char c : path) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("/-_.").contains(c);
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::restart() {
  sqlite3_reset(statement_);
  bind_error_ = SQLITE_OK;
}

void Query::bind_at(int index, std::string_view text) {
  // A null pointer would bind NULL, and an empty string_view may have one.
  note(sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(),
                           text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Query::bind_blob_at(int index, std::string_view bytes) {
  note(sqlite3_bind_blob64(statement_, index, bytes.data() == nullptr ? "" : bytes.data(),
                           bytes.size(), SQLITE_STATIC));
}

Result<bool> Query::next() {
  if (bind_error_ != SQLITE_OK) return fail(database_->error(bind_error_, "cannot bind a value"));
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(database_->error(code, "the database refused a statement"));
}

Status Query::run() {
  while (true) {
    WAVE_TRY(const bool row, next());
    if (!row) return {};
  }
}

std::string_view Query::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path,
                                                 const ConnectionOptions& options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create) flags |= SQLITE_OPEN_CREATE;
  std::string name = path.native();
  if (options.immutable) {
    flags |= SQLITE_OPEN_URI;
    name = "file:" + percent_encoded(name) + "?immutable=1";
  }
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags,
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  std::unique_ptr<Database> database(new Database(handle, options.immutable));
  if (code != SQLITE_OK) {
    return fail(make_error(handle, code, "cannot open " + path.native()));
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  sqlite3_wal_autocheckpoint(handle, 0);
  WAVE_CHECK(database->execute(kSettings));
  WAVE_CHECK(database->execute(fmt::format("PRAGMA cache_size=-{}", options.cache_kib)));
  return database;
}

Database::~Database() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Result<Query> Database::query(std::string_view sql) {
  if (const auto known = statements_.find(sql); known != statements_.end()) {
    if (sqlite3_stmt_busy(known->second) != 0) {
      return fail(Code::kInternal, fmt::format("a statement is used within itself: {}", sql));
    }
    return Query(known->second, this);
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) {
    return fail(error(code, fmt::format("cannot prepare \"{}\"", sql)));
  }
  statements_.emplace(sql, statement);
  return Query(statement, this);
}

Status Database::execute(const std::string& script) {
  const int code = sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error(code, "the database refused a command"));
  return {};
}

Result<int64_t> Database::integer(std::string_view sql) {
  WAVE_TRY(Query found, query(sql));
  WAVE_TRY(const bool row, found.next());
  return row ? found.integer(0) : 0;
}

Error Database::error(int code, std::string_view doing) const {
  return make_error(handle_, code, doing);
}

Result<ReadTransaction> ReadTransaction::begin(Database& database) {
  WAVE_TRY(Query query, database.query("BEGIN"));
  WAVE_CHECK(query.run());
  return ReadTransaction(&database);
}

ReadTransaction::~ReadTransaction() {
  if (database_ == nullptr || !database_->in_transaction()) return;
  if (auto query = database_->query("ROLLBACK")) (void)query->run();
}

}  // namespace wave::store::sqlite

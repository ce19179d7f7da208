// One SQLite connection and its prepared statements, with Results instead of return codes.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"

namespace wave::store::sqlite {

struct ConnectionOptions {
  bool read_only = false;
  bool create = false;
  bool immutable = false;  // nobody writes while it is open: no locks, and no file is made
  std::string vfs{};       // empty: SQLite's default
  int cache_kib = 2048;    // page cache
};

/// A statement in use: bound, stepped, and reset when it goes out of scope. Borrowed from a
/// Database, which keeps it prepared. Text and blobs are bound without a copy: they have to live
/// until the statement has run. Only one Query of the same text may be alive at a time on a
/// connection.
class Query {
 public:
  Query(sqlite3_stmt* statement, const class Database* database)
      : statement_(statement), database_(database) {}
  Query(Query&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)),
        database_(other.database_),
        bind_error_(other.bind_error_) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query& operator=(Query&&) = delete;
  ~Query();

  /// Starts afresh with the values for ?1, ?2 and so on.
  template <typename... Values>
  Query& bind(const Values&... values) {
    restart();
    int index = 0;
    (bind_at(++index, values), ...);
    return *this;
  }
  /// Starts afresh; bind_at gives the values one by one.
  void restart();
  template <std::integral T>
  void bind_at(int index, T value) {
    note(sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(value)));
  }
  void bind_at(int index, double value) { note(sqlite3_bind_double(statement_, index, value)); }
  void bind_at(int index, std::string_view text);
  void bind_at(int index, const std::string& text) { bind_at(index, std::string_view(text)); }
  void bind_at(int index, const char* text) { bind_at(index, std::string_view(text)); }
  void bind_at(int index, std::nullptr_t) { note(sqlite3_bind_null(statement_, index)); }
  void bind_at(int index, WallTime time) { bind_at(index, time.time_since_epoch().count()); }
  template <typename T>
  void bind_at(int index, const std::optional<T>& value) {
    value ? bind_at(index, *value) : bind_at(index, nullptr);
  }
  void bind_blob_at(int index, std::string_view bytes);

  /// The next row: false when there is none.
  Result<bool> next();
  /// Runs to the end, for statements whose rows do not matter.
  Status run();

  // Columns of the current row, counted from 0. Text is valid until the next step.
  [[nodiscard]] int64_t integer(int column) const {
    return sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] double real(int column) const { return sqlite3_column_double(statement_, column); }
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string string(int column) const { return std::string(text(column)); }
  [[nodiscard]] bool is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  [[nodiscard]] WallTime time(int column) const { return WallTime(Millis(integer(column))); }
  [[nodiscard]] std::optional<WallTime> optional_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional(time(column));
  }

 private:
  void note(int code) {
    if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
  }

  sqlite3_stmt* statement_;
  const Database* database_;
  int bind_error_ = SQLITE_OK;
};

/// A connection. Thread: one at a time; it has no lock of its own.
class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path,
                                                const ConnectionOptions& options);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// The statement, prepared when this connection sees its text for the first time. The number of
  /// different texts has to be bounded.
  Result<Query> query(std::string_view sql);
  /// Runs a script of statements that are not kept.
  Status execute(const std::string& script);
  /// The first column of the first row of a statement without parameters.
  Result<int64_t> integer(std::string_view sql);
  /// Whether no transaction is open: SQLite ends one by itself on some errors.
  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  /// The last error as ours: kDiskFull when there is no room, else kStore.
  [[nodiscard]] Error error(int code, std::string_view doing) const;
  [[nodiscard]] sqlite3* handle() const { return handle_; }
  [[nodiscard]] bool is_immutable() const { return immutable_; }

 private:
  Database(sqlite3* handle, bool immutable) : handle_(handle), immutable_(immutable) {}

  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  sqlite3* handle_;
  const bool immutable_;
  std::unordered_map<std::string, sqlite3_stmt*, TextHash, std::equal_to<>> statements_;
};

/// BEGIN ... COMMIT around reads that have to see one state. Rolls back when it goes out of scope.
class ReadTransaction {
 public:
  static Result<ReadTransaction> begin(Database& database);
  ReadTransaction(ReadTransaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)) {}
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction();

 private:
  explicit ReadTransaction(Database* database) : database_(database) {}
  Database* database_;
};

}  // namespace wave::store::sqlite

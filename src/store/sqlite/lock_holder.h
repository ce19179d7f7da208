// Who holds a lock on the database that is not ours.
#pragma once

#include <filesystem>
#include <string>

namespace wave::store::sqlite {

/// Another process that holds the database's write lock, or keeps readers out: "sqlite3 (process
/// 4711)"; "another program" when it cannot be seen. Read from /proc/locks: to ask by a descriptor
/// would, on closing it, drop the locks that SQLite holds for this process.
std::string lock_holder(const std::filesystem::path& database);

}  // namespace wave::store::sqlite

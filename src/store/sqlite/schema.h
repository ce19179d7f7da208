// The tables of wave.db and how older ones become these. docs/storage.md explains every table.
#pragma once

#include <span>
#include <string_view>

namespace wave::store::sqlite {

/// "wave" in ASCII: tells our databases from other people's (PRAGMA application_id).
inline constexpr int kApplicationId = 0x77617665;

/// Brings the database from version `to - 1` (PRAGMA user_version) to version `to`.
struct Migration {
  int to;
  std::string_view sql;
};

/// All of them, from the empty database on, in order and without a hole. A released one never
/// changes.
std::span<const Migration> migrations();

}  // namespace wave::store::sqlite

// Opening wave.db: whose it is, which version it has, and bringing it to ours.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "store/sqlite/database.h"
#include "store/sqlite/schema.h"
#include "store/store.h"

namespace wave::store::sqlite {

/// What opening depends on and tests replace.
struct OpenRules {
  std::span<const Migration> migrations = sqlite::migrations();
  std::function<bool(const std::filesystem::path&)> is_network_filesystem;  // empty: base's
};

/// A connection to a database of the newest version of `rules`, creating and migrating as needed.
/// Opening one that is up to date reads its first page and nothing else.
/// Errors: kNotFound, kNetworkFilesystem, kStoreNewer, kStoreBusy (a migration has to wait for a
/// run's owner), kDiskFull, kStore.
Result<std::unique_ptr<Database>> open_database(const StatePaths& paths, const OpenOptions& options,
                                                const OpenRules& rules);

/// The version that `rules` lead to.
int newest_version(const OpenRules& rules);

}  // namespace wave::store::sqlite

// Pages of lists of runs. Whatever is asked for and however many runs there are, a page costs a
// bounded amount of work.
#pragma once

#include "store/sqlite/database.h"
#include "store/store.h"

namespace wave::store::sqlite {

/// How many runs a page looks at, for each of its statuses, before it ends where it has come to.
constexpr size_t kMostVisited = 3000;

Result<RunPage> run_page(Database& database, const RunFilter& filter);

}  // namespace wave::store::sqlite

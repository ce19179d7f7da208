// Counts of rows, for metrics.
#pragma once

#include "store/sqlite/database.h"
#include "store/store.h"

namespace wave::store::sqlite {

/// Within one read transaction.
Result<Figures> read_figures(Database& database);

}  // namespace wave::store::sqlite

// Reading the log.
#pragma once

#include <string>
#include <vector>

#include "store/sqlite/database.h"
#include "store/store.h"

namespace wave::store::sqlite {

Result<std::vector<StoredEvent>> events(Database& database, const std::string& run_id,
                                        const EventQuery& query);
Result<std::vector<StoredEvent>> events_since(Database& database, int64_t position, size_t limit);
Result<LogEnd> log_end(Database& database, const std::string& run_id);

}  // namespace wave::store::sqlite

#include "store/sqlite/schema_versions.h"

namespace wave::store::sqlite {

// For a server: lists by who and by origin, in the order of acceptance, and the few commands that
// nobody has answered yet.
const std::string_view kVersion2 = R"sql(
CREATE INDEX run_by_actor ON run(actor, accepted_at);
CREATE INDEX run_by_origin ON run(origin_run_id, accepted_at) WHERE origin_run_id <> '';
CREATE INDEX command_unanswered ON command(run) WHERE consumed = 0;
)sql";

}  // namespace wave::store::sqlite

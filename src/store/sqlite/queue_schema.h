// For a server: lists by who and by origin, in the order of acceptance, and the few commands that
// nobody has answered yet.
#pragma once

#include <string_view>

namespace wave::store::sqlite {

inline constexpr std::string_view kQueueSchema = R"sql(
CREATE INDEX run_by_actor ON run(actor, accepted_at);
CREATE INDEX run_by_origin ON run(origin_run_id, accepted_at);
CREATE INDEX command_unanswered ON command(run) WHERE consumed = 0;
)sql";

}  // namespace wave::store::sqlite

#include "engine/quarantine.h"

namespace wave::engine {

flow::Event quarantine_event(const std::string& run_id, const flow::RunState& failed,
                             const Error& error) {
  flow::Event event;
  event.kind = flow::Kind::kRunFailed;
  event.run_id = run_id;
  event.seq = failed.last_seq;
  event.ts = std::max(failed.last_ts, failed.finished_at.value_or(failed.last_ts));
  event.data = {{"code", code_name(Code::kInternal)},
                {"failure_class", flow::to_string(flow::FailureClass::kInternal)},
                {"message", full_message(error)},
                {"quarantined", true}};
  return event;
}

}  // namespace wave::engine

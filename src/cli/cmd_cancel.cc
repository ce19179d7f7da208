#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/run_session.h"
#include "cli/wait_for_run.h"
#include "store/owner_lock.h"

namespace wave::cli {
namespace {

/// Grace period, SIGKILL, and what a checkpoint may still take.
constexpr Millis kPatience{60'000};

Result<store::RunDetails> details_of(store::Store& store, const std::string& run_id) {
  return store.run(run_id);
}

bool is_over(const store::RunDetails& details) {
  const auto status = flow::run_status_from_name(details.row.status);
  return status && flow::is_terminal(*status);
}

Result<std::string> wait_for_end(store::Store& store, const std::string& run_id) {
  std::string status;
  WAVE_TRY(const bool over, wait_until(store, kPatience, [&]() -> Result<bool> {
             WAVE_TRY(const store::RunDetails details, details_of(store, run_id));
             status = details.row.status;
             return is_over(details);
           }));
  if (!over) {
    return fail(Code::kTimeout,
                fmt::format("run {} has been asked to end and is still {}", run_id, status),
                "wave cancel --force skips the grace period; wave doctor looks for what is left");
  }
  return status;
}

}  // namespace

Result<int> run_cancel(Context& context, const CancelOptions& options) {
  WAVE_TRY(const std::string run_id, context.resolve_run(options.run));
  WAVE_TRY(store::Store * store, context.open_store(false));
  WAVE_TRY(const store::RunDetails details, details_of(*store, run_id));
  if (is_over(details)) {
    return fail(Code::kConflict,
                fmt::format("run {} has ended already: {}", run_id, details.row.status),
                "see: wave status " + run_id);
  }
  store::Command command;
  command.run_id = run_id;
  command.kind = "cancel";
  command.payload = {{"force", options.force}, {"reason", options.reason}};
  command.actor = context.actor();
  command.via = "cli";
  command.created_at = SystemClock().wall();
  WAVE_TRY([[maybe_unused]] const int64_t id, store->submit_command(command));

  std::string status = "cancel requested";
  if (!store::OwnerLock::is_held(context.paths(), run_id)) {
    // Nobody is there to do it: its owner died, or it was stopped. Then we are its owner for so
    // long.
    WAVE_TRY(const auto session, RunSession::open(context));
    const Result<int> driven = session->drive(run_id, Showing::kNothing);
    // Somebody else took it in the same moment: then they do it.
    if (!driven && driven.error().code != Code::kRunLocked) {
      return std::unexpected(driven.error());
    }
  }
  if (!options.no_wait) {
    WAVE_TRY(status, wait_for_end(*store, run_id));
  }
  const bool cancelled = status == "cancelled" || options.no_wait;
  if (context.json()) {
    context.print_json(json::object{{"success", cancelled},
                                    {"run_id", run_id},
                                    {"pipeline_name", details.row.pipeline},
                                    {"status", status},
                                    {"message", fmt::format("run {}", status)},
                                    {"force", options.force}});
  } else {
    context.print(fmt::format("{} {}\n", run_id, status));
  }
  if (cancelled) return 0;
  return fail(Code::kConflict,
              fmt::format("run {} ended as {} before it could be cancelled", run_id, status));
}

}  // namespace wave::cli

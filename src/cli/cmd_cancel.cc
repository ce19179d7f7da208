#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/wait_for_run.h"

namespace wave::cli {
namespace {

/// Grace period, SIGKILL, and what a checkpoint may still take.
constexpr Millis kCancelDeadline{60'000};

bool is_over(const store::RunDetails& details) {
  const auto status = flow::run_status_from_name(details.row.status);
  return status && flow::is_terminal(*status);
}

Result<std::string> wait_for_end(RunAccess& runs, const store::RunDetails& before, bool force) {
  const std::string& run_id = before.row.run_id;
  std::string status;
  WAVE_TRY(const bool over,
           wait_until(runs, run_id, before.row.last_seq, kCancelDeadline, [&]() -> Result<bool> {
             WAVE_TRY(const store::RunDetails details, runs.run(run_id));
             status = details.row.status;
             return is_over(details);
           }));
  if (!over) {
    return fail(
        Code::kTimeout, fmt::format("run {} has been asked to end and is still {}", run_id, status),
        force ? "it ends as soon as its owner can store the end; wave doctor looks for what "
                "is left"
              : "wave cancel --force skips the grace period; wave doctor looks for what is "
                "left");
  }
  return status;
}

}  // namespace

Result<int> run_cancel(Context& context, const CancelOptions& options) {
  WAVE_TRY(RunAccess * runs, context.runs(Access::kWrite));
  WAVE_TRY(const std::string run_id, runs->resolve(options.run));
  WAVE_TRY(const store::RunDetails details, runs->run(run_id));
  if (is_over(details)) {
    return fail(Code::kConflict,
                fmt::format("run {} has ended already: {}", run_id, details.row.status),
                "see: wave status " + run_id);
  }
  WAVE_CHECK(runs->cancel(run_id, options.force, options.reason));
  WAVE_CHECK(runs->see_to(details, true));
  std::string status = "cancel requested";
  if (!options.no_wait) {
    WAVE_TRY(status, wait_for_end(*runs, details, options.force));
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

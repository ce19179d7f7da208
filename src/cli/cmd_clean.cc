#include <fmt/format.h>

#include "base/disk.h"
#include "base/file.h"
#include "base/stop_after.h"
#include "cli/apply_retention.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/retention.h"
#include "model/project.h"
#include "store/owner_lock.h"
#include "workspace/remove_tree.h"
#include "workspace/workspace.h"

namespace wave::cli {

Result<std::vector<flow::RunRow>> all_runs(store::Store& store) {
  std::vector<flow::RunRow> rows;
  store::RunFilter filter;
  filter.limit = 1000;
  for (;;) {
    WAVE_TRY(std::vector<flow::RunRow> page, store.list_runs(filter));
    if (page.empty()) return rows;
    filter.after = page.back().run_id;
    std::ranges::move(page, std::back_inserter(rows));
  }
}

// Workspaces first: should we be interrupted, the run is still known and can be cleaned again.
Status remove_run(const Context& context, store::Store& store, const fs::path& workspace_root,
                  const std::string& run_id, const RemovalLimits& limits) {
  if (store::OwnerLock::is_held(context.paths(), run_id)) {
    return fail(Code::kRunLocked, "run " + run_id + " is in use by another process");
  }
  WAVE_CHECK(workspace::remove_run(context.project(), workspace_root, run_id, limits.stop));
  WAVE_CHECK(store.prune_run(run_id, limits.pause));
  // What another clean removes at the same time is removed.
  return workspace::remove_tree(context.paths().run(run_id), limits.stop);
}

namespace {

constexpr Millis kGiveBackPatience = std::chrono::minutes(1);
constexpr uint64_t kWorthARewrite = 16 << 20;

// Rewriting blocks all writers and needs room for what stays, so only where nobody else is at work.
Status rewrite(const Context& context, store::Store& store) {
  WAVE_TRY(const std::vector<store::LiveRun> live, store.live_runs());
  for (const store::LiveRun& run : live) {
    if (!store::OwnerLock::is_held(context.paths(), run.run_id)) continue;
    return fail(Code::kConflict, "run " + run.run_id + " is being worked on",
                "run wave clean again when it has ended");
  }
  std::error_code error;
  const uint64_t size = fs::file_size(context.paths().database(), error);
  WAVE_TRY(const DiskRoom room, disk_room(context.paths().state()));
  if (error || room.free_bytes < 2 * size) {
    return fail(Code::kDiskFull, "the disk has too little room to rewrite the database",
                fmt::format("free {} MiB, and run wave clean again", 2 * size >> 20));
  }
  return store.compact();
}

// Databases of older waves cannot give pages back before they are rewritten once.
void give_back_space(const Context& context, store::Store& store) {
  const StopAfter patience(kGiveBackPatience);
  Status given = store.give_back_space(patience.token());
  const auto left = store.free_bytes();
  if (!left || *left < kWorthARewrite || patience.token().stop_requested()) return;
  if (given) given = rewrite(context, store);
  if (given) return;
  context.note(fmt::format("{} MiB of the database stay unused: {}; {}\n", *left >> 20,
                           full_message(given.error()), given.error().hint));
}

}  // namespace

Result<int> run_clean(Context& context, const CleanOptions& options) {
  WAVE_TRY(store::Store * store,
           context.open_store(options.dry_run ? Access::kRead : Access::kWrite));
  WAVE_TRY(const std::vector<flow::RunRow> rows, all_runs(*store));
  const std::vector<std::string> selected = select_for_removal(rows, options, SystemClock().wall());
  const bool look_only = options.dry_run || selected.empty();
  if (!look_only && !options.force) {
    WAVE_TRY(const bool agreed, ask(fmt::format("Remove {} of {} runs, with their workspaces?",
                                                selected.size(), rows.size()),
                                    "--force"));
    if (!agreed) return fail(Code::kCancelled, "nothing was removed");
  }
  const auto manifest =
      model::load_manifest(context.files(), {.manifest_path = context.manifest_path()});
  const fs::path workspace_root = manifest.value.runtime.workspace_root;
  json::array removed, failed;
  std::optional<Error> first_error;
  for (const std::string& run_id : selected) {
    const Status status =
        look_only ? Status() : remove_run(context, *store, workspace_root, run_id);
    if (status) {
      removed.emplace_back(run_id);
      if (!context.json() && !context.quiet()) {
        context.print(fmt::format("{}{}\n", look_only ? "would remove " : "removed ", run_id));
      }
      continue;
    }
    failed.emplace_back(run_id);
    if (!first_error) first_error = status.error();
    context.note(fmt::format("{} stays: {}\n", run_id, full_message(status.error())));
  }
  if (!options.dry_run) give_back_space(context, *store);
  if (context.json()) {
    context.print_json(json::object{{"dry_run", options.dry_run},
                                    {"removed", std::move(removed)},
                                    {"failed", std::move(failed)},
                                    {"kept", rows.size() - selected.size()}});
  } else if (selected.empty()) {
    context.print("nothing to remove\n");
  }
  if (first_error) return exit_code(first_error->code);
  return 0;
}

}  // namespace wave::cli

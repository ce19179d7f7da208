#include "cli/apply_retention.h"

#include <set>

#include "cli/retention.h"
#include "model/project.h"

namespace wave::cli {
namespace {

uint64_t size_of(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored) && !at->is_symlink(ignored)) bytes += at->file_size(ignored);
  }
  return bytes;
}

// Ended runs, newest first, as long as they fit; what follows is beyond.
std::vector<std::string> beyond_bytes(const Context& context, const std::vector<flow::RunRow>& rows,
                                      const std::vector<std::string>& removable,
                                      const fs::path& workspace_root, uint64_t max_bytes,
                                      const std::stop_token& stop) {
  const std::set<std::string> may_go(removable.begin(), removable.end());
  std::vector<std::string> beyond;
  uint64_t sum = 0;
  for (const flow::RunRow& row : rows) {
    if (stop.stop_requested()) break;
    sum += size_of(context.paths().run(row.run_id)) +
           size_of(context.project() / workspace_root / row.run_id);
    if (sum > max_bytes && may_go.contains(row.run_id)) beyond.push_back(row.run_id);
  }
  return beyond;
}

}  // namespace

void apply_retention(const Context& context, store::Store& store, const std::stop_token& stop) {
  const auto manifest =
      model::load_manifest(context.files(), {.manifest_path = context.manifest_path()});
  const model::RetentionConfig& keep = manifest.value.runtime.retention;
  if (keep.max_age.count() == 0 && keep.max_runs == 0 && keep.max_bytes == 0) return;
  const auto rows = all_runs(store);
  if (!rows) return context.note("retention: " + full_message(rows.error()) + "\n");
  const WallTime now = SystemClock().wall();
  const fs::path workspace_root = manifest.value.runtime.workspace_root;
  std::set<std::string> beyond;
  const auto add = [&](const std::vector<std::string>& ids) {
    beyond.insert(ids.begin(), ids.end());
  };
  if (keep.max_age.count() > 0) {
    add(select_for_removal(*rows, {.older_than = keep.max_age}, now));
  }
  if (keep.max_runs > 0) {
    add(select_for_removal(*rows, {.keep_last = static_cast<int>(keep.max_runs)}, now));
  }
  if (keep.max_bytes > 0) {
    const auto removable = select_for_removal(*rows, {.all = true}, now);
    add(beyond_bytes(context, *rows, removable, workspace_root, keep.max_bytes, stop));
  }
  for (const std::string& run_id : beyond) {
    const auto removed = remove_run(context, store, workspace_root, run_id, stop);
    if (stop.stop_requested()) return;
    if (!removed) {
      context.note("retention: " + run_id + " stays: " + full_message(removed.error()) + "\n");
    }
  }
}

}  // namespace wave::cli

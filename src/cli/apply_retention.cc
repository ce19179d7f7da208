#include "cli/apply_retention.h"

#include <fmt/core.h>

#include <charconv>
#include <set>

#include "base/file.h"
#include "base/stop_after.h"
#include "cli/retention.h"
#include "model/project.h"
#include "store/server_lock.h"

namespace wave::cli {
namespace {

// Looking takes longer the more runs there are: a fiftieth of the time at most.
constexpr Millis kLookEvery{10'000};
constexpr int kLookShare = 50;
constexpr Millis kMoment{1'000};  // of a user who waits
constexpr Millis kMost{3'000};    // for a workspace that is being removed
constexpr uint64_t kMaxNote = 64;

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

/// What a run takes on the disk. Counted once for each of its ends, and noted beside its spools.
uint64_t bytes_of(const Context& context, const fs::path& workspace_root, const flow::RunRow& row) {
  const fs::path folder = context.paths().run(row.run_id);
  const fs::path note = folder / ".bytes";  // no step has such a name
  const std::string end =
      row.finished_at ? fmt::format("{} ", row.finished_at->time_since_epoch().count()) : "";
  if (const auto text = read_file(note, kMaxNote); !end.empty() && text && text->starts_with(end)) {
    uint64_t bytes = 0;
    const auto [rest, error] =
        std::from_chars(text->data() + end.size(), text->data() + text->size(), bytes);
    if (error == std::errc()) return bytes;
  }
  const uint64_t bytes = size_of(folder) + size_of(context.project() / workspace_root / row.run_id);
  // Counted again if it cannot be written.
  if (!end.empty()) (void)write_file(note, end + std::to_string(bytes), 0600);
  return bytes;
}

// Ended runs, newest first, as long as they fit; what follows is beyond, however large it is.
// Nothing when it is asked to stop before that is known.
std::vector<std::string> beyond_bytes(const Context& context, const std::vector<flow::RunRow>& rows,
                                      const std::vector<std::string>& removable,
                                      const fs::path& workspace_root, uint64_t max_bytes,
                                      const std::stop_token& stop) {
  const std::set<std::string> may_go(removable.begin(), removable.end());
  std::vector<std::string> beyond;
  uint64_t sum = 0;
  for (const flow::RunRow& row : rows) {
    if (stop.stop_requested()) return {};
    if (sum <= max_bytes) sum += bytes_of(context, workspace_root, row);
    if (sum > max_bytes && may_go.contains(row.run_id)) beyond.push_back(row.run_id);
  }
  return beyond;
}

}  // namespace

bool Retention::look(store::Store& store, const std::stop_token& pause) {
  const auto manifest =
      model::load_manifest(context_.files(), {.manifest_path = context_.manifest_path()});
  const model::RetentionConfig& keep = manifest.value.runtime.retention;
  if (keep.max_age.count() == 0 && keep.max_runs == 0 && keep.max_bytes == 0) return true;
  const auto rows = all_runs(store);
  if (!rows) {
    context_.note("retention: " + full_message(rows.error()) + "\n");
    return true;
  }
  const WallTime now = SystemClock().wall();
  workspace_root_ = manifest.value.runtime.workspace_root;
  std::set<std::string> chosen;
  const auto add = [&](const std::vector<std::string>& ids) {
    chosen.insert(ids.begin(), ids.end());
  };
  if (keep.max_age.count() > 0) {
    add(select_for_removal(*rows, {.older_than = keep.max_age}, now));
  }
  if (keep.max_runs > 0) {
    add(select_for_removal(*rows, {.keep_last = static_cast<int>(keep.max_runs)}, now));
  }
  if (keep.max_bytes > 0) {
    const auto removable = select_for_removal(*rows, {.all = true}, now);
    add(beyond_bytes(context_, *rows, removable, workspace_root_, keep.max_bytes, pause));
  }
  for (const flow::RunRow& row : *rows) {  // newest first
    if (chosen.contains(row.run_id)) beyond_.push_front(row.run_id);
  }
  return !pause.stop_requested();
}

bool Retention::work(store::Store& store, const RemovalLimits& limits) {
  const SystemClock clock;
  if (beyond_.empty() && !gives_back_ && clock.mono() >= next_look_) {
    const MonoTime began = clock.mono();
    if (!look(store, limits.pause) && beyond_.empty()) return true;
    const MonoTime ended = clock.mono();
    next_look_ = ended + std::max<MonoTime::duration>(kLookEvery, (ended - began) * kLookShare);
  }
  while (!beyond_.empty() && !limits.pause.stop_requested()) {
    const std::string& run_id = beyond_.front();
    const auto removed = remove_run(context_, store, workspace_root_, run_id, limits);
    if (!removed && removed.error().code == Code::kInterrupted) break;
    if (!removed && noted_.insert(run_id).second) {
      context_.note("retention: " + run_id + " stays: " + full_message(removed.error()) + "\n");
    }
    beyond_.pop_front();
    gives_back_ = true;
  }
  if (beyond_.empty() && gives_back_ && !limits.pause.stop_requested()) {
    gives_back_ = store.give_back_space(limits.pause) && limits.pause.stop_requested();
  }
  return !beyond_.empty() || gives_back_;
}

void apply_retention_briefly(const Context& context, store::Store& store,
                             const std::stop_token& stop) {
  if (store::living_server(context.paths())) return;
  const StopAfter end(kMost, stop), pause(kMoment, stop);
  (void)Retention(context).work(store, {.stop = end.token(), .pause = pause.token()});
}

}  // namespace wave::cli

#include "cli/retention.h"

#include <algorithm>
#include <map>
#include <set>

namespace wave::cli {
namespace {

bool is_live(const flow::RunRow& row) {
  // Told by name, so that a status that this version does not know counts as live.
  return row.status != "completed" && row.status != "completed_empty" && row.status != "failed" &&
         row.status != "rejected" && row.status != "cancelled";
}

/// Origins of live runs, and origins of those.
std::set<std::string> origins_in_use(const std::vector<flow::RunRow>& rows) {
  std::map<std::string, std::string> origin_of;
  for (const flow::RunRow& row : rows) origin_of[row.run_id] = row.origin_run_id;
  std::set<std::string> in_use;
  for (const flow::RunRow& row : rows) {
    if (!is_live(row)) continue;
    std::string origin = row.origin_run_id;
    while (!origin.empty() && in_use.insert(origin).second) origin = origin_of[origin];
  }
  return in_use;
}

}  // namespace

std::vector<std::string> select_for_removal(const std::vector<flow::RunRow>& rows,
                                            const CleanOptions& options, WallTime now) {
  const std::set<std::string> in_use = origins_in_use(rows);
  std::vector<std::string> selected;
  int kept = 0;
  for (const flow::RunRow& row : rows) {
    if (is_live(row) || in_use.contains(row.run_id)) continue;
    if (!options.status.empty() && row.status != options.status) continue;
    if (!options.pipeline.empty() && row.pipeline != options.pipeline) continue;
    if (options.keep_last && kept < *options.keep_last) {
      ++kept;
      continue;
    }
    const WallTime ended = row.finished_at.value_or(row.updated_at);
    if (options.older_than && now - ended < *options.older_than) continue;
    selected.push_back(row.run_id);
  }
  std::ranges::reverse(selected);
  return selected;
}

}  // namespace wave::cli

#include "server/retro/retro_reader.h"

#include <cmath>

namespace wave::server::retro {
namespace {

constexpr size_t kPage = 1000;
constexpr size_t kComparedPage = 100;

std::vector<std::string> ended_statuses() {
  std::vector<std::string> words;
  for (const auto status :
       {flow::RunStatus::kCompleted, flow::RunStatus::kCompletedEmpty, flow::RunStatus::kFailed,
        flow::RunStatus::kRejected, flow::RunStatus::kCancelled}) {
    words.emplace_back(flow::to_string(status));
  }
  return words;
}

bool ended_well(const std::string& status) {
  return status == "completed" || status == "completed_empty";
}

/// From the start to the end, as rows tell it.
std::optional<double> duration_of(const flow::RunRow& row) {
  const auto began = row.started_at ? row.started_at : row.queued_at;
  if (!began || !row.finished_at) return std::nullopt;
  return static_cast<double>((*row.finished_at - *began).count());
}

Standing standing(double value, std::vector<double> earlier) {
  std::ranges::sort(earlier);
  Standing made;
  made.compared = earlier.size();
  made.value = value;
  made.p50 = percentile(earlier, 0.5);
  made.p90 = percentile(earlier, 0.9);
  const auto below = std::ranges::lower_bound(earlier, value) - earlier.begin();
  if (!earlier.empty())
    made.rank = static_cast<double>(below) / static_cast<double>(earlier.size());
  return made;
}

json::object to_json(const Standing& standing) {
  return {{"value", standing.value},
          {"compared", standing.compared},
          {"p50", standing.p50},
          {"p90", standing.p90},
          {"rank", standing.rank}};
}

}  // namespace

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double at = std::ceil(share * static_cast<double>(sorted.size())) - 1;
  const auto index = static_cast<size_t>(std::max(0.0, at));
  return sorted[std::min(index, sorted.size() - 1)];
}

Result<std::shared_ptr<const flow::Retro>> RetroReader::read(const std::string& run_id,
                                                             bool with_activity) {
  const Key key{run_id, with_activity};
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
  }
  WAVE_TRY(auto retro, compute(key));
  if (retro->ended) keep(key, retro);
  return retro;
}

Result<std::shared_ptr<const flow::Retro>> RetroReader::compute(const Key& key) {
  flow::RetroBuilder builder;
  uint64_t after = 0;
  size_t seen = 0;
  bool whole = key.with_activity;
  while (true) {
    WAVE_TRY(const auto page,
             store_.events(key.run_id,
                           {.after = after, .limit = kPage, .folded_only = !whole, .step = {}}));
    for (const store::StoredEvent& stored : page) {
      after = stored.seq;
      // An event that cannot be read is the fold's affair; a look back goes on without it.
      if (const auto event = flow::decode(stored.line)) builder.add(*event);
    }
    seen += page.size();
    if (page.size() < kPage) break;
    // What agents did is only looked at so far; what decides about times and failures to the end.
    if (seen >= kMostEvents) whole = false;
  }
  auto retro = std::make_shared<flow::Retro>(builder.finish());
  retro->run_id = key.run_id;
  if (!whole) retro->files_complete = false;
  return retro;
}

void RetroReader::keep(const Key& key, std::shared_ptr<const flow::Retro> retro) {
  const std::scoped_lock lock(mutex_);
  if (!kept_.emplace(key, std::move(retro)).second) return;
  order_.push_back(key);
  if (order_.size() <= kMostKept) return;
  kept_.erase(order_.front());
  order_.pop_front();
}

Result<Comparison> RetroReader::compare(const flow::Retro& retro) {
  Comparison comparison;
  store::RunFilter filter;
  filter.statuses = ended_statuses();
  filter.pipeline = retro.pipeline;
  filter.after = retro.run_id;  // those accepted before it
  std::vector<double> durations, costs;
  while (comparison.earlier < kMostCompared) {
    filter.limit = std::min(kComparedPage, kMostCompared - comparison.earlier);
    WAVE_TRY(const auto rows, store_.list_runs(filter));
    for (const flow::RunRow& row : rows) {
      ++comparison.earlier;
      if (!ended_well(row.status)) continue;
      ++comparison.completed;
      costs.push_back(row.usage.cost_usd);
      if (const auto duration = duration_of(row)) durations.push_back(*duration);
    }
    if (rows.size() < filter.limit) break;
    filter.after = rows.back().run_id;
  }
  const auto began = retro.started_at ? retro.started_at : retro.queued_at;
  const double duration = began && retro.finished_at
                              ? static_cast<double>((*retro.finished_at - *began).count())
                              : static_cast<double>((retro.total - retro.queued).count());
  comparison.duration_ms = standing(duration, std::move(durations));
  comparison.cost_usd = standing(retro.usage.cost_usd, std::move(costs));
  return comparison;
}

json::object to_json(const Comparison& comparison) {
  return {{"earlier_runs", comparison.earlier},
          {"earlier_completed", comparison.completed},
          {"duration_ms", to_json(comparison.duration_ms)},
          {"cost_usd", to_json(comparison.cost_usd)}};
}

}  // namespace wave::server::retro

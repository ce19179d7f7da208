#include "server/retro/retro_list.h"

namespace wave::server::retro {
namespace {

constexpr size_t kRowPage = 100;

std::string main_trouble(const flow::Retro& retro) {
  if (!retro.error_message.empty()) return retro.error_message;
  return retro.friction.empty() ? "" : retro.friction.front().message;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

}  // namespace

Result<RetroList> list_retros(store::Store& store, RetroReader& reader, const RetroFilter& filter) {
  store::RunFilter rows_of;
  rows_of.statuses = {"completed", "completed_empty", "failed", "rejected", "cancelled"};
  rows_of.pipeline = filter.pipeline;
  rows_of.since = filter.since;
  rows_of.until = filter.until;
  rows_of.after = filter.after;
  rows_of.limit = kRowPage;
  const size_t limit = std::clamp<size_t>(filter.limit, 1, kMostListed);
  RetroList list;
  // A step that hardly any run has must not make this look at all of history.
  size_t looked_at = 0;
  while (looked_at < 4 * kMostListed) {
    WAVE_TRY(const auto rows, store.list_runs(rows_of));
    for (const flow::RunRow& row : rows) {
      ++looked_at;
      auto retro = reader.read(row.run_id, false);
      if (!retro && retro.error().code == Code::kPruned) continue;  // just now
      if (!retro) return std::unexpected(retro.error());
      if (!filter.step.empty() && (*retro)->find(filter.step) == nullptr) continue;
      if (list.retros.size() == limit) {
        list.has_more = true;
        return list;
      }
      list.retros.push_back(*std::move(retro));
    }
    if (rows.size() < kRowPage) return list;
    rows_of.after = rows.back().run_id;
  }
  return list;
}

json::object summary_json(const flow::Retro& retro) {
  return {
      {"run_id", retro.run_id},
      {"pipeline", retro.pipeline},
      {"outcome", retro.outcome},
      {"smoothness", retro.smoothness},
      {"failed_step", text_or_null(retro.failed_step)},
      {"failure_class", text_or_null(retro.failure_class)},
      {"trouble", text_or_null(main_trouble(retro))},
      {"queued_at", retro.queued_at ? json::value(format_time(*retro.queued_at)) : nullptr},
      {"finished_at", retro.finished_at ? json::value(format_time(*retro.finished_at)) : nullptr},
      {"total_ms", retro.total.count()},
      {"queued_ms", retro.queued.count()},
      {"working_ms", retro.working.count()},
      {"waiting_ms", retro.waiting.count()},
      {"cost_usd", retro.usage.cost_usd},
      {"retries", retro.retries},
      {"reworks", retro.reworks},
      {"interruptions", retro.interruptions},
      {"failed_contracts", retro.failed_contracts.size()}};
}

json::object to_json(const RetroList& list, const std::string& step) {
  json::array retros, stats;
  for (const auto& retro : list.retros) retros.push_back(summary_json(*retro));
  for (const PipelineStats& of : stats_of(list.retros, step)) stats.push_back(to_json(of));
  json::value cursor = nullptr;
  if (list.has_more) cursor = list.retros.back()->run_id;
  return {{"retros", std::move(retros)},
          {"next_cursor", std::move(cursor)},
          {"has_more", list.has_more},
          {"stats", std::move(stats)}};
}

}  // namespace wave::server::retro

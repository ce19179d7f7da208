#include "cli/commands.h"
#include "cli/run_text.h"

namespace wave::cli {
namespace {

constexpr size_t kPage = 100;

Result<std::vector<flow::RunRow>> rows_of(store::Store& store, size_t most) {
  std::vector<flow::RunRow> rows;
  store::RunFilter filter;
  while (rows.size() < most) {
    filter.limit = std::min(kPage, most - rows.size());
    WAVE_TRY(std::vector<flow::RunRow> page, store.list_runs(filter));
    const bool last = page.size() < filter.limit;
    if (!page.empty()) filter.after = page.back().run_id;
    std::ranges::move(page, std::back_inserter(rows));
    if (last) break;
  }
  return rows;
}

Result<int> show_run(Context& context, store::Store& store, const std::string& prefix) {
  WAVE_TRY(const std::string run_id, store.resolve_run(prefix));
  WAVE_TRY(const store::RunDetails details, store.run(run_id));
  const WallTime now = SystemClock().wall();
  if (!context.json()) {
    context.print(run_text(details, now, context.colors(), context.unicode()));
    return 0;
  }
  json::object object = run_json(details.row, current_steps(details.steps), now);
  json::array steps, gates;
  for (const flow::StepRow& step : details.steps) steps.push_back(step_json(step, now));
  for (const flow::GateRow& gate : details.gates) gates.push_back(gate_json(run_id, gate));
  object["steps"] = std::move(steps);
  object["gates"] = std::move(gates);
  context.print_json(object);
  return 0;
}

}  // namespace

Result<int> run_status(Context& context, const StatusOptions& options) {
  WAVE_TRY(store::Store * store, context.open_store(false));
  if (!options.run.empty()) return show_run(context, *store, options.run);
  const size_t most = options.all ? SIZE_MAX : static_cast<size_t>(options.limit);
  WAVE_TRY(const std::vector<flow::RunRow> rows, rows_of(*store, most));
  const WallTime now = SystemClock().wall();
  if (!context.json()) {
    context.print(rows.empty() ? "no run yet\n" : runs_table(rows, now, context.colors()));
    return 0;
  }
  json::array runs;
  for (const flow::RunRow& row : rows) {
    const auto status = flow::run_status_from_name(row.status);
    std::string current;
    // Only a live run has one; history costs no further look.
    if (status && !flow::is_terminal(*status)) {
      if (const auto details = store->run(row.run_id)) current = current_steps(details->steps);
    }
    runs.push_back(run_json(row, current, now));
  }
  context.print_json(json::object{{"runs", std::move(runs)}});
  return 0;
}

}  // namespace wave::cli

#include "cli/commands.h"
#include "cli/run_text.h"

namespace wave::cli {
namespace {

constexpr size_t kStatusPage = 100;

Result<std::vector<flow::RunRow>> rows_of(RunAccess& runs, size_t most) {
  std::vector<flow::RunRow> rows;
  store::RunFilter filter;
  while (rows.size() < most) {
    filter.limit = std::min(kStatusPage, most - rows.size());
    WAVE_TRY(std::vector<flow::RunRow> page, runs.list(filter));
    const bool last = page.size() < filter.limit;
    if (!page.empty()) filter.after = page.back().run_id;
    std::ranges::move(page, std::back_inserter(rows));
    if (last) break;
  }
  return rows;
}

Result<int> show_run(Context& context, RunAccess& runs, const std::string& prefix) {
  WAVE_TRY(const std::string run_id, runs.resolve(prefix));
  WAVE_TRY(const store::RunDetails details, runs.run(run_id));
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
  WAVE_TRY(RunAccess * runs, context.runs(Access::kRead));
  if (!options.run.empty()) return show_run(context, *runs, options.run);
  const size_t most = options.all ? SIZE_MAX : static_cast<size_t>(options.limit);
  WAVE_TRY(const std::vector<flow::RunRow> rows, rows_of(*runs, most));
  const WallTime now = SystemClock().wall();
  if (!context.json()) {
    context.print(rows.empty() ? "no run yet\n" : runs_table(rows, now, context.colors()));
    return 0;
  }
  json::array list;
  for (const flow::RunRow& row : rows) {
    const auto status = flow::run_status_from_name(row.status);
    std::string current;
    // Only a live run has one; history costs no further look.
    if (status && !flow::is_terminal(*status)) {
      if (const auto details = runs->run(row.run_id)) current = current_steps(details->steps);
    }
    list.push_back(run_json(row, current, now));
  }
  context.print_json(json::object{{"runs", std::move(list)}});
  return 0;
}

}  // namespace wave::cli

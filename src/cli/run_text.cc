#include "cli/run_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/render.h"
#include "cli/style.h"
#include "model/approvers.h"

namespace wave::cli {
namespace {

json::value time_json(const std::optional<WallTime>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}

Millis elapsed_of(const std::optional<WallTime>& from, const std::optional<WallTime>& to,
                  WallTime now) {
  return from ? std::max(Millis(0), to.value_or(now) - *from) : Millis(0);
}

std::string elapsed_text(const std::optional<WallTime>& from, const std::optional<WallTime>& to,
                         WallTime now) {
  return from ? format_duration(elapsed_of(from, to, now)) : "-";
}

std::string status_text(const flow::RunRow& row) {
  if (!row.waiting_reason.empty()) return fmt::format("{} ({})", row.status, row.waiting_reason);
  return row.resuming ? row.status + " (resuming)" : row.status;
}

std::string used(const flow::Usage& usage) {
  const int64_t tokens = usage.total();
  if (tokens == 0) return {};
  const std::string cost = format_cost(usage.cost_usd);
  return format_count(tokens) + (cost.empty() ? "" : " " + cost);
}

json::object usage_json(const flow::Usage& usage) {
  return {{"tokens_in", usage.tokens_in},
          {"tokens_out", usage.tokens_out},
          {"tokens_cache_read", usage.tokens_cache_read},
          {"tokens_cache_write", usage.tokens_cache_write},
          {"cost_usd", usage.cost_usd}};
}

std::string step_note(const flow::StepRow& step) {
  if (!step.error_message.empty()) return excerpt(printable(step.error_message), 120);
  return step.reason == "first" ? "" : printable(step.reason);
}

}  // namespace

std::string current_steps(const std::vector<flow::StepRow>& steps) {
  std::vector<std::string> names;
  for (const flow::StepRow& step : steps) {
    const bool active = step.status == "running" || step.status == "waiting" ||
                        step.status == "retrying" || step.status == "reworking" ||
                        step.status == "interrupted";
    if (active) names.push_back(step.step);
  }
  return join(names, ", ");
}

json::object run_json(const flow::RunRow& row, const std::string& current_step, WallTime now) {
  const Millis elapsed = elapsed_of(row.started_at, row.finished_at, now);
  json::object object{
      {"run_id", row.run_id},
      {"pipeline", row.pipeline},
      {"status", row.status},
      {"current_step", current_step},
      {"elapsed", format_duration(elapsed)},
      {"elapsed_ms", elapsed.count()},
      {"tokens", row.usage.total()},
      {"tokens_str", format_count(row.usage.total())},
      {"cost_usd", row.usage.cost_usd},
      {"queued_at", time_json(row.queued_at)},
      {"started_at", time_json(row.started_at)},
      {"completed_at", time_json(row.finished_at)},
      {"input", row.input},
      {"actor", row.actor},
      {"tags", row.tags},
      {"steps_total", row.steps_total},
      {"steps_done", row.steps_done},
      {"last_seq", row.last_seq},
      {"resuming", row.resuming},
      {"error", row.error_message.empty() ? json::value(nullptr) : json::value(row.error_message)}};
  if (!row.error_code.empty()) object["error_code"] = row.error_code;
  if (!row.failed_step.empty()) object["failed_step"] = row.failed_step;
  if (!row.waiting_reason.empty()) object["waiting_reason"] = row.waiting_reason;
  if (!row.origin_run_id.empty()) object["origin_run_id"] = row.origin_run_id;
  return object;
}

json::object step_json(const flow::StepRow& row, WallTime now) {
  return {
      {"step", row.step},
      {"status", row.status},
      {"persona", row.persona},
      {"adapter", row.adapter},
      {"model", row.model},
      {"visit", row.visit},
      {"attempt", row.attempt},
      {"interruptions", row.interruptions},
      {"started_at", time_json(row.started_at)},
      {"completed_at", time_json(row.finished_at)},
      {"elapsed_ms", elapsed_of(row.started_at, row.finished_at, now).count()},
      {"workspace", row.workspace},
      {"reason", row.reason},
      {"error", row.error_message.empty() ? json::value(nullptr) : json::value(row.error_message)},
      {"error_code", row.error_code},
      {"usage", usage_json(row.usage)}};
}

json::object gate_json(const std::string& run_id, const flow::GateRow& gate) {
  return {{"run_id", run_id},
          {"gate_id", gate.gate_id},
          {"step", gate.step},
          {"type", gate.type},
          {"prompt", gate.prompt},
          {"choices", gate.choices},
          {"freeform", gate.freeform},
          {"default", gate.default_choice},
          {"approvers", to_array(gate.approvers)},
          {"forbid_self_approval", gate.forbid_self_approval},
          {"opened_at", time_json(gate.opened_at)},
          {"deadline", time_json(gate.deadline)},
          {"resolved", gate.resolved},
          {"outcome", gate.outcome},
          {"choice", gate.choice},
          {"text", gate.text},
          {"by", gate.by},
          {"via", gate.via},
          {"decided_at", time_json(gate.decided_at)}};
}

std::string runs_table(const std::vector<flow::RunRow>& rows, WallTime now, bool colors) {
  std::vector<std::vector<std::string>> lines{
      {"RUN", "STATUS", "STEPS", "TIME", "TOKENS", "INPUT"}};
  for (const flow::RunRow& row : rows) {
    lines.push_back({row.run_id, painted_status(row.status, status_text(row), colors),
                     fmt::format("{}/{}", row.steps_done, row.steps_total),
                     elapsed_text(row.started_at, row.finished_at, now), used(row.usage),
                     excerpt(printable(row.input), 40)});
  }
  return table(lines);
}

std::string run_text(const store::RunDetails& details, WallTime now, bool colors, bool unicode) {
  const flow::RunRow& row = details.row;
  std::string text = fmt::format(
      "{} {}  {}  {}", painted_status(row.status, status_sign(row.status, unicode), colors),
      row.run_id, painted_status(row.status, status_text(row), colors),
      elapsed_text(row.started_at, row.finished_at, now));
  if (const std::string sum = used(row.usage); !sum.empty()) text += "  " + sum;
  text += "\n";
  if (!row.input.empty()) text += "  input:  " + excerpt(printable(row.input), 160) + "\n";
  if (!row.origin_run_id.empty()) text += "  made from " + row.origin_run_id + "\n";
  if (!row.error_message.empty()) {
    text += fmt::format("  {}: {}\n", row.error_code, printable(row.error_message));
  }
  text += "\n";
  std::vector<std::vector<std::string>> lines;
  for (const flow::StepRow& step : details.steps) {
    std::string attempts = step.attempt > 1 ? fmt::format("attempt {}", step.attempt) : "";
    lines.push_back({"  " + painted_status(step.status, status_sign(step.status, unicode), colors) +
                         " " + step.step,
                     printable(step.persona), painted_status(step.status, step.status, colors),
                     elapsed_text(step.started_at, step.finished_at, now), used(step.usage),
                     attempts, step_note(step)});
  }
  text += table(lines);
  for (const flow::GateRow& gate : details.gates) {
    if (!gate.resolved) text += "\n" + gate_text(row.run_id, gate);
  }
  return text;
}

std::string gate_text(const std::string& run_id, const flow::GateRow& gate) {
  std::string text = fmt::format("{}  {} ({})", run_id, gate.step, gate.gate_id);
  if (gate.deadline) text += ", until " + format_time(*gate.deadline);
  text += "\n";
  for (const std::string& line : split(printable_lines(trim(gate.prompt)), '\n')) {
    text += "    " + line + "\n";
  }
  for (const json::value& choice : gate.choices) {
    if (!choice.is_object()) continue;
    const std::string key(get_string(choice.get_object(), "key"));
    text += fmt::format("    [{}] {}{}\n", printable(key),
                        printable(get_string(choice.get_object(), "label")),
                        key == gate.default_choice ? " (default)" : "");
  }
  const std::string who = model::approvers_text(gate.approvers, gate.forbid_self_approval);
  if (!who.empty()) text += "    may answer: " + printable(who) + "\n";
  std::string answer = fmt::format("    answer: wave gate {} {}", run_id, gate.step);
  if (!gate.choices.empty()) answer += " --choice KEY";
  if (gate.freeform) answer += " --text TEXT";
  return text + answer + "\n";
}

}  // namespace wave::cli

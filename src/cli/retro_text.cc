#include "cli/retro_text.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/style.h"

namespace wave::cli {
namespace {

using flow::Retro;
using server::retro::PipelineStats;
using server::retro::Standing;

constexpr size_t kMostFiles = 20;

std::string painted(const std::string& smoothness, bool colors) {
  const bool bad = smoothness == "failed" || smoothness == "struggled";
  const bool good = smoothness == "effortless" || smoothness == "smooth";
  return Style(colors).paint(bad ? Ink::kBad : good ? Ink::kGood : Ink::kWait, smoothness);
}

std::string times(int count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string duration_of_ms(double ms) {
  return format_duration(Millis(static_cast<int64_t>(ms)));
}

std::string steps_text(const Retro& retro) {
  std::vector<std::vector<std::string>> lines;
  for (const flow::RetroStep& step : retro.steps) {
    std::vector<std::string> notes;
    if (step.retries > 0) notes.push_back(times(step.retries, "retry"));
    if (step.reworks > 0) notes.push_back(times(step.reworks, "rework"));
    if (step.interruptions > 0) notes.push_back(times(step.interruptions, "interruption"));
    if (step.failed_contracts > 0) notes.push_back(times(step.failed_contracts, "failed contract"));
    lines.push_back({"  " + step.step, step.status, format_duration(step.working),
                     step.waiting > Millis(0) ? "waited " + format_duration(step.waiting) : "",
                     format_cost(step.usage.cost_usd), join(notes, ", ")});
  }
  return table(lines);
}

std::string friction_text(const Retro& retro) {
  if (retro.friction.empty()) return {};
  std::string text = "\nWhat was done again, or went wrong\n";
  for (const flow::Friction& friction : retro.friction) {
    std::string line = fmt::format("  {}  {}", friction.step, flow::to_string(friction.kind));
    if (!friction.target.empty()) line += " by " + friction.target;
    if (!friction.failure_class.empty()) line += " (" + friction.failure_class + ")";
    text += line + ": " + excerpt(printable(friction.message), 160) + "\n";
  }
  if (retro.friction_left_out > 0) text += fmt::format("  and {} more\n", retro.friction_left_out);
  return text;
}

std::string results_text(const Retro& retro) {
  std::string text;
  if (!retro.artifacts.empty()) {
    text += "\nArtifacts\n";
    for (const flow::Artifact& artifact : retro.artifacts) {
      text += fmt::format("  {}/{}  {}\n", artifact.step, printable(artifact.name),
                          format_size(artifact.size));
    }
  }
  if (!retro.files.empty()) {
    text += "\nFiles that agents wrote\n";
    size_t shown = 0;
    for (const std::string& file : retro.files) {
      if (shown++ == kMostFiles) break;
      text += "  " + printable(file) + "\n";
    }
    if (retro.files.size() > kMostFiles) {
      text += fmt::format("  and {} more\n", retro.files.size() - kMostFiles);
    }
  }
  return text;
}

std::string standing_text(const char* what, const Standing& standing, std::string (*show)(double)) {
  if (standing.compared == 0) return {};
  return fmt::format("  {} {}: more than {:.0f} % of {} earlier runs (half took up to {})\n", what,
                     or_dash(show(standing.value)), 100 * standing.rank, standing.compared,
                     or_dash(show(standing.p50)));
}

}  // namespace

std::string retro_text(const Retro& retro, const server::retro::Comparison& comparison,
                       bool colors) {
  std::string text =
      fmt::format("{}  {}  {}\n", retro.run_id, retro.outcome, painted(retro.smoothness, colors));
  text += fmt::format("  {} in all: {} working, {} waiting, {} in the queue\n",
                      format_duration(retro.total), format_duration(retro.working),
                      format_duration(retro.waiting), format_duration(retro.queued));
  const std::string cost = format_cost(retro.usage.cost_usd);
  if (retro.usage.total() > 0) {
    text += fmt::format("  {} tokens{}\n", format_count(retro.usage.total()),
                        cost.empty() ? "" : ", " + cost);
  }
  if (!retro.error_message.empty()) {
    text += fmt::format("  {}{}: {}\n", retro.failed_step.empty() ? "" : retro.failed_step + " ",
                        or_dash(retro.failure_class), excerpt(printable(retro.error_message), 300));
  }
  text += "\n" + steps_text(retro) + friction_text(retro) + results_text(retro);
  if (comparison.earlier > 0) {
    text += fmt::format("\nAgainst {} of {}\n",
                        times(static_cast<int>(comparison.earlier), "earlier run"), retro.pipeline);
    text += standing_text("duration", comparison.duration_ms, &duration_of_ms);
    text += standing_text("cost", comparison.cost_usd, &format_cost);
  }
  return text;
}

std::string retros_table(const server::retro::Retros& retros, bool colors) {
  std::vector<std::vector<std::string>> lines{
      {"RUN", "OUTCOME", "HOW", "WORKING", "WAITING", "COST", "AGAIN", "TROUBLE"}};
  for (const auto& retro : retros) {
    const int again = retro->retries + retro->reworks + retro->interruptions;
    std::string trouble = retro->error_message;
    if (trouble.empty() && !retro->friction.empty()) trouble = retro->friction.front().message;
    lines.push_back({retro->run_id, retro->outcome, painted(retro->smoothness, colors),
                     format_duration(retro->working), format_duration(retro->waiting),
                     or_dash(format_cost(retro->usage.cost_usd)), std::to_string(again),
                     excerpt(printable(trouble), 60)});
  }
  return table(lines);
}

std::string stats_text(const std::vector<PipelineStats>& stats, bool colors) {
  const Style style(colors);
  std::string text;
  for (const PipelineStats& of : stats) {
    if (!text.empty()) text += "\n";
    text += fmt::format("{}  {}: {} completed, {} failed, {} rejected, {} cancelled\n",
                        style.paint(Ink::kBold, of.pipeline), times(of.runs, "run"), of.completed,
                        of.failed, of.rejected, of.cancelled);
    text += fmt::format("  half take up to {}, nine of ten up to {}; {} in all\n",
                        duration_of_ms(of.duration_p50_ms), duration_of_ms(of.duration_p90_ms),
                        or_dash(format_cost(of.cost_usd)));
    if (of.cost.earlier > 0) {
      text += fmt::format("  cost of the newer half against the older: {:+.0f} %\n",
                          100 * of.cost.change());
    }
    std::vector<std::vector<std::string>> lines{
        {"  STEP", "RUNS", "FAILED", "FLAKY", "RETRIES", "REWORKS", "HALF TAKE", "COST", "WHY"}};
    for (const server::retro::StepStats& step : of.steps) {
      std::vector<std::string> why;
      for (const auto& [name, count] : step.failures)
        why.push_back(fmt::format("{} {}", count, name));
      lines.push_back({"  " + step.step, std::to_string(step.runs), std::to_string(step.failed),
                       std::to_string(step.flaky), std::to_string(step.retries),
                       std::to_string(step.reworks), duration_of_ms(step.working_p50_ms),
                       or_dash(format_cost(step.cost_usd)), join(why, ", ")});
    }
    text += table(lines);
  }
  return text;
}

}  // namespace wave::cli

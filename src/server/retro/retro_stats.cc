#include "server/retro/retro_stats.h"

#include "server/retro/retro_reader.h"

namespace wave::server::retro {
namespace {

constexpr size_t kLeastForDrift = 4;

std::vector<double> sorted(std::vector<double> values) {
  std::ranges::sort(values);
  return values;
}

/// `values` in the order of time.
Drift drift_of(const std::vector<double>& values) {
  if (values.size() < kLeastForDrift) return {};
  const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  return {percentile(sorted({values.begin(), half}), 0.5),
          percentile(sorted({half, values.end()}), 0.5)};
}

/// What one pipeline's runs add up to.
class Adder {
 public:
  void add(const flow::Retro& retro) {
    ++stats_.runs;
    ++stats_.smoothness[retro.smoothness];
    stats_.cost_usd += retro.usage.cost_usd;
    if (retro.outcome == "completed" || retro.outcome == "completed_empty") {
      ++stats_.completed;
      const auto began = retro.started_at ? retro.started_at : retro.queued_at;
      if (began && retro.finished_at) {
        durations_.push_back(static_cast<double>((*retro.finished_at - *began).count()));
      }
      costs_.push_back(retro.usage.cost_usd);
    } else if (retro.outcome == "failed") {
      ++stats_.failed;
    } else if (retro.outcome == "rejected") {
      ++stats_.rejected;
    } else if (retro.outcome == "cancelled") {
      ++stats_.cancelled;
    }
    for (const flow::RetroStep& step : retro.steps) add_step(step);
    for (const flow::Friction& friction : retro.friction) {
      if (friction.kind == flow::Friction::Kind::kRetry ||
          friction.kind == flow::Friction::Kind::kRework) {
        ++steps_[friction.step].stats.failures[name_of(friction.failure_class)];
      }
    }
  }

  PipelineStats finish(const std::string& pipeline, const std::string& only_step) {
    stats_.pipeline = pipeline;
    const std::vector<double> durations = sorted(durations_), costs = sorted(costs_);
    stats_.duration_p50_ms = percentile(durations, 0.5);
    stats_.duration_p90_ms = percentile(durations, 0.9);
    stats_.cost_p50_usd = percentile(costs, 0.5);
    stats_.cost = drift_of(costs_);
    stats_.duration = drift_of(durations_);
    for (auto& [name, step] : steps_) {
      if (!only_step.empty() && name != only_step) continue;
      const std::vector<double> working = sorted(std::move(step.working));
      step.stats.step = name;
      step.stats.working_p50_ms = percentile(working, 0.5);
      step.stats.working_p90_ms = percentile(working, 0.9);
      stats_.steps.push_back(std::move(step.stats));
    }
    std::ranges::sort(stats_.steps, [](const StepStats& a, const StepStats& b) {
      return std::pair(-trouble(a), a.step) < std::pair(-trouble(b), b.step);
    });
    return std::move(stats_);
  }

 private:
  struct Step {
    StepStats stats;
    std::vector<double> working;
  };

  static std::string name_of(const std::string& failure_class) {
    return failure_class.empty() ? "unknown" : failure_class;
  }
  static int trouble(const StepStats& stats) {
    return 10 * stats.failed + 3 * stats.flaky + stats.retries + 2 * stats.reworks;
  }

  void add_step(const flow::RetroStep& step) {
    if (step.attempts == 0) return;
    Step& of = steps_[step.step];
    StepStats& stats = of.stats;
    ++stats.runs;
    const bool failed = step.status == "failed" || step.status == "rejected";
    const bool completed = step.status == "completed" || step.status == "completed_empty";
    if (failed) ++stats.failed;
    if (failed) ++stats.failures[name_of(step.failure_class)];
    if (completed && step.retries + step.reworks > 0) ++stats.flaky;
    stats.retries += step.retries;
    stats.reworks += step.reworks;
    stats.interruptions += step.interruptions;
    stats.failed_contracts += step.failed_contracts;
    stats.cost_usd += step.usage.cost_usd;
    of.working.push_back(static_cast<double>(step.working.count()));
  }

  PipelineStats stats_;
  std::vector<double> durations_, costs_;
  std::map<std::string, Step> steps_;
};

json::object counts(const std::map<std::string, int>& map) {
  json::object object;
  for (const auto& [name, count] : map) object[name] = count;
  return object;
}

json::object to_json(const Drift& drift) {
  return {{"earlier", drift.earlier}, {"later", drift.later}, {"change", drift.change()}};
}

json::object to_json(const StepStats& stats) {
  return {{"step", stats.step},
          {"runs", stats.runs},
          {"failed", stats.failed},
          {"flaky", stats.flaky},
          {"retries", stats.retries},
          {"reworks", stats.reworks},
          {"interruptions", stats.interruptions},
          {"failed_contracts", stats.failed_contracts},
          {"working_p50_ms", stats.working_p50_ms},
          {"working_p90_ms", stats.working_p90_ms},
          {"cost_usd", stats.cost_usd},
          {"failures", counts(stats.failures)}};
}

}  // namespace

std::vector<PipelineStats> stats_of(const Retros& retros, const std::string& step) {
  Retros ordered = retros;
  std::ranges::sort(ordered, {},
                    [](const auto& retro) { return std::pair(retro->queued_at, retro->run_id); });
  std::map<std::string, Adder> adders;
  for (const auto& retro : ordered) {
    if (retro->ended) adders[retro->pipeline].add(*retro);
  }
  std::vector<PipelineStats> list;
  for (auto& [pipeline, adder] : adders) list.push_back(adder.finish(pipeline, step));
  std::ranges::sort(
      list, {}, [](const PipelineStats& stats) { return std::pair(-stats.runs, stats.pipeline); });
  return list;
}

json::object to_json(const PipelineStats& stats) {
  json::array steps;
  for (const StepStats& step : stats.steps) steps.push_back(to_json(step));
  return {{"pipeline", stats.pipeline},
          {"runs", stats.runs},
          {"completed", stats.completed},
          {"failed", stats.failed},
          {"rejected", stats.rejected},
          {"cancelled", stats.cancelled},
          {"smoothness", counts(stats.smoothness)},
          {"duration_p50_ms", stats.duration_p50_ms},
          {"duration_p90_ms", stats.duration_p90_ms},
          {"cost_usd", stats.cost_usd},
          {"cost_p50_usd", stats.cost_p50_usd},
          {"cost_drift", to_json(stats.cost)},
          {"duration_drift", to_json(stats.duration)},
          {"steps", std::move(steps)}};
}

}  // namespace wave::server::retro

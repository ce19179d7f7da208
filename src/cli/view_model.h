// What is shown of a run: a fold of its event lines, made for eyes rather than for decisions. The
// terminal learns of a run only in this way, from the same lines as every other viewer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace wave::cli {

struct UsageView {
  int64_t tokens = 0;  // in, out and written to the cache
  double cost_usd = 0;
};

struct StepView {
  std::string id, persona;
  std::string status = "pending";  // the words of a step's status
  int visit = 0, attempt = 0;
  std::optional<WallTime> started, finished;  // of the visit
  std::string activity;                       // what its agent does just now, one line
  std::string note;                           // why it failed, waits or was skipped
  UsageView usage;
  bool tolerated = false;
  bool lacks_disk = false;  // waits until it takes files again
};

struct GateChoiceView {
  std::string key, label;
};

/// A gate that waits for somebody.
struct GateView {
  std::string gate_id, step, type, prompt, default_choice;
  std::vector<GateChoiceView> choices;
  bool freeform = false;
  std::optional<WallTime> deadline;
};

struct ArtifactView {
  std::string step, name, path;
  int64_t size = 0;
};

/// Thread: one at a time. A value: copy freely.
class ViewModel {
 public:
  ViewModel() = default;
  /// `steps` in the pipeline's order: id and persona.
  ViewModel(std::string run_id, std::string pipeline,
            const std::vector<std::pair<std::string, std::string>>& steps);

  /// Takes in one event line, as the store has it. Lines that were taken in already, and kinds it
  /// does not know, change nothing. Returns false when the line is not an event.
  bool apply(std::string_view line);

  std::string run_id, pipeline;
  std::string status = "queued";
  std::string waiting_reason;
  std::optional<WallTime> started, finished;
  uint64_t last_seq = 0;
  size_t planned_steps = 0;  // without those that only run when others need repair; 0: all
  std::vector<StepView> steps;
  std::vector<GateView> gates;  // the waiting ones, oldest first
  std::vector<ArtifactView> artifacts;
  std::vector<std::string> warnings;  // the newest kMaxWarnings
  UsageView usage;
  std::string error_code, error_message, failed_step;
  bool stopping = false, cancelling = false;

  [[nodiscard]] bool is_terminal() const;
  [[nodiscard]] const StepView* find(std::string_view step) const;

  static constexpr size_t kMaxWarnings = 3;

 private:
  void apply_run(std::string_view kind, const json::object& event, WallTime at);
  void apply_step(std::string_view kind, const json::object& event, WallTime at);
  void apply_detail(std::string_view kind, const json::object& event);
  StepView* step_named(std::string_view step);
  void add_usage(StepView* step, const UsageView& used);
  void warn(std::string message);
  void close_gate(std::string_view gate_id);
};

/// A gate's record as its event tells it.
GateView gate_from_event(const json::object& event);

}  // namespace wave::cli

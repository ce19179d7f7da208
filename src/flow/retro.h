// A look back at a run: what its log says of time, money, trouble and results. Pure: the same
// events give the same retrospective.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/event.h"
#include "flow/state.h"

namespace wave::flow {

/// Something that had to be done again, or went wrong, and why.
struct Friction {
  enum class Kind { kRetry, kRework, kInterruption, kJump, kContract, kHook, kTolerated };
  Kind kind = Kind::kRetry;
  std::string step;
  int visit = 0, attempt = 0;
  std::string failure_class, code;
  std::string message;  // bounded
  std::string target;   // of a rework or jump: the step that repairs, or where it went on
  WallTime at{};
};
std::string_view to_string(Friction::Kind kind);

struct FailedContract {
  std::string step;
  int visit = 0, attempt = 0, index = 0;
  std::string type, policy, message, failure_class;
  std::vector<std::string> errors;  // at most kMostErrors, each bounded
  bool evaluable = true;
};

struct RetroGate {
  std::string step, gate_id, outcome, choice, by;
  Millis waited{0};
};

struct RetroStep {
  std::string step, persona, kind, status;
  std::string failure_class;  // of its end, when that was none
  int visits = 0, attempts = 0, retries = 0, reworks = 0, interruptions = 0, failed_contracts = 0;
  Millis working{0};  // an attempt of it ran
  Millis waiting{0};  // between attempts, at gates, or while another step repaired its work
  Usage usage;
};

struct Retro {
  std::string run_id, pipeline, origin_run_id, actor;
  std::string outcome = "queued";  // the words of a run's status
  bool ended = false;
  std::string failed_step, failure_class, error_code, error_message;
  /// effortless, smooth, bumpy, struggled or failed; "unfinished" while it goes on.
  std::string smoothness;
  std::optional<WallTime> queued_at, started_at, finished_at;
  // They add up to `total`: from the acceptance to the last event.
  Millis total{0};
  Millis queued{0};   // waited for a slot
  Millis working{0};  // at least one step ran
  Millis waiting{0};  // for people, timers, or stopped
  Usage usage;
  int retries = 0, reworks = 0, interruptions = 0, jumps = 0, warnings = 0;
  int contracts_passed = 0;
  std::vector<RetroStep> steps;  // in the order they began
  std::vector<Friction> friction;
  size_t friction_left_out = 0;
  std::vector<FailedContract> failed_contracts;
  std::vector<RetroGate> gates;
  std::vector<Artifact> artifacts;
  std::vector<std::string> checkpoints;  // git refs
  std::set<std::string> files;           // agents said that they wrote them
  bool files_complete = true;            // false: there were more, or not all events were read
  [[nodiscard]] const RetroStep* find(std::string_view step) const;

  static constexpr size_t kMostFriction = 200;
  static constexpr size_t kMostErrors = 10;
  static constexpr size_t kMostFiles = 500;
  static constexpr size_t kMostText = 500;  // bytes of a message
};

/// Takes a run's events in order and adds them up. Thread: one at a time.
class RetroBuilder {
 public:
  void add(const Event& event);
  /// The retrospective of what was added. Also of a run that goes on.
  [[nodiscard]] Retro finish() const;

 private:
  struct Live {
    bool working = false;
    bool waiting = false;
  };
  void advance(WallTime now);
  void add_run(const Event& event);
  void add_step(const Event& event);
  void add_detail(const Event& event);
  RetroStep& step(const std::string& name);
  void note(Friction::Kind kind, const Event& event, std::string target = {});
  void end_run(const Event& event, std::string_view outcome);
  void end_step(const Event& event, std::string_view status);

  Retro retro_;
  std::map<std::string, size_t> index_;
  std::map<std::string, Live> live_;
  std::map<std::string, std::pair<size_t, WallTime>> open_gates_;  // gate id -> its place, opening
  bool queued_ = false;                                            // waits for a slot
  bool parked_ = false;                                            // said to be waiting
  std::optional<WallTime> last_;
};

json::object to_json(const Retro& retro);

}  // namespace wave::flow

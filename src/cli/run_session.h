// Driving runs in this process: the runtime, signals, and a view.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>

#include "base/end_watch.h"
#include "base/result.h"
#include "cli/context.h"
#include "cli/local_runs.h"
#include "cli/run_view.h"
#include "engine/runtime.h"

namespace wave::cli {

/// Whether a run is shown while it is driven, or only kept going (a detached owner).
enum class Showing { kAsAsked, kNothing };

/// Owned by one command, which has one at most. Ends the runtime with itself. Thread: the one that
/// made it; it becomes the loop's thread in drive().
class RunSession {
 public:
  /// `context` must have a launcher and outlive the session.
  static Result<std::unique_ptr<RunSession>> open(Context& context);
  ~RunSession();

  [[nodiscard]] engine::Engine& engine() { return engine_; }
  [[nodiscard]] store::Store& store() { return store_; }

  /// Becomes the owner of a live run and carries it to its end. The first SIGINT asks the run to
  /// stop (it can be resumed), the second cancels it, the third or SIGTERM lets go of it: agents
  /// work on. SIGHUP only ends the showing. Returns the exit code.
  Result<int> drive(const std::string& run_id, Showing showing);
  /// What is done after the run's end breaks off when SIGINT or SIGTERM comes.
  [[nodiscard]] std::stop_token ending() const { return ending_.get_token(); }

 private:
  RunSession(Context& context, engine::Runtime& runtime);
  void heard(EndWatch& watch, int signal, const std::string& run_id);
  void on_signal(int signal, const std::string& run_id);
  void submit(const std::string& run_id, const std::string& kind);
  void on_end(const engine::Engine::Ended& ended);
  void let_go();
  void finish_view();
  Result<int> conclude(const ViewModel& model);

  std::unique_ptr<EndWatch> watch_;  // until everything else has ended
  Context& context_;
  engine::Runtime& runtime_;
  AsioLoop& loop_ = runtime_.loop();
  store::Store& store_ = runtime_.store();
  engine::Engine& engine_ = runtime_.engine();
  StoreRuns runs_;
  std::unique_ptr<RunView> view_;
  std::optional<engine::Engine::Ended> ended_;
  Showing showing_ = Showing::kAsAsked;
  std::stop_source ending_;
  std::atomic<bool> driven_ = false;                                   // the loop has returned
  std::atomic<int> code_when_forced_ = exit_code(Code::kInterrupted);  // should we not end soon
  int heard_interrupts_ = 0;                                           // of the watch's thread
  int interrupts_ = 0;
  bool let_go_ = false;
  bool is_closing_ = false;  // the run has ended; its view is being finished
};

/// What is known of a run before its first event is shown.
ViewModel start_model(RunAccess& runs, const std::string& run_id);
/// How runs are shown here and now.
RunViewConfig view_config(const Context& context, Showing showing);
/// What is said of a run that ended, after its view. Where nothing is shown, an error is noted.
std::string closing_words(const Context& context, const ViewModel& model, Showing showing,
                          WallTime now);
/// A signal asked for the end: how long an output that nobody reads is waited for then.
inline constexpr Millis kReaderPatience{1'000};

/// The exit code of a run that ended, or is waiting, like this.
int exit_code_of(flow::RunStatus status);

/// Starts a process of its own (and its own session) that drives the run; it outlives us and our
/// terminal. What it has to say goes to the run's owner.log.
Status spawn_owner(const Context& context, const std::string& run_id);

/// Runs whose owner died go on: each gets an owner in the background. Says so. Never fails.
void adopt_orphans(Context& context, store::Store& store, const std::string& except_run);

}  // namespace wave::cli

// Shows a run as it goes, read after each commit, like every other viewer.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/output_queue.h"
#include "cli/gate_input.h"
#include "cli/live_screen.h"
#include "cli/render.h"
#include "cli/run_access.h"
#include "cli/terminal.h"
#include "cli/view_model.h"

namespace wave::cli {

enum class ViewMode {
  kLive,    // lines that change in place, on a terminal
  kPlain,   // one line per event that matters
  kJson,    // every event as the store has it, one line each
  kSilent,  // nothing; the model is kept up to date all the same
};

struct RunViewConfig {
  ViewMode mode = ViewMode::kPlain;
  RenderStyle style;           // the size is asked of the terminal
  bool with_activity = false;  // kPlain: also what agents say and do
  bool answers = false;        // kLive: gates can be answered by key
  int out_fd = 1, in_fd = 0;
  OutputQueue* out = nullptr;  // of out_fd; kSilent needs none
};

/// Reading, folding, drawing and writing happen in one job on the loop's pool, one at a time, so
/// that neither a slow disk nor a stopped terminal holds the run up. Lines wait for their reader
/// for as long as nobody gives it up; drawings that it has not seen are left out. Thread: the
/// loop's, unless said otherwise. Loop, runs and queue must outlive it, and the loop must not run
/// after it is gone.
class RunView {
 public:
  RunView(Loop& loop, RunAccess& runs, ViewModel start, RunViewConfig config);
  ~RunView();
  RunView(const RunView&) = delete;
  RunView& operator=(const RunView&) = delete;

  /// There may be something new. Thread: any.
  void wake();
  /// The terminal changed its size, or we were stopped and go on.
  void redraw();
  /// The terminal is gone: nothing is written or read from here on.
  void detach();
  /// Shows everything that is stored by now and what `closing` says of it, leaves the terminal as
  /// it was, then calls `done`: when all of it was read, or its reader was given up. `closing` is
  /// called on the pool, with a model that does not change any more.
  using Closing = std::move_only_function<std::string(const ViewModel&)>;
  void finish(Closing closing, Callback done);

  /// What is known by now. Only between finish's `done` and the view's end.
  [[nodiscard]] const ViewModel& model() const { return model_; }

 private:
  struct Job;
  void start_job();
  void job_done(Job& job);
  void schedule(Millis delay);
  void on_keys();
  void take_keys(const std::vector<Key>& keys);
  void stop_keyboard();

  // The job's side: model_, screen_, input_ and lost_ belong to the job while one is in flight.
  void read_and_show(Job& job);
  void show_lines(const std::vector<store::StoredEvent>& events);
  void draw(bool last);
  void close();
  void write(std::string_view bytes);
  void answer(const GateAnswer& answer);

  Loop& loop_;
  RunAccess& runs_;
  RunViewConfig config_;
  ViewModel model_;
  LiveScreen screen_;
  GateInput input_;
  std::string last_error_;

  std::unique_ptr<KeyboardMode> keyboard_;
  Loop::WatchId key_watch_ = 0;
  TerminalKeys terminal_keys_;
  std::vector<Key> keys_;  // typed and not yet given to a job
  Loop::TimerId timer_ = 0, escape_timer_ = 0;
  MonoTime last_job_{};
  Closing closing_;
  Callback finish_done_;
  bool in_flight_ = false;
  bool again_ = false;  // something new came while a job was in flight
  bool resized_ = false;
  std::atomic<bool> posted_{false};
  std::atomic<bool> lost_{false};  // the terminal or the reader is gone
};

}  // namespace wave::cli

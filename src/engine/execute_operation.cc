// Runs, or finds again, the agent or command of an attempt and turns its output into events.
#include <fmt/core.h>

#include "base/log.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "engine/launch.h"
#include "engine/operation.h"
#include "engine/progress.h"
#include "engine/step_setup.h"

namespace wave::engine {
namespace {

using flow::FailureClass;
using flow::Kind;

constexpr uint64_t kMaxUnstoredBytes = 8 << 20;  // of output read but not yet in the store
/// Where reading goes on behind skipped output, so much is not shown: a secret that began before
/// could not be recognised in it.
constexpr uint64_t kUnshownAfterSkip = 512 << 10;
constexpr int kMaxSetupTries = 4;        // where what is in the way may go away
constexpr Millis kFirstSetupPause{100};  // four times as long after each
constexpr size_t kMaxContent = 2048;     // of one activity
constexpr size_t kMaxOutputTail = 2000;

// A file that is there already, a folder that is not empty, a git that finds another one at work:
// what is in the way may be going away right now.
bool may_pass(const Error& error) {
  return error.code == Code::kIo || error.code == Code::kGit;
}

class ExecuteOperation final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override;
  void stop(flow::StopReason reason) override;
  void detach() override;

 private:
  enum class Phase { kSettingUp, kFollowing, kEnded };

  void work_ended() override { progress_.end(); }
  void set_up(bool attach);
  bool try_set_up_again(const Error& error);
  void launch(StepSetup setup);
  void follow_unless_ended();
  void follow();
  void on_bytes(bool err, uint64_t offset, std::string_view bytes);
  void take_in(bool err, std::string_view masked, std::vector<agent::Activity>& activity);
  void on_skipped(bool err, uint64_t count);
  void on_exit(const process::HostExit& exit);
  void conclude(const process::HostExit& exit, const agent::AgentResult& result);
  void interrupt_step(json::object data);
  void launch_failed(const Error& error);
  void not_launched(const Error& error);
  void end_without_process(FailureClass failure, const Error& error);
  void add_activity(const std::vector<agent::Activity>& activity);
  void flush();
  [[nodiscard]] store::SpoolMark mark() const;
  [[nodiscard]] flow::Event exited(const process::HostExit& exit, const agent::AgentResult& result);
  void restore_parser();
  void touch_watchdog(bool progress);
  void arm_watchdog();
  void watchdog_fired();
  [[nodiscard]] FailureClass stop_class() const;
  [[nodiscard]] std::string_view interruption(const process::HostExit& exit) const;
  [[nodiscard]] std::string_view workspace_type() const;
  [[nodiscard]] std::string text(std::string_view raw, size_t max) const {
    return excerpt(run_->redactor.redact(raw), max);
  }

  Phase phase_ = Phase::kSettingUp;
  StepSetup setup_;
  std::string setup_workspace_;
  std::unique_ptr<agent::OutputParser> parser_;
  std::unique_ptr<StreamRedactor> out_redactor_, err_redactor_;
  std::unique_ptr<Followed> followed_;
  LaunchName launch_name_;
  std::vector<flow::Event> pending_;
  uint64_t out_offset_ = 0, err_offset_ = 0;
  uint64_t unshown_out_ = 0, unshown_err_ = 0;  // still to come, after a skip
  uint64_t skipped_bytes_ = 0;
  uint64_t unstored_bytes_ = 0;
  bool flushing_ = false;
  std::string output_tail_;
  bool paused_ = false, stalled_ = false;
  Loop::TimerId watchdog_ = 0, setup_timer_ = 0;
  int setup_tries_ = 0;
  Progress progress_;
  MonoTime last_activity_{}, last_progress_{};
};

void ExecuteOperation::start() {
  const flow::StepState* state = run_->state.find(operation_.step);
  launch_name_ = launch_name(*state);
  const ShortageWatch watch;
  const bool attach = run_->world.inspect(launch_folder(*run_, launch_name_.text())) !=
                      process::HostedState::kNeverStarted;
  // What could not be looked at may run: nothing is set up anew beneath it.
  if (const auto lacking = watch.seen(); lacking && stop_ == flow::StopReason::kNone) {
    return wait_for_resources(*lacking, [this] { start(); });
  }
  if (!attach && stop_ != flow::StopReason::kNone) {
    end_without_process(stop_class(), Error(Code::kCancelled, "it was ended before it started"));
    return;
  }
  set_up(attach);
}

void ExecuteOperation::set_up(bool attach) {
  const flow::StepState* state = run_->state.find(operation_.step);
  auto input =
      std::make_shared<SetupInput>(setup_input(*run_, run_->step(operation_.step), *state));
  // What runs already is followed to its end, whatever was asked meanwhile.
  if (!attach) input->interrupt = interrupt();
  progress_.begin(run_->loop, [this](Millis so_far) {
    flow::Event said =
        event(Kind::kStreamActivity, progress_data("preparing the workspace", so_far));
    report({.events = {std::move(said)}, .ended = false});
  });
  on_pool_with_disk(
      [run = run_, input, attach]() -> Result<StepSetup> {
        if (!attach) {
          WAVE_CHECK(run->world.check_disk());
          return set_up_step(*run, *input);
        }
        // What ran in an earlier life is followed; its workspace is found again, not made anew.
        StepSetup found;
        WAVE_TRY(found.workspace, prepare_workspace(*run, *input));
        found.host = launched(*run, launch_name(input->state).text());
        found.adapter = agent::find_adapter(
            input->step->kind == model::StepKind::kCommand ? "command" : input->state.adapter);
        if (found.adapter == nullptr) {
          return fail(Code::kUnsupported,
                      fmt::format("adapter \"{}\" is not there", input->state.adapter));
        }
        return found;
      },
      [this](Result<StepSetup> setup) {
        if (setup) return launch(*std::move(setup));
        if (try_set_up_again(setup.error())) return;
        const bool asked = stop_ != flow::StopReason::kNone;
        end_without_process(asked                     ? stop_class()
                            : may_pass(setup.error()) ? FailureClass::kTransient
                                                      : FailureClass::kDeterministic,
                            setup.error());
      });
}

bool ExecuteOperation::try_set_up_again(const Error& error) {
  if (!may_pass(error) || stop_ != flow::StopReason::kNone || ++setup_tries_ == kMaxSetupTries) {
    return false;
  }
  log::info("run {}: step {} is set up again: {}", run_->run_id, operation_.step,
            full_message(error));
  const Millis pause = kFirstSetupPause * (1 << (2 * (setup_tries_ - 1)));
  setup_timer_ = run_->loop.call_at(run_->loop.clock().mono() + pause, [this] {
    setup_timer_ = 0;
    start();
  });
  return true;
}

void ExecuteOperation::launch(StepSetup setup) {
  setup_ = std::move(setup);
  setup_workspace_ = setup_.workspace.root.lexically_relative(run_->paths.project).native();
  const flow::StepState* state = run_->state.find(operation_.step);
  if (state->workspace != setup_workspace_) {
    pending_.push_back(event(Kind::kWorkspaceCreated, {{"path", setup_workspace_},
                                                       {"type", workspace_type()},
                                                       {"branch", setup_.workspace.branch},
                                                       {"base", setup_.workspace.head}}));
  }
  for (const StepSetup::Warning& warning : setup_.warnings) {
    pending_.push_back(
        event(Kind::kWarningRaised,
              {{"code", warning.code}, {"message", run_->redactor.redact(warning.message)}}));
  }
  follow_unless_ended();
}

void ExecuteOperation::follow_unless_ended() {
  if (stop_ != flow::StopReason::kNone &&
      run_->world.inspect(setup_.host.dir) == process::HostedState::kNeverStarted) {
    return end_without_process(stop_class(),
                               Error(Code::kCancelled, "it was ended before it started"));
  }
  follow();
}

void ExecuteOperation::follow() {
  restore_parser();
  process::FollowHandlers handlers{
      .on_bytes = [this](bool err, uint64_t offset,
                         std::string_view bytes) { on_bytes(err, offset, bytes); },
      .on_exit =
          [self = weak_from_this(), this](const process::HostExit& exit) {
            if (const auto alive = self.lock()) on_exit(exit);
          },
      .on_skipped = {},
      .on_failed =
          [self = weak_from_this(), this](const Error& error) {
            if (const auto alive = self.lock()) launch_failed(error);
          },
      .on_host_stopped =
          [this] {
            pending_.push_back(event(Kind::kWarningRaised, stopped_host_warning()));
            flush();
          }};
  if (parser_->may_skip()) {
    handlers.on_skipped = [this](bool err, uint64_t, uint64_t count) { on_skipped(err, count); };
  }
  auto followed =
      run_->world.start_or_attach(setup_.host, out_offset_, err_offset_, std::move(handlers));
  if (!followed) return launch_failed(followed.error());
  phase_ = Phase::kFollowing;
  followed_ = *std::move(followed);
  touch_watchdog(true);
  arm_watchdog();
  if (stop_ != flow::StopReason::kNone) followed_->stop(stop_ == flow::StopReason::kForceCancel);
}

/// A launcher or host that does not answer, and what the machine is short of, is no fault of the
/// step: it waits.
void ExecuteOperation::launch_failed(const Error& error) {
  phase_ = Phase::kSettingUp;
  if (watchdog_ != 0) run_->loop.cancel_timer(std::exchange(watchdog_, 0));
  if (stop_ != flow::StopReason::kNone || !launch_may_pass(error)) return not_launched(error);
  wait_for_resources(error, [this] { follow_unless_ended(); });
}

void ExecuteOperation::restore_parser() {
  parser_ = setup_.adapter->parser();
  // A command's output is text: secrets are masked in the stream, across chunk borders. Agents'
  // output is JSON lines; their texts are masked once they are decoded.
  if (setup_.adapter->info().name == "command") {
    out_redactor_ = std::make_unique<StreamRedactor>(run_->redactor);
    err_redactor_ = std::make_unique<StreamRedactor>(run_->redactor);
  }
  const auto mark = run_->spool_marks.find(launch_name_.text());
  if (mark == run_->spool_marks.end()) return;
  if (!parser_->restore(mark->second.parser_state)) {
    parser_ =
        setup_.adapter->parser();  // an older wave's state: read the spool again from the start
    return;
  }
  out_offset_ = mark->second.out_offset;
  err_offset_ = mark->second.err_offset;
}

void ExecuteOperation::on_bytes(bool err, uint64_t offset, std::string_view bytes) {
  // The host ends what floods; what it printed beyond the cap until then is nobody's business.
  const uint64_t cap = run_->manifest().runtime.max_output_size;
  bytes = bytes.substr(0, offset < cap ? cap - offset : 0);
  if (bytes.empty()) return;
  auto& redactor = err ? err_redactor_ : out_redactor_;
  const std::string masked = redactor ? redactor->feed(bytes) : std::string();
  std::vector<agent::Activity> activity;
  take_in(err, redactor ? std::string_view(masked) : bytes, activity);
  unstored_bytes_ += bytes.size();
  // Of a command nothing is known but that it prints.
  touch_watchdog(setup_.adapter->info().name == "command");
  add_activity(activity);
  if (!activity.empty() || unstored_bytes_ > kMaxUnstoredBytes) flush();
  if (unstored_bytes_ > kMaxUnstoredBytes && !paused_) {
    paused_ = true;
    followed_->pause();
  }
}

/// Bytes that may be shown, and count as read.
void ExecuteOperation::take_in(bool err, std::string_view masked,
                               std::vector<agent::Activity>& activity) {
  (err ? err_offset_ : out_offset_) += masked.size();
  uint64_t& unshown = err ? unshown_err_ : unshown_out_;
  const uint64_t hidden = std::min<uint64_t>(unshown, masked.size());
  if (hidden > 0) {
    unshown -= hidden;
    skipped_bytes_ += hidden;
    parser_->skip(err, hidden);
    masked.remove_prefix(hidden);
  }
  if (err) {
    parser_->feed_err(masked, activity);
  } else {
    parser_->feed_out(masked, activity);
  }
  output_tail_.append(utf8_suffix(masked, kMaxOutputTail));
  if (output_tail_.size() > 4 * kMaxOutputTail) {
    output_tail_ = std::string(utf8_suffix(output_tail_, kMaxOutputTail));
  }
}

void ExecuteOperation::on_skipped(bool err, uint64_t count) {
  auto& redactor = err ? err_redactor_ : out_redactor_;
  std::vector<agent::Activity> activity;
  if (redactor) {
    take_in(err, redactor->finish(), activity);
    redactor = std::make_unique<StreamRedactor>(run_->redactor);
    (err ? unshown_err_ : unshown_out_) = kUnshownAfterSkip;
  }
  (err ? err_offset_ : out_offset_) += count;
  skipped_bytes_ += count;
  parser_->skip(err, count);
  add_activity(activity);
}

void ExecuteOperation::add_activity(const std::vector<agent::Activity>& activity) {
  for (const agent::Activity& one : activity) {
    if (one.progress) touch_watchdog(true);
    json::object data{{"kind", one.kind}, {"content", text(one.content, kMaxContent)}};
    if (!one.tool_name.empty()) data["tool_name"] = one.tool_name;
    if (!one.tool_target.empty()) data["tool_target"] = text(one.tool_target, 512);
    if (one.is_error) data["is_error"] = true;
    data["launch"] = launch_name_.text();
    data["stream"] = one.stream;
    data["offset"] = one.offset;
    data["length"] = one.length;
    pending_.push_back(event(Kind::kStreamActivity, std::move(data)));
  }
}

store::SpoolMark ExecuteOperation::mark() const {
  return {.step = operation_.step,
          .visit = operation_.visit,
          .attempt = operation_.attempt,
          .purpose = launch_name_.purpose,
          .out_offset = out_offset_,
          .err_offset = err_offset_,
          .parser_state = parser_->save()};
}

// Offset, parser state and events go into one transaction, so that none of them is ever without the
// others. One at a time: what comes meanwhile goes together into the next.
void ExecuteOperation::flush() {
  if (std::exchange(flushing_, true)) return;
  const uint64_t bytes = unstored_bytes_;
  report({.events = std::exchange(pending_, {}),
          .spool_marks = {mark()},
          .ended = false,
          .committed = [self = weak_from_this(), this, bytes] {
            const auto alive = self.lock();
            if (!alive || phase_ != Phase::kFollowing) return;
            flushing_ = false;
            unstored_bytes_ -= std::min(unstored_bytes_, bytes);
            const bool may_go_on = unstored_bytes_ <= kMaxUnstoredBytes / 2;
            if (!pending_.empty() || (paused_ && !may_go_on)) flush();
            if (paused_ && may_go_on) {
              paused_ = false;
              followed_->resume();
            }
          }});
}

void ExecuteOperation::on_exit(const process::HostExit& exit) {
  phase_ = Phase::kEnded;
  if (watchdog_ != 0) run_->loop.cancel_timer(std::exchange(watchdog_, 0));
  std::vector<agent::Activity> activity;
  if (out_redactor_) {
    take_in(false, out_redactor_->finish(), activity);
    take_in(true, err_redactor_->finish(), activity);
  }
  if (const std::string_view why = interruption(exit); !why.empty()) {
    add_activity(activity);
    return interrupt_step({{"reason", why}});
  }
  agent::AgentResult result = parser_->finish(exit, activity);
  add_activity(activity);
  if (result.succeeded || stop_ != flow::StopReason::kNone || exit.reason == "output_limit") {
    return conclude(exit, result);
  }
  // A program that finds no room fails in its own words, or cannot even say what came of its work;
  // one whose folder went away could not be started. Neither is its fault.
  on_pool([run = run_, exit] { return disk_shortage(run->world, exit); },
          [this, exit, result = std::move(result)](const std::optional<Error>& lacking) {
            if (!lacking || stop_ != flow::StopReason::kNone) return conclude(exit, result);
            json::object data{{"reason", flow::kWaitsForDisk},
                              {"message", text(full_message(*lacking), kMaxContent)}};
            if (result.usage != flow::Usage{}) data["usage"] = flow::to_json(result.usage);
            interrupt_step(std::move(data));
          });
}

void ExecuteOperation::interrupt_step(json::object data) {
  pending_.push_back(event(Kind::kStepInterrupted, std::move(data)));
  report({.events = std::exchange(pending_, {}), .spool_marks = {mark()}});
}

void ExecuteOperation::conclude(const process::HostExit& exit, const agent::AgentResult& result) {
  if (exit.disk_ran_out) {
    pending_.push_back(
        event(Kind::kWarningRaised,
              {{"code", code_name(Code::kDiskFull)},
               {"message",
                fmt::format("the disk was full for a while during {}: lines of its output, and "
                            "what it wrote to files then, may be missing",
                            launch_name_.text())}}));
  }
  pending_.push_back(exited(exit, result));
  if (out_offset_ + err_offset_ == 0) return report({.events = std::exchange(pending_, {})});
  // What events point to is on disk before they are.
  on_pool(
      [dir = setup_.host.dir]() -> Status {
        WAVE_CHECK(sync_path(dir / "out"));
        return sync_path(dir / "err");
      },
      [this](const Status&) {
        report({.events = std::exchange(pending_, {}), .spool_marks = {mark()}});
      });
}

// Why the attempt was cut off by nobody's decision here; empty when it was not.
std::string_view ExecuteOperation::interruption(const process::HostExit& exit) const {
  if (exit.reason == "host_lost") return "host_lost";
  if (exit.reason == "unattended") return "owner_lost";
  const bool asked = stop_ != flow::StopReason::kNone || stalled_;
  return exit.reason == "stopped" && !asked ? "machine" : "";
}

flow::Event ExecuteOperation::exited(const process::HostExit& exit,
                                     const agent::AgentResult& result) {
  json::object data{{"succeeded", result.succeeded},
                    {"reason", exit.reason},
                    {"duration_ms", exit.duration.count()},
                    {"out_bytes", exit.out_bytes},
                    {"err_bytes", exit.err_bytes}};
  if (skipped_bytes_ > 0) data["skipped_bytes"] = skipped_bytes_;
  if (exit.signal != 0) {
    data["signal"] = exit.signal;
  } else {
    data["exit_code"] = exit.exit_code;
  }
  if (result.usage != flow::Usage{}) data["usage"] = flow::to_json(result.usage);
  if (!result.session_id.empty()) data["session"] = result.session_id;
  if (!result.model.empty()) data["model"] = result.model;
  if (!result.final_text.empty()) data["final_text"] = text(result.final_text, kMaxContent);
  if (!exit.leaked.empty()) data["leaked"] = json::value_from(exit.leaked);
  if (result.succeeded && stop_ == flow::StopReason::kNone)
    return event(Kind::kAgentExited, std::move(data));

  FailureClass failure =
      result.failure == FailureClass::kNone ? FailureClass::kTransient : result.failure;
  std::string message = result.message;
  if (stalled_) {
    failure = FailureClass::kStalled;
    message =
        fmt::format("no progress for {}", format_duration(run_->manifest().runtime.stall_timeout));
  }
  // What ended by itself just before it was asked to keeps its own result only where that was
  // success (a cancelled run does not count it, a stopped one need not repeat it).
  if (stop_ != flow::StopReason::kNone && !(result.succeeded && stop_ == flow::StopReason::kStop)) {
    failure = stop_class();
    message = "it was asked to end";
    data["succeeded"] = false;
  }
  if (data.at("succeeded").as_bool()) return event(Kind::kAgentExited, std::move(data));
  data["failure_class"] = flow::to_string(failure);
  data["code"] = code_name(result.succeeded ? Code::kCancelled : result.code);
  data["message"] = text(message, kMaxContent);
  data["output_tail"] =
      excerpt(run_->redactor.redact(utf8_suffix(output_tail_, kMaxOutputTail)), kMaxOutputTail);
  if (result.retry_after) data["retry_after_ms"] = result.retry_after->count();
  return event(Kind::kAgentExited, std::move(data));
}

void ExecuteOperation::not_launched(const Error& error) {
  on_pool([run = run_, error, waited = waits()] { return disk_wait(run->world, error, waited); },
          [this, error](const std::optional<Error>& lacking) {
            if (!lacking || !may_wait()) {
              const bool asked = stop_ != flow::StopReason::kNone;
              return end_without_process(asked ? stop_class() : FailureClass::kTransient, error);
            }
            phase_ = Phase::kEnded;
            report_disk_wait(*lacking, std::exchange(pending_, {}));
          });
}

void ExecuteOperation::end_without_process(FailureClass failure, const Error& error) {
  phase_ = Phase::kEnded;
  json::object data{{"succeeded", false},
                    {"reason", "not_started"},
                    {"failure_class", flow::to_string(failure)},
                    {"code", code_name(error.code)},
                    {"message", text(full_message(error), kMaxContent)},
                    {"duration_ms", 0}};
  if (!error.hint.empty()) data["hint"] = error.hint;
  if (error.source) data["source"] = to_string(*error.source);
  pending_.push_back(event(Kind::kAgentExited, std::move(data)));
  report_end(std::exchange(pending_, {}));
}

void ExecuteOperation::stop(flow::StopReason reason) {
  const bool more_urgent = reason > stop_;
  ActiveOperation::stop(reason);
  if (!more_urgent) return;
  if (setup_timer_ != 0) {
    run_->loop.cancel_timer(std::exchange(setup_timer_, 0));
    return end_without_process(stop_class(),
                               Error(Code::kCancelled, "it was ended before it started"));
  }
  if (phase_ == Phase::kFollowing) followed_->stop(stop_ == flow::StopReason::kForceCancel);
}

void ExecuteOperation::detach() {
  ActiveOperation::detach();
  progress_.end();
  phase_ = Phase::kEnded;
  if (watchdog_ != 0) run_->loop.cancel_timer(std::exchange(watchdog_, 0));
  if (setup_timer_ != 0) run_->loop.cancel_timer(std::exchange(setup_timer_, 0));
  followed_.reset();
}

FailureClass ExecuteOperation::stop_class() const {
  return stop_ == flow::StopReason::kStop ? FailureClass::kStopped : FailureClass::kCanceled;
}

std::string_view ExecuteOperation::workspace_type() const {
  switch (run_->step(operation_.step).workspace.kind) {
    case model::Workspace::Kind::kPlain:
      return "plain";
    case model::Workspace::Kind::kMount:
      return "mount";
    case model::Workspace::Kind::kWorktree:
      return "worktree";
    case model::Workspace::Kind::kRef:
      return "ref";
  }
  return "plain";
}

void ExecuteOperation::touch_watchdog(bool progress) {
  last_activity_ = run_->loop.clock().mono();
  if (progress) last_progress_ = last_activity_;
}

// Two limits of the same length: silence, and activity that only reads (wave-model.md 3.6).
void ExecuteOperation::arm_watchdog() {
  const Millis limit = run_->manifest().runtime.stall_timeout;
  if (limit.count() == 0) return;
  watchdog_ = run_->loop.call_at(std::min(last_activity_, last_progress_) + limit,
                                 [this] { watchdog_fired(); });
}

void ExecuteOperation::watchdog_fired() {
  watchdog_ = 0;
  const Millis limit = run_->manifest().runtime.stall_timeout;
  if (run_->loop.clock().mono() < std::min(last_activity_, last_progress_) + limit)
    return arm_watchdog();
  stalled_ = true;
  followed_->stop(false);
}

}  // namespace

std::shared_ptr<ActiveOperation> make_execute(std::shared_ptr<RunContext> run,
                                              const flow::Operation& operation,
                                              ActiveOperation::Reporter reporter) {
  return std::make_shared<ExecuteOperation>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine

#include "cli/run_session.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "base/descriptor_limit.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/error_printer.h"
#include "process/agent_guard.h"
#include "process/host_life.h"
#include "process/spawn_attributes.h"
#include "store/owner_lock.h"
#include "store/server_lock.h"

namespace wave::cli {
namespace {

ViewMode view_mode(const Context& context) {
  switch (context.global().output) {
    case OutputMode::kJson:
      return ViewMode::kJson;
    case OutputMode::kQuiet:
      return ViewMode::kSilent;
    case OutputMode::kText:
      return ViewMode::kPlain;
    case OutputMode::kAuto:
      break;
  }
  return wants_live_view(terminal_facts(context.environment())) ? ViewMode::kLive
                                                                : ViewMode::kPlain;
}

}  // namespace

ViewModel start_model(RunAccess& runs, const std::string& run_id) {
  std::vector<std::pair<std::string, std::string>> steps;
  const auto details = runs.run(run_id);
  if (!details) return {run_id, {}, {}};
  for (const flow::StepRow& step : details->steps) steps.emplace_back(step.step, step.persona);
  ViewModel model(run_id, details->row.pipeline, steps);
  model.planned_steps = static_cast<size_t>(std::max(0, details->row.steps_total));
  return model;
}

RunViewConfig view_config(const Context& context, Showing showing) {
  RunViewConfig config;
  config.mode = showing == Showing::kNothing ? ViewMode::kSilent : view_mode(context);
  config.style.colors = context.colors();
  config.style.unicode = context.unicode();
  config.with_activity = context.global().verbosity > 0;
  if (config.mode != ViewMode::kSilent) config.out = &context.streams().output();
  const TerminalFacts facts = terminal_facts(context.environment());
  config.answers = facts.in_is_tty && !process::calling_agent(context.environment());
  return config;
}

std::string closing_words(const Context& context, const ViewModel& model, Showing showing,
                          WallTime now) {
  const ViewMode mode = showing == Showing::kNothing ? ViewMode::kSilent : view_mode(context);
  if (mode == ViewMode::kLive || mode == ViewMode::kPlain) {
    const RenderStyle style{.colors = context.colors(), .unicode = context.unicode()};
    return "\n" + render_summary(model, now, style);
  }
  if (mode == ViewMode::kSilent && !model.error_message.empty()) {
    context.streams().note(
        error_text({code_from_name(model.error_code).value_or(Code::kAgentFailed),
                    model.error_message, "see: wave logs " + model.run_id},
                   false));
  }
  return {};
}

int exit_code_of(flow::RunStatus status) {
  switch (status) {
    case flow::RunStatus::kCompleted:
    case flow::RunStatus::kCompletedEmpty:
      return 0;
    case flow::RunStatus::kFailed:
      return 1;
    case flow::RunStatus::kRejected:
      return 4;
    case flow::RunStatus::kCancelled:
      return 8;
    case flow::RunStatus::kQueued:
    case flow::RunStatus::kRunning:
    case flow::RunStatus::kWaiting:
      return 130;
  }
  return 1;
}

Result<std::unique_ptr<RunSession>> RunSession::open(Context& context) {
  WAVE_TRY(engine::Runtime * runtime, context.start_runtime());
  WAVE_CHECK(process::check_supervision(context.paths().state()));
  return std::unique_ptr<RunSession>(new RunSession(context, *runtime));
}

RunSession::RunSession(Context& context, engine::Runtime& runtime)
    : context_(context), runtime_(runtime), runs_(store_, context.actor()) {}

RunSession::~RunSession() {
  if (watch_) watch_->stop_hearing();
  runtime_.end();  // its callbacks know this object
}

Result<int> RunSession::drive(const std::string& run_id, Showing showing) {
  showing_ = showing;
  WAVE_TRY(watch_, EndWatch::start({SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT},
                                   [this, run_id](EndWatch& watch, int signal) {
                                     heard(watch, signal, run_id);
                                   }));
  WAVE_CHECK(engine_.adopt(
      run_id, [this](const std::string&, const engine::Engine::Ended& ended) { on_end(ended); }));
  view_ = std::make_unique<RunView>(loop_, runs_, start_model(runs_, run_id),
                                    view_config(context_, showing));
  // The store calls from a thread of its own, often: one post at a time is enough.
  auto posted = std::make_shared<std::atomic<bool>>(false);
  const uint64_t subscription = store_.subscribe([this, posted](const std::string&, uint64_t) {
    if (posted->exchange(true)) return;
    loop_.post([this, posted] {
      *posted = false;
      engine_.poll_commands();
      view_->wake();
    });
  });
  view_->wake();
  loop_.run();
  driven_ = true;
  store_.unsubscribe(subscription);
  const ViewModel model = view_->model();
  view_.reset();
  return conclude(model);
}

// On the watch's thread: the loop may be busy. SIGTERM and the third SIGINT are not negotiable.
void RunSession::heard(EndWatch& watch, int signal, const std::string& run_id) {
  if (signal == SIGINT) ++heard_interrupts_;
  const bool asks = signal == SIGTERM || signal == SIGINT;
  if (signal == SIGTERM || heard_interrupts_ > 2) watch.end_soon(code_when_forced_);
  if (asks && driven_) ending_.request_stop();
  loop_.post([this, signal, run_id] { on_signal(signal, run_id); });
}

void RunSession::on_signal(int signal, const std::string& run_id) {
  switch (signal) {
    case SIGWINCH:
    case SIGCONT:
      view_->redraw();
      return;
    case SIGHUP:
      view_->detach();
      return;
    case SIGTERM:
      let_go();
      return;
    default:
      break;
  }
  ++interrupts_;
  // Nothing is left to do but to wait for a reader.
  if (is_closing_) return context_.streams().give_up_after(kReaderPatience);
  if (interrupts_ == 1) {
    submit(run_id, "stop");
  } else if (interrupts_ == 2) {
    submit(run_id, "cancel");
  } else {
    let_go();
  }
}

void RunSession::submit(const std::string& run_id, const std::string& kind) {
  store::Command command;
  command.run_id = run_id;
  command.kind = kind;
  command.payload = {{"reason", "interrupted from the terminal"}, {"force", false}};
  command.actor = context_.actor();
  command.via = "cli";
  command.created_at = loop_.clock().wall();
  if (const auto submitted = store_.submit_command(command); !submitted) {
    log::error("cannot {} the run: {}", kind, full_message(submitted.error()));
    return;
  }
  engine_.poll_commands();
}

void RunSession::on_end(const engine::Engine::Ended& ended) {
  ended_ = ended;
  const bool is_over = ended.quarantine && flow::is_terminal(ended.status);
  if (is_over) code_when_forced_ = kOutputIncomplete;
  // The end is stored already; the view reads up to it. Posted: `adopt` may call this at once.
  loop_.post([this] { finish_view(); });
}

void RunSession::finish_view() {
  if (is_closing_) return;
  is_closing_ = true;
  if (interrupts_ > 0 || let_go_) context_.streams().give_up_after(kReaderPatience);
  view_->finish(
      [this](const ViewModel& model) -> std::string {
        if (!ended_ || !ended_->quarantine) return {};
        return closing_words(context_, model, showing_, loop_.clock().wall());
      },
      [this] { loop_.stop(); });
}

void RunSession::let_go() {
  if (let_go_) return;
  let_go_ = true;
  if (is_closing_) return context_.streams().give_up_after(kReaderPatience);
  engine_.abandon();
  finish_view();
}

Result<int> RunSession::conclude(const ViewModel& model) {
  const std::string resume = "wave resume " + model.run_id;
  if (!ended_) {
    context_.note("\nThe agents of " + model.run_id +
                  " work on without us; take over with: " + resume + "\n");
    return exit_code(Code::kInterrupted);
  }
  if (!ended_->quarantine) {
    return fail(Code::kInternal,
                "the run cannot go on: " + full_message(ended_->quarantine.error()),
                "its log is kept: wave logs " + model.run_id);
  }
  return exit_code_of(ended_->status);
}

Status spawn_owner(const Context& context, const std::string& run_id) {
  const store::StatePaths& paths = context.paths();
  WAVE_CHECK(make_directories_below(paths.state(), paths.run(run_id), 0700));
  const std::string log_path = paths.run(run_id) / "owner.log";
  std::vector<std::string> arguments{
      "wave", "-C", context.project().string(), "-m", context.manifest_path(), "__own", run_id};
  if (!paths.database_file.empty()) {
    arguments.insert(arguments.begin() + 1, {"--db", paths.database_file.string()});
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  process::SpawnAttributes spawn(process::SpawnAttributes::Apart::kSession);
  ::posix_spawn_file_actions_addopen(spawn.actions(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(spawn.actions(), STDOUT_FILENO, log_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_adddup2(spawn.actions(), STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = 0;
  const FirstDescriptorLimit first_limit;  // the owner's agents get what we were given
  const int error = ::posix_spawn(&pid, "/proc/self/exe", spawn.actions(), spawn.attributes(),
                                  argv.data(), environ);
  if (error != 0) {
    return std::unexpected(errno_error(error, "cannot start the run's owner in the background"));
  }
  return {};
}

void adopt_orphans(Context& context, store::Store& store, const std::string& except_run) {
  if (store::living_server(context.paths())) return;  // it looks after them
  const auto live = store.live_runs();
  if (!live) return;
  for (const store::LiveRun& run : *live) {
    // Epoch 0: nobody ever owned it; whoever accepted it is about to.
    if (run.run_id == except_run || run.owner_epoch == 0 || flow::is_stopped(run.waiting_reason)) {
      continue;
    }
    if (store::OwnerLock::is_held(context.paths(), run.run_id)) continue;
    if (!spawn_owner(context, run.run_id)) continue;
    context.note("run " + run.run_id + " had lost its owner and goes on in the background\n");
  }
}

}  // namespace wave::cli

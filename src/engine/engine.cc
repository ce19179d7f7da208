#include "engine/engine.h"

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "engine/project_loading.h"
#include "engine/quarantine.h"
#include "engine/run_owner.h"
#include "flow/fold.h"
#include "flow/fork.h"

namespace wave::engine {
namespace {

using flow::Event;
using flow::Kind;

// A run that is about to be stored: its first events, folded.
struct NewRun {
  flow::Program program;
  flow::RunState state;
  std::vector<Event> events;
};

Status add(NewRun& run, Event event, WallTime now) {
  event.seq = run.state.last_seq + 1;
  event.run_id = run.state.run_id;
  event.ts = std::max(now, run.state.last_ts);
  WAVE_CHECK(flow::apply(run.program, run.state, event));
  run.events.push_back(std::move(event));
  return {};
}

Event run_queued(const flow::Program& program, const flow::RunOptions& options,
                 const std::string& snapshot, const std::string& actor) {
  Event event;
  event.kind = Kind::kRunQueued;
  event.actor = actor;
  event.data = {{"pipeline", program.project.pipeline.name},
                {"snapshot", snapshot},
                {"options", flow::to_json(options)}};
  return event;
}

Status check_step_names(const flow::Program& program, const flow::RunOptions& options) {
  std::vector<std::string> known;
  for (const model::Step& step : program.steps()) known.push_back(step.id);
  const auto check = [&](const std::string& name, std::string_view flag) -> Status {
    if (std::ranges::find(known, name) != known.end()) return {};
    const auto near = did_you_mean(name, known);
    return fail(Code::kUsage,
                fmt::format("{}: pipeline {} has no step \"{}\"", flag,
                            program.project.pipeline.name, name),
                near ? fmt::format("did you mean \"{}\"?", *near)
                     : fmt::format("its steps are: {}", join(known, ", ")));
  };
  for (const std::string& name : options.steps) WAVE_CHECK(check(name, "--steps"));
  for (const std::string& name : options.exclude) WAVE_CHECK(check(name, "--exclude"));
  if (!options.steps.empty() && !options.exclude.empty()) {
    return fail(Code::kUsage, "--steps and --exclude cannot be given together", "use one of them");
  }
  return {};
}

// What an origin's options become in a run made from it.
flow::RunOptions inherit(flow::RunOptions origin, const flow::RunOptions& overrides) {
  if (!overrides.model.empty()) origin.model = overrides.model;
  origin.force_model |= overrides.force_model;
  if (!overrides.adapter.empty()) origin.adapter = overrides.adapter;
  if (overrides.timeout) origin.timeout = overrides.timeout;
  for (const auto& [key, value] : overrides.tags) origin.tags[key] = value;
  origin.steps.clear();
  origin.exclude.clear();
  return origin;
}

/// The `state` of a run_forked event that takes nothing over.
json::object from_nothing(const flow::Program& program) {
  json::object state{{"steps", json::array{}}};
  for (const model::Step& step : program.steps()) {
    if (step.rework_only) continue;
    state["from_step"] = step.id;
    break;
  }
  return state;
}

}  // namespace

struct Engine::Impl {
  EngineConfig config;
  Loop& loop;
  store::Store& store;
  World& world;
  Random& random;
  std::map<std::string, std::shared_ptr<RunOwner>> owners;

  Result<flow::RunState> fold_log(const std::string& run_id, const flow::Program& program,
                                  uint64_t last_seq);
  Result<std::string> store_run(NewRun run, const std::string& snapshot, const RunRequest& request);
  Result<std::shared_ptr<RunContext>> open_run(const store::RunDetails& details);
  Status quarantine(const store::RunDetails& details, int64_t epoch, const Error& error);
};

Engine::Engine(EngineConfig config, Loop& loop, store::Store& store, World& world, Random& random)
    : impl_(new Impl{std::move(config), loop, store, world, random, {}}) {}

Engine::~Engine() {
  abandon();
}

Result<flow::RunState> Engine::Impl::fold_log(const std::string& run_id,
                                              const flow::Program& program, uint64_t last_seq) {
  flow::RunState state = flow::initial_state(program, run_id);
  uint64_t after = 0;
  while (true) {
    WAVE_TRY(const auto page, store.events(run_id, {.after = after, .folded_only = true}));
    if (page.empty()) break;
    for (const store::StoredEvent& stored : page) {
      WAVE_TRY(const Event event, flow::decode(stored.line));
      state.last_seq = event.seq - 1;  // activity between the folded events is left out
      WAVE_CHECK(flow::apply(program, state, event));
    }
    after = page.back().seq;
  }
  state.last_seq = last_seq;
  return state;
}

Result<std::string> Engine::Impl::store_run(NewRun run, const std::string& snapshot,
                                            const RunRequest& request) {
  store::NewRun row;
  row.run_id = run.state.run_id;
  row.pipeline = run.program.project.pipeline.name;
  row.snapshot = snapshot;
  row.projection = flow::project(run.program, run.state, 0);
  row.events = std::move(run.events);
  row.idempotency_key = request.idempotency_key;
  row.request_hash = request.request_hash;
  WAVE_TRY(const store::CreatedRun created, store.create_run(row));
  return created.run_id;
}

Result<std::string> Engine::create(const RunRequest& request) {
  WAVE_TRY(LoadedProgram loaded, load_from_disk(impl_->config.paths, request.manifest_path,
                                                request.pipeline, request.extra_files));
  WAVE_CHECK(check_step_names(loaded.program, request.options));
  WAVE_TRY(const std::string snapshot, store::save_snapshot(impl_->store, loaded.snapshot));
  const WallTime now = impl_->loop.clock().wall();
  NewRun run;
  run.program = std::move(loaded.program);
  run.state = flow::initial_state(
      run.program, make_run_id(run.program.project.pipeline.name, now, impl_->random));
  WAVE_CHECK(add(run, run_queued(run.program, request.options, snapshot, request.actor), now));
  return impl_->store_run(std::move(run), snapshot, request);
}

Result<std::string> Engine::fork(const ForkRequest& request) {
  WAVE_TRY(const store::RunDetails origin, impl_->store.run(request.origin));
  const auto status = flow::run_status_from_name(origin.row.status);
  if (!status || !flow::is_terminal(*status)) {
    return fail(Code::kConflict, fmt::format("run {} is {}", request.origin, origin.row.status),
                "a run that has not ended goes on by itself: wave resume " + request.origin);
  }
  WAVE_TRY(const store::Snapshot snapshot, store::load_snapshot(impl_->store, origin.snapshot));
  NewRun run;
  WAVE_TRY(run.program, load_from_snapshot(snapshot));
  WAVE_TRY(const flow::RunState old,
           impl_->fold_log(request.origin, run.program, origin.row.last_seq));
  Event forked;
  forked.kind = Kind::kRunForked;
  forked.actor = request.actor;
  json::object carried = from_nothing(run.program);
  if (!request.from_beginning) {
    WAVE_TRY(carried, flow::fork_state(run.program, old, request.from_step));
  }
  forked.data = {{"origin_run_id", request.origin},
                 {"origin_seq", origin.row.last_seq},
                 {"state", std::move(carried)}};
  flow::RunOptions options = inherit(old.options, request.options);
  if (request.from_beginning) {
    options.steps = old.options.steps;
    options.exclude = old.options.exclude;
  }
  const WallTime now = impl_->loop.clock().wall();
  run.state = flow::initial_state(
      run.program, make_run_id(run.program.project.pipeline.name, now, impl_->random));
  WAVE_CHECK(add(run, std::move(forked), now));
  WAVE_CHECK(
      add(run, run_queued(run.program, std::move(options), origin.snapshot, request.actor), now));
  return impl_->store_run(std::move(run), origin.snapshot, {});
}

Result<std::shared_ptr<RunContext>> Engine::Impl::open_run(const store::RunDetails& details) {
  WAVE_TRY(store::Snapshot snapshot, store::load_snapshot(store, details.snapshot));
  WAVE_TRY(flow::Program program, load_from_snapshot(snapshot));
  WAVE_TRY(flow::RunState state, fold_log(details.row.run_id, program, details.row.last_seq));
  auto run = std::shared_ptr<RunContext>(
      new RunContext{.loop = loop,
                     .store = store,
                     .world = world,
                     .random = random,
                     .paths = config.paths,
                     .environment = config.environment,
                     .run_id = details.row.run_id,
                     .program = std::move(program),
                     .snapshot = std::move(snapshot),
                     .redactor = Redactor(secret_values(config.environment)),
                     .state = std::move(state),
                     .spool_marks = {}});
  WAVE_TRY(const auto marks, store.spool_marks(details.row.run_id));
  for (const store::SpoolMark& mark : marks) {
    const LaunchName name{mark.step, mark.visit, mark.attempt, mark.purpose};
    run->spool_marks[name.text()] = mark;
  }
  return run;
}

Status Engine::Impl::quarantine(const store::RunDetails& details, int64_t epoch,
                                const Error& error) {
  flow::RunState failed;
  failed.last_seq = details.row.last_seq + 1;
  failed.last_ts = details.row.updated_at;
  failed.finished_at = loop.clock().wall();
  store::Append append{.run_id = details.row.run_id, .owner_epoch = epoch};
  append.events.push_back(quarantine_event(details.row.run_id, failed, error));
  flow::Projection projection{.run = details.row};
  projection.run.status = flow::to_string(flow::RunStatus::kFailed);
  projection.run.error_code = code_name(Code::kInternal);
  projection.run.error_message = full_message(error);
  projection.run.last_seq = failed.last_seq;
  projection.run.finished_at = failed.finished_at;
  append.projection = std::move(projection);
  return store.append_and_wait(std::move(append));
}

Status Engine::adopt(const std::string& run_id, OnEnd on_end) {
  if (impl_->owners.contains(run_id)) {
    return fail(Code::kRunLocked, fmt::format("run {} is owned here already", run_id));
  }
  WAVE_CHECK(make_directories(impl_->config.paths.run(run_id), 0700));
  WAVE_TRY(store::OwnerLock lock, store::OwnerLock::acquire(impl_->config.paths, run_id));
  WAVE_TRY(const store::RunDetails details, impl_->store.run(run_id));
  const auto status = flow::run_status_from_name(details.row.status);
  if (status && flow::is_terminal(*status)) {
    return fail(Code::kConflict, fmt::format("run {} has ended: {}", run_id, details.row.status),
                "a new run can go on from it: wave resume " + run_id);
  }
  WAVE_TRY(const int64_t epoch, impl_->store.take_ownership(run_id));
  // A log that brings its reader down must not do so for ever. One that holds no more than the
  // acceptance of the run cannot, and is spared the two writes.
  const bool may_be_poisoned = details.row.last_seq > 2;
  int crashes = 0;
  if (may_be_poisoned) {
    WAVE_TRY(crashes, impl_->store.note_fold(run_id, false));
  }
  auto run = crashes > kMaxCrashFolds
                 ? fail(Code::kInternal,
                        fmt::format("{} owners died while they took this run up", crashes - 1))
                 : impl_->open_run(details);
  if (!run) {
    log::error("run {} is quarantined: {}", run_id, full_message(run.error()));
    WAVE_CHECK(impl_->quarantine(details, epoch, run.error()));
    return fail(
        run.error().wrapped(fmt::format("run {} cannot go on and was ended as failed", run_id)));
  }
  auto owner = std::make_shared<RunOwner>(
      *std::move(run), std::move(lock), epoch, impl_->config.max_steps,
      [this, on_end = std::move(on_end)](const std::string& id, const Ended& ended) {
        // The owner is let go only after its own call has returned.
        if (auto found = impl_->owners.find(id); found != impl_->owners.end()) {
          impl_->loop.post([owner_kept = std::move(found->second)] {});
          impl_->owners.erase(found);
        }
        if (on_end) on_end(id, ended);
      });
  impl_->owners.emplace(run_id, owner);
  owner->begin();
  if (may_be_poisoned) (void)impl_->store.note_fold(run_id, true);
  return {};
}

void Engine::poll_commands() {
  std::vector<std::shared_ptr<RunOwner>> owners;
  for (const auto& [id, owner] : impl_->owners) owners.push_back(owner);
  for (const auto& owner : owners) owner->poll_commands();
}

void Engine::abandon() {
  for (const auto& [id, owner] : std::exchange(impl_->owners, {})) owner->abandon();
}

size_t Engine::owned() const {
  return impl_->owners.size();
}

}  // namespace wave::engine

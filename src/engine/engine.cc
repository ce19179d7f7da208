#include "engine/engine.h"

#include <fmt/core.h>

#include <mutex>

#include "base/log.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "engine/input_check.h"
#include "engine/known_secrets.h"
#include "engine/program_shelf.h"
#include "engine/project_loading.h"
#include "engine/project_shelf.h"
#include "engine/quarantine.h"
#include "engine/required_tools.h"
#include "engine/run_owner.h"
#include "flow/fold.h"
#include "flow/fork.h"

namespace wave::engine {
namespace {

using flow::Event;
using flow::Kind;

// A run that is about to be stored: its first events, folded.
struct NewRun {
  std::shared_ptr<const LoadedProgram> loaded;
  flow::RunState state;
  std::vector<Event> events;
};

Status add(NewRun& run, Event event, WallTime now) {
  event.seq = run.state.last_seq + 1;
  event.run_id = run.state.run_id;
  event.ts = std::max(now, run.state.last_ts);
  WAVE_CHECK(flow::apply(run.loaded->program, run.state, event));
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

bool is_left_out(const std::string& step, const flow::RunOptions& options) {
  const auto names = [&step](const std::vector<std::string>& ids) {
    return std::ranges::find(ids, step) != ids.end();
  };
  return (!options.steps.empty() && !names(options.steps)) || names(options.exclude);
}

/// What depends on a step that is left out runs. No gate is got round like that: to run without
/// gates takes words of its own.
Status check_gates_are_asked(const flow::Program& program, const flow::RunOptions& options) {
  if (options.skip_gates) return {};
  const std::vector<model::Step>& steps = program.steps();
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].gate || !is_left_out(steps[i].id, options)) continue;
    for (const int after : program.descendants(static_cast<int>(i))) {
      const std::string& behind = steps[static_cast<size_t>(after)].id;
      if (behind == steps[i].id || is_left_out(behind, options)) continue;
      return fail(Code::kPermissionDenied,
                  fmt::format("gate \"{}\" cannot be left out while \"{}\" behind it runs",
                              steps[i].id, behind),
                  fmt::format("run \"{}\" as well, leave out \"{}\" too, or skip all gates: "
                              "--skip-gates, which a server takes from the role admin only",
                              steps[i].id, behind));
    }
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
  origin.skip_gates = false;  // has to be asked for again
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
  const Redactor redactor;
  ProgramShelf programs;
  ProjectShelf projects;
  SlotSource* slots = nullptr;
  std::map<std::string, std::shared_ptr<RunOwner>> owners;
  std::mutex claims_mutex;
  std::map<std::string, store::OwnerLock> claims;  // of runs created here and not yet adopted

  Impl(EngineConfig engine_config, Loop& its_loop, store::Store& its_store, World& its_world,
       Random& its_random)
      : config(std::move(engine_config)),
        loop(its_loop),
        store(its_store),
        world(its_world),
        random(its_random),
        redactor(secret_values(config.environment)),
        programs(store, config.max_steps),
        projects(config.paths, store, loop.clock()) {}

  // One of several runs on their way to an owner.
  struct Adoption {
    std::string run_id;
    Status status;
    std::optional<store::OwnerLock> lock;
    store::RunDetails details;
    int64_t epoch = 0;
    std::shared_ptr<RunOwner> owner;

    // A log that brings its reader down must not do so for ever. One that holds no more than the
    // acceptance of the run cannot, and is spared the writes.
    [[nodiscard]] bool may_be_poisoned() const { return details.row.last_seq > 2; }
  };

  Result<flow::RunState> fold_log(const std::string& run_id, const flow::Program& program,
                                  uint64_t last_seq);
  [[nodiscard]] Status check_tools(const LoadedProgram& loaded) const;
  void name_run(NewRun& run, WallTime now);
  Result<std::string> create_from(const StoredProgram& stored, const RunRequest& request);
  Result<store::CreatedRun> look_for_stored(const std::string& run_id, const Error& error);
  Result<std::string> store_run(NewRun run, const std::string& snapshot, const RunRequest& request);
  Result<store::OwnerLock> lock_run(const std::string& run_id);
  Status prepare(Adoption& adoption);
  void take_ownership(std::span<Adoption> adoptions);
  Status count_fold(const Adoption& adoption);
  Status take_up(Adoption& adoption, const OnEnd& on_end);
  Result<std::shared_ptr<RunContext>> open_run(const store::RunDetails& details);
  Status quarantine(const store::RunDetails& details, int64_t epoch, const Error& error);
};

Engine::Engine(EngineConfig config, Loop& loop, store::Store& store, World& world, Random& random)
    : impl_(new Impl(std::move(config), loop, store, world, random)) {}

Engine::~Engine() {
  abandon();
}

void Engine::use_slots(SlotSource* slots) {
  impl_->slots = slots;
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

// What is installed changes while the files of a project do not: asked for each run anew.
Status Engine::Impl::check_tools(const LoadedProgram& loaded) const {
  const json::object& forge = get_object(loaded.snapshot.facts, "forge");
  return engine::check_tools(loaded.program.project,
                             {.environment = config.environment, .forge = forge});
}

void Engine::Impl::name_run(NewRun& run, WallTime now) {
  run.state = flow::initial_state(
      run.loaded->program, make_run_id(run.loaded->program.project.pipeline.name, now, random));
}

/// A write may be answered with an error of the disk although it was done.
Result<store::CreatedRun> Engine::Impl::look_for_stored(const std::string& run_id,
                                                        const Error& error) {
  if (!is_shortage(error) && error.code != Code::kStore) return fail(error);
  const auto stored = store.run(run_id);
  if (stored) return store::CreatedRun{.run_id = run_id, .replayed = false};
  if (stored.error().code == Code::kNotFound) return fail(error);
  Error unknown = error;
  unknown.message += fmt::format("; whether run {} was stored is not known", run_id);
  unknown.hint = fmt::format("see whether there is a run {} before you start it again", run_id);
  return fail(std::move(unknown));
}

Result<std::string> Engine::Impl::store_run(NewRun run, const std::string& snapshot,
                                            const RunRequest& request) {
  store::NewRun row;
  row.run_id = run.state.run_id;
  row.pipeline = run.loaded->program.project.pipeline.name;
  row.snapshot = snapshot;
  row.projection = flow::project(run.loaded->program, run.state, 0);
  row.events = std::move(run.events);
  row.idempotency_key = request.idempotency_key;
  row.request_hash = request.request_hash;
  row.audit = request.audit;
  std::optional<store::OwnerLock> claimed;
  if (request.claim) {
    WAVE_TRY(claimed, store::OwnerLock::acquire(config.paths, row.run_id));
  }
  auto created = store.create_run(row);
  if (!created) created = look_for_stored(row.run_id, created.error());
  const bool is_new = created && !created->replayed;
  if (claimed && is_new) {
    const std::scoped_lock lock(claims_mutex);
    claims.emplace(row.run_id, *std::move(claimed));
  } else if (claimed) {
    std::error_code ignored;
    std::filesystem::remove_all(config.paths.run(row.run_id), ignored);
  }
  if (!created) return std::unexpected(created.error());
  return created->run_id;
}

Result<std::string> Engine::Impl::create_from(const StoredProgram& stored,
                                              const RunRequest& request) {
  WAVE_CHECK(check_step_names(stored.loaded->program, request.options));
  WAVE_CHECK(check_gates_are_asked(stored.loaded->program, request.options));
  WAVE_CHECK(check_input(stored.loaded->program.project.pipeline.input, request.options.input));
  WAVE_CHECK(check_tools(*stored.loaded));
  const WallTime now = loop.clock().wall();
  NewRun run{.loaded = stored.loaded, .state = {}, .events = {}};
  name_run(run, now);
  WAVE_CHECK(add(
      run, run_queued(run.loaded->program, request.options, stored.snapshot, request.actor), now));
  return store_run(std::move(run), stored.snapshot, request);
}

Result<std::string> Engine::create(const RunRequest& request) {
  WAVE_TRY(StoredProgram stored, impl_->projects.get(request));
  auto created = impl_->create_from(stored, request);
  const bool is_gone = !created && created.error().code == Code::kNotFound;
  if (!is_gone) return created;
  // Its files were stored for runs that have been pruned since.
  impl_->projects.drop(stored.snapshot);
  WAVE_TRY(stored, impl_->projects.get(request));
  return impl_->create_from(stored, request);
}

Result<std::string> Engine::fork(const ForkRequest& request) {
  WAVE_TRY(const store::RunDetails origin, impl_->store.run(request.origin));
  const auto status = flow::run_status_from_name(origin.row.status);
  if (!status || !flow::is_terminal(*status)) {
    return fail(Code::kConflict, fmt::format("run {} is {}", request.origin, origin.row.status),
                "a run that has not ended goes on by itself: wave resume " + request.origin);
  }
  NewRun run;
  WAVE_TRY(run.loaded, impl_->programs.load(origin.snapshot));
  const flow::Program& program = run.loaded->program;
  WAVE_CHECK(impl_->check_tools(*run.loaded));
  WAVE_TRY(const flow::RunState old, impl_->fold_log(request.origin, program, origin.row.last_seq));
  Event forked;
  forked.kind = Kind::kRunForked;
  forked.actor = request.actor;
  json::object carried = from_nothing(program);
  if (!request.from_beginning) {
    WAVE_TRY(carried, flow::fork_state(program, old, request.from_step));
  }
  forked.data = {{"origin_run_id", request.origin},
                 {"origin_seq", origin.row.last_seq},
                 {"state", std::move(carried)}};
  flow::RunOptions options = inherit(old.options, request.options);
  if (request.from_beginning) {
    options.steps = old.options.steps;
    options.exclude = old.options.exclude;
    WAVE_CHECK(check_gates_are_asked(program, options));
  }
  const WallTime now = impl_->loop.clock().wall();
  impl_->name_run(run, now);
  WAVE_CHECK(add(run, std::move(forked), now));
  WAVE_CHECK(add(run, run_queued(program, options, origin.snapshot, request.actor), now));
  RunRequest how;
  how.claim = request.claim;
  how.idempotency_key = request.idempotency_key;
  how.request_hash = request.request_hash;
  how.audit = request.audit;
  return impl_->store_run(std::move(run), origin.snapshot, how);
}

Result<std::shared_ptr<RunContext>> Engine::Impl::open_run(const store::RunDetails& details) {
  WAVE_TRY(std::shared_ptr<const LoadedProgram> loaded, programs.load(details.snapshot));
  // Most projects have no secrets of their own: their runs share one table.
  const model::Manifest& manifest = loaded->program.project.manifest;
  const Redactor masks =
      manifest.secrets.empty() ? redactor : Redactor(known_secrets(manifest, config.environment));
  WAVE_TRY(flow::RunState state,
           fold_log(details.row.run_id, loaded->program, details.row.last_seq));
  auto run = std::shared_ptr<RunContext>(new RunContext{.loop = loop,
                                                        .store = store,
                                                        .world = world,
                                                        .random = random,
                                                        .paths = config.paths,
                                                        .environment = config.environment,
                                                        .run_id = details.row.run_id,
                                                        .slots = slots,
                                                        .loaded = std::move(loaded),
                                                        .redactor = masks,
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

Result<store::OwnerLock> Engine::Impl::lock_run(const std::string& run_id) {
  {
    const std::scoped_lock guard(claims_mutex);
    if (auto claim = claims.extract(run_id)) return std::move(claim.mapped());
  }
  return store::OwnerLock::acquire(config.paths, run_id);
}

Status Engine::Impl::prepare(Adoption& adoption) {
  const std::string& run_id = adoption.run_id;
  if (owners.contains(run_id)) {
    return fail(Code::kRunLocked, fmt::format("run {} is owned here already", run_id));
  }
  WAVE_TRY(adoption.lock, lock_run(run_id));
  WAVE_TRY(adoption.details, store.run(run_id));
  const std::string& name = adoption.details.row.status;
  const auto status = flow::run_status_from_name(name);
  if (status && flow::is_terminal(*status)) {
    return fail(Code::kConflict, fmt::format("run {} has ended: {}", run_id, name),
                "a new run can go on from it: wave resume " + run_id);
  }
  return {};
}

// Many folds that begin are noted together; but one that has brought an owner down before is noted
// and tried alone (count_fold), so that its next crash is not counted against the others.
void Engine::Impl::take_ownership(std::span<Adoption> adoptions) {
  std::vector<store::TakeOver> wanted;
  for (const Adoption& adoption : adoptions) {
    if (!adoption.status) continue;
    const bool notes = adoption.may_be_poisoned() && adoption.details.crash_folds == 0;
    wanted.push_back({.run_id = adoption.run_id, .note_fold = notes});
  }
  if (wanted.empty()) return;
  const auto epochs = store.take_ownership_of(wanted);
  size_t next = 0;
  for (Adoption& adoption : adoptions) {
    if (!adoption.status) continue;
    if (epochs) {
      adoption.epoch = (*epochs)[next++];
    } else {
      adoption.status = fail(epochs.error());
    }
  }
}

Status Engine::Impl::count_fold(const Adoption& adoption) {
  if (adoption.details.crash_folds == 0) return {};  // noted already, or need not be
  WAVE_TRY(const int crashes, store.note_fold(adoption.run_id, false));
  if (crashes <= kMaxCrashFolds) return {};
  return fail(Code::kInternal,
              fmt::format("{} owners died while they took this run up", crashes - 1));
}

Status Engine::Impl::take_up(Adoption& adoption, const OnEnd& on_end) {
  const std::string& run_id = adoption.run_id;
  const ShortageWatch watch;
  auto run = [&]() -> Result<std::shared_ptr<RunContext>> {
    WAVE_CHECK(count_fold(adoption));
    return open_run(adoption.details);
  }();
  if (!run) {
    // A shortage leaves the run as it was, for whoever takes it up when it has passed.
    if (Error behind = watch.behind(run.error()); is_shortage(behind)) {
      return fail(std::move(behind));
    }
    log::error("run {} is quarantined: {}", run_id, full_message(run.error()));
    WAVE_CHECK(quarantine(adoption.details, adoption.epoch, run.error()));
    return fail(
        run.error().wrapped(fmt::format("run {} cannot go on and was ended as failed", run_id)));
  }
  adoption.owner =
      std::make_shared<RunOwner>(*std::move(run), *std::move(adoption.lock), adoption.epoch,
                                 [this, on_end](const std::string& id, const Ended& ended) {
                                   // The owner is let go only after its own call has returned.
                                   if (auto found = owners.find(id); found != owners.end()) {
                                     loop.post([owner_kept = std::move(found->second)] {});
                                     owners.erase(found);
                                   }
                                   if (on_end) on_end(id, ended);
                                 });
  owners.emplace(run_id, adoption.owner);
  adoption.owner->begin();
  if (adoption.details.crash_folds > 0) (void)store.note_fold(run_id, true);
  return {};
}

Status Engine::adopt(const std::string& run_id, OnEnd on_end) {
  return adopt_all({&run_id, 1}, on_end).front();
}

std::vector<Status> Engine::adopt_all(std::span<const std::string> run_ids, const OnEnd& on_end) {
  std::vector<Impl::Adoption> adoptions(run_ids.size());
  for (size_t i = 0; i < run_ids.size(); ++i) {
    adoptions[i].run_id = run_ids[i];
    adoptions[i].status = impl_->prepare(adoptions[i]);
  }
  impl_->take_ownership(adoptions);
  std::vector<std::string> folded;
  for (Impl::Adoption& adoption : adoptions) {
    if (!adoption.status) continue;
    adoption.status = impl_->take_up(adoption, on_end);
    const bool noted = adoption.may_be_poisoned() && adoption.details.crash_folds == 0;
    if (adoption.status && noted) folded.push_back(adoption.run_id);
  }
  if (!folded.empty()) (void)impl_->store.note_folds_ended(folded);
  std::vector<Status> outcomes;
  for (Impl::Adoption& adoption : adoptions) outcomes.push_back(std::move(adoption.status));
  return outcomes;
}

bool Engine::owns(const std::string& run_id) const {
  return impl_->owners.contains(run_id);
}

void Engine::poll_commands(const std::string& run_id) {
  const auto found = impl_->owners.find(run_id);
  if (found == impl_->owners.end()) return;
  const std::shared_ptr<RunOwner> owner = found->second;
  owner->poll_commands();
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

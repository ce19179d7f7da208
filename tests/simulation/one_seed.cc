#include "one_seed.h"

#include <fmt/core.h>

#include <set>

#include "base/text.h"
#include "engine/engine.h"
#include "flow/fold.h"
#include "sim_loop.h"
#include "sim_pipeline.h"
#include "sim_store.h"
#include "sim_world.h"

namespace wave::sim {
namespace {

using store::StatePaths;
using store::sqlite::testing::MemoryDisk;

constexpr int kMaxTurns = 200'000;  // of the loop for one seed: more means it does not end
constexpr int kMaxLives = 40;       // crashes stop after so many, so that every run can end

class Simulation {
 public:
  Simulation(uint64_t seed, const Faults& faults, const std::filesystem::path& scratch)
      : seed_(seed), faults_(faults), random_(draw(seed, "events")) {
    folder_ = scratch / fmt::format("seed-{}-{}{}{}{}", seed, faults.crashes, faults.power,
                                    faults.store, faults.people);
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "files");
    machine_.seed = seed;
    machine_.files = folder_ / "files";
    machine_.disk_percent = faults.store ? 15 : 0;
    disk_ = std::make_unique<MemoryDisk>(folder_.filename().native());
  }
  ~Simulation() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Outcome run();

 private:
  // What one process of wave holds; a crash drops it all at once.
  struct Life {
    std::unique_ptr<SimLoop> loop;
    std::unique_ptr<SimStore> store;
    std::unique_ptr<SimWorld> world;
    std::unique_ptr<engine::Engine> engine;
  };

  void broke(std::string law) { machine_.broken.push_back(std::move(law)); }
  bool begin_life();
  void check_nothing_is_forgotten();
  void live();
  void crash();
  void act_as_people();
  void check_log(Outcome& outcome);
  void check_output(const std::vector<flow::Event>& events);

  uint64_t seed_;
  Faults faults_;
  SimRandom random_;
  std::filesystem::path folder_;
  SimClock clock_;
  Machine machine_;
  std::unique_ptr<MemoryDisk> disk_;  // the database's; outlives the connections of a life
  Life life_;
  int lives_ = 0;
  bool ended_ = false, stopped_ = false, cancelled_ = false;
  std::string run_id_;
  uint64_t acknowledged_ = 0;  // the last event that a life was told is stored
};

bool Simulation::begin_life() {
  life_.loop = std::make_unique<SimLoop>(clock_);
  const StatePaths paths{.project = folder_};
  disk_->clear_faults();
  auto opened = store::open_store(paths, {.vfs = disk_->name()});
  if (!opened) {
    broke("the store does not open: " + full_message(opened.error()));
    return false;
  }
  life_.store = std::make_unique<SimStore>(
      *std::move(opened), *disk_, *life_.loop, random_,
      SimStore::Faults{.append_percent = faults_.store ? 8 : 0,
                       .power_cut_percent = faults_.power && lives_ < kMaxLives ? 3 : 0});
  life_.world = std::make_unique<SimWorld>(machine_, *life_.loop);
  life_.engine = std::make_unique<engine::Engine>(
      engine::EngineConfig{.paths = paths, .environment = {{"PATH", "/bin"}}}, *life_.loop,
      *life_.store, *life_.world, random_);
  return true;
}

void Simulation::crash() {
  ++lives_;
  acknowledged_ = std::max(acknowledged_, life_.store->acknowledged());
  if (life_.store->power_is_cut() || (faults_.power && random_.chance(40))) {
    machine_.lose_power(clock_.mono());
    disk_->lose_power([this] { return random_.next(); });
  } else {
    disk_->kill_processes();
  }
  life_.engine.reset();
  life_.world.reset();
  life_.store.reset();
  life_.loop.reset();
}

// A person looks in from time to time: answers what waits, now and then stops or cancels.
void Simulation::act_as_people() {
  const auto gates = life_.store->waiting_gates();
  if (gates) {
    for (const auto& [run, gate] : *gates) {
      if (draw(seed_, "answer:" + gate.gate_id) % 3 == 0) continue;  // nobody answers this one
      store::Command command{.run_id = run, .kind = "gate", .gate_id = gate.gate_id};
      command.payload = {{"choice", draw(seed_, "choice:" + gate.gate_id) % 8 == 0 ? "n" : "y"}};
      command.actor = "person";
      command.via = "cli";
      (void)life_.store->submit_command(command);
    }
  }
  if (faults_.people && !stopped_ && random_.chance(5)) {
    stopped_ = true;
    store::Command command{.run_id = run_id_, .kind = "stop", .actor = "person", .via = "cli"};
    (void)life_.store->submit_command(command);
  }
  if (faults_.people && !cancelled_ && random_.chance(2)) {
    cancelled_ = true;
    store::Command command{.run_id = run_id_, .kind = "cancel", .actor = "person", .via = "cli"};
    (void)life_.store->submit_command(command);
  }
  life_.engine->poll_commands();
}

// Whatever a crash took: not what was reported as stored.
void Simulation::check_nothing_is_forgotten() {
  const auto details = life_.store->run(run_id_);
  if (!details) return broke("the run is not there: " + full_message(details.error()));
  if (details->row.last_seq < acknowledged_)
    broke(fmt::format("forgotten: {} events are there, {} were stored", details->row.last_seq,
                      acknowledged_));
}

void Simulation::live() {
  check_nothing_is_forgotten();
  bool over = false;
  std::string waiting;
  const auto adopted =
      life_.engine->adopt(run_id_, [&](const std::string&, const engine::Engine::Ended& ended) {
        over = true;
        waiting = ended.waiting_reason;
        if (!ended.quarantine) broke("quarantined: " + full_message(ended.quarantine.error()));
      });
  if (!adopted) {
    if (adopted.error().code != Code::kConflict)
      broke("not adopted: " + full_message(adopted.error()));
    ended_ = true;
    return;
  }
  const size_t crash_after = life_.store->commits() + 1 + random_.below(12);
  for (int turn = 0; turn < kMaxTurns; ++turn) {
    if (over && life_.loop->idle()) {
      ended_ = waiting != "stopped";
      if (life_.engine->owned() != 0) broke("a run is still owned after its end");
      return;
    }
    if (over && life_.engine->owned() == 0 && !life_.loop->step()) continue;
    if (over) continue;
    if (life_.loop->about_to_jump()) act_as_people();
    if (life_.store->power_is_cut()) return crash();
    if (faults_.crashes && lives_ < kMaxLives && life_.store->commits() >= crash_after)
      return crash();
    if (!life_.loop->step()) {
      broke("nothing is going on, and the run has not ended");
      ended_ = true;
      return;
    }
  }
  std::string steps;
  if (const auto details = life_.store->run(run_id_)) {
    for (const flow::StepRow& step : details->steps) steps += " " + step.step + "=" + step.status;
    steps = details->row.status + ":" + steps;
  }
  broke("the run does not end: " + steps);
  ended_ = true;
}

void Simulation::check_log(Outcome& outcome) {
  std::vector<flow::Event> events;
  uint64_t after = 0;
  while (true) {
    const auto page = life_.store->events(run_id_, {.after = after});
    if (!page || page->empty()) break;
    for (const store::StoredEvent& stored : *page) {
      auto event = flow::decode(stored.line);
      if (!event) return broke("an event cannot be read: " + full_message(event.error()));
      if (event->seq != events.size() + 1)
        broke(fmt::format("hole in the log before seq {}", event->seq));
      if (!events.empty() && event->ts < events.back().ts) broke("time runs backwards in the log");
      events.push_back(*std::move(event));
      outcome.log.push_back(stored.line);
    }
    after = page->back().seq;
  }
  outcome.events = events.size();
  const auto details = life_.store->run(run_id_);
  if (!details) return broke("the run is not there: " + full_message(details.error()));
  outcome.status = details->row.status;
  for (const flow::StepRow& step : details->steps)
    outcome.steps.emplace_back(step.step, step.status);
  const auto status = flow::run_status_from_name(outcome.status);
  if (!status || !flow::is_terminal(*status)) broke("the run ended as " + outcome.status);
  size_t terminal = 0;
  for (const flow::Event& event : events) {
    using enum flow::Kind;
    terminal += event.kind == kRunCompleted || event.kind == kRunFailed ||
                event.kind == kRunRejected || event.kind == kRunCancelled;
  }
  if (terminal != 1) broke(fmt::format("{} terminal events", terminal));
  check_output(events);
}

// No line of a process is lost or doubled, and none was started twice.
void Simulation::check_output(const std::vector<flow::Event>& events) {
  std::map<std::string, std::string> said;
  for (const flow::Event& event : events) {
    if (event.kind != flow::Kind::kStreamActivity) continue;
    const std::string content(get_string(event.data, "content"));
    std::string& text = said[std::string(get_string(event.data, "launch"))];
    text += content;
    // A line end at the end of a piece is not shown, but counted.
    if (static_cast<size_t>(get_int(event.data, "length")) > content.size()) text += "\n";
  }
  for (const auto& [folder, process] : machine_.processes) {
    if (process.starts > 1) broke("started more than once: " + process.name);
    if (!process.is_attempt) continue;
    const std::string& text = said[process.name];
    std::set<std::string> seen;
    for (const std::string& line : split(text, '\n')) {
      if (!line.ends_with('.')) continue;  // the rest of a line that was cut off
      if (!seen.insert(line).second) broke("a line is doubled: " + line);
    }
    const bool cut = process.stopped || process.host_lost;
    for (const std::string& line : split(process.output, '\n')) {
      if (!line.empty() && !cut && !seen.contains(line)) broke("a line is lost: " + line);
    }
  }
}

Outcome Simulation::run() {
  Outcome outcome;
  if (!begin_life()) {
    outcome.broken = machine_.broken;
    return outcome;
  }
  engine::RunRequest request{.pipeline = "sim"};
  request.extra_files = generate_project(seed_);
  const auto created = life_.engine->create(request);
  if (!created) {
    broke("the pipeline is refused: " + full_message(created.error()) +
          (created.error().source ? " at " + to_string(*created.error().source) : ""));
    outcome.broken = machine_.broken;
    return outcome;
  }
  run_id_ = *created;
  while (!ended_) {
    if (!life_.engine && !begin_life()) break;
    live();
    if (!ended_ && life_.engine) {  // it was stopped: somebody lets it go on, in another process
      crash();
    }
  }
  if (!life_.engine && !begin_life()) return outcome;
  check_log(outcome);
  if (const size_t running = machine_.running(clock_.mono()); running > 0) {
    broke(fmt::format("{} processes outlive the run", running));
  }
  outcome.broken = machine_.broken;
  return outcome;
}

}  // namespace

Outcome run_seed(uint64_t seed, const Faults& faults, const std::filesystem::path& scratch) {
  return Simulation(seed, faults, scratch).run();
}

}  // namespace wave::sim

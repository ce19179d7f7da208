// wave_vectors FOLDER [SEEDS]: simulates that many runs, with everything going wrong, and writes a
// file for each: its graph, its events, and the rows that the API would show after some of them and
// at the end. The browser folds the events itself, and has to come to the same rows
// (web/src/run/fold.ts).
#include <fmt/core.h>

#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "flow/fold.h"
#include "flow/projection.h"
#include "model/project.h"
#include "one_seed.h"
#include "server/api/run_json.h"
#include "sim_pipeline.h"

namespace wave::sim {
namespace {

namespace api = server::api;

constexpr size_t kStops = 12;  // in the middle of a run

json::object rows_at(const flow::Program& program, const flow::RunState& state,
                     const api::Attempts& attempts) {
  const flow::Projection rows = flow::project(program, state, 0);
  json::array steps, gates, artifacts;
  for (const flow::StepRow& row : rows.steps) {
    const auto known = attempts.find(row.step);
    const auto kind = model::to_string(program.steps()[static_cast<size_t>(row.index)].kind);
    steps.push_back(api::step_json(
        row, std::string(kind),
        known == attempts.end() ? std::vector<api::Attempt>{} : known->second, state.last_ts));
  }
  for (const flow::GateRow& gate : rows.gates) {
    gates.push_back(api::gate_json(state.run_id, gate));
  }
  for (const flow::Artifact& artifact : rows.artifacts) {
    artifacts.push_back(api::artifact_json(artifact));
  }
  return {{"seq", state.last_seq},
          {"run", api::run_json(rows.run, std::nullopt, state.last_ts)},
          {"steps", std::move(steps)},
          {"gates", std::move(gates)},
          {"artifacts", std::move(artifacts)}};
}

Result<json::object> vector_of(uint64_t seed, const std::filesystem::path& scratch) {
  // Each kind of trouble has its turn: crashes, a store that fails, people who stop and cancel.
  const Faults faults{.crashes = seed % 4 != 0,
                      .power = seed % 4 == 2,
                      .store = seed % 4 != 0,
                      .people = seed % 2 == 0};
  const Outcome outcome = run_seed(seed, faults, scratch);
  if (!outcome.broken.empty()) return fail(Code::kInternal, outcome.broken.front());
  const model::MemorySource files(generate_project(seed));
  const auto loaded = model::load_project(files, "sim", {});
  const flow::Program program(loaded.value);
  json::array events, states;
  api::Attempts attempts;
  std::optional<flow::RunState> state;
  const size_t every = std::max<size_t>(1, outcome.log.size() / kStops);
  for (size_t i = 0; i < outcome.log.size(); ++i) {
    WAVE_TRY(const flow::Event event, flow::decode(outcome.log[i]));
    if (!state) state = flow::initial_state(program, event.run_id);
    WAVE_CHECK(flow::apply(program, *state, event));
    api::add_to_attempts(attempts, event);
    WAVE_TRY(json::value line, parse_json(outcome.log[i]));
    events.push_back(std::move(line));
    if (i % every == every - 1 || i + 1 == outcome.log.size()) {
      states.push_back(rows_at(program, *state, attempts));
    }
  }
  return json::object{{"seed", seed},
                      {"graph", api::graph_json(program.project.pipeline)},
                      {"events", std::move(events)},
                      {"states", std::move(states)}};
}

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print(stderr, "usage: wave_vectors FOLDER [SEEDS]\n"), 2;
  log::configure(log::Level::kOff, log::Format::kText);
  const std::filesystem::path folder = argv[1];
  const uint64_t seeds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 120;
  const std::filesystem::path base = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
  std::string scratch = (base / "wave-vectors-XXXXXX").native();
  if (::mkdtemp(scratch.data()) == nullptr) return 1;
  std::filesystem::create_directories(folder);
  int code = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto made = vector_of(seed, scratch);
    const Status written = made
                               ? write_file(folder / fmt::format("{}.json", seed), dump_json(*made))
                               : Status(fail(made.error()));
    if (written) continue;
    fmt::print(stderr, "seed {}: {}\n", seed, full_message(written.error()));
    code = 1;
  }
  std::filesystem::remove_all(scratch);
  fmt::print("{} vectors in {}\n", seeds, folder.native());
  return code;
}

}  // namespace
}  // namespace wave::sim

int main(int argc, char** argv) {
  return wave::sim::main(argc, argv);
}

// wave_simulate --seeds N [--from S] [--jobs J] [--verbose]: runs seeds S ... S+N-1, each without
// faults and with every kind of them, and says which laws were broken; J processes share them (as
// many as there are processors). --seed S replays one.
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "base/log.h"
#include "one_seed.h"
#include "sim_pipeline.h"

namespace wave::sim {
namespace {

struct Options {
  uint64_t from = 1, seeds = 1000;
  uint64_t jobs = std::max(1U, std::thread::hardware_concurrency());
  bool verbose = false;
};

// A run that ended well without faults ends the same way with crashes, and its steps too.
std::vector<std::string> compare(const Outcome& calm, const Outcome& stormy) {
  std::vector<std::string> differences;
  const bool calm_ended_well = calm.status == "completed" || calm.status == "completed_empty";
  if (!calm_ended_well) {
    if (stormy.status == "completed")
      differences.push_back("failed when calm, completed with crashes");
    return differences;
  }
  if (calm.status != stormy.status) {
    differences.push_back(fmt::format("{} when calm, {} with crashes", calm.status, stormy.status));
  }
  for (size_t i = 0; i < std::min(calm.steps.size(), stormy.steps.size()); ++i) {
    if (calm.steps[i] == stormy.steps[i]) continue;
    differences.push_back(fmt::format("step {} is {} when calm, {} with crashes",
                                      calm.steps[i].first, calm.steps[i].second,
                                      stormy.steps[i].second));
  }
  return differences;
}

bool report(uint64_t seed, std::string_view mode, const std::vector<std::string>& broken) {
  for (const std::string& law : broken) fmt::print("seed {} ({}): {}\n", seed, mode, law);
  return broken.empty();
}

bool check_seed(uint64_t seed, const Options& options, const std::filesystem::path& scratch) {
  const Outcome calm = run_seed(seed, {}, scratch);
  if (options.verbose) {
    fmt::print("{}", generate_project(seed).at(".agents/pipelines/sim.yaml"));
    fmt::print("seed {}: {} with {} events\n", seed, calm.status, calm.events);
  }
  bool well = report(seed, "calm", calm.broken);
  const Outcome crashed = run_seed(seed, {.crashes = true, .store = true}, scratch);
  well &= report(seed, "crashes", crashed.broken);
  well &= report(seed, "crashes", compare(calm, crashed));
  const Outcome stormy =
      run_seed(seed, {.crashes = true, .power = true, .store = true, .people = true}, scratch);
  well &= report(seed, "storm", stormy.broken);
  return well;
}

struct Count {
  uint64_t passed = 0, failed = 0;
};

// Every jobs-th seed, from the one that is `job` behind the first.
Count check_share(const Options& options, uint64_t job, const std::filesystem::path& scratch) {
  Count count;
  for (uint64_t i = job; i < options.seeds && count.failed < 20; i += options.jobs) {
    (check_seed(options.from + i, options, scratch) ? count.passed : count.failed) += 1;
  }
  return count;
}

// The shares in processes of their own, so that a seed that crashes takes only its share along.
Count check_in_processes(const Options& options, const std::filesystem::path& scratch) {
  std::vector<std::pair<pid_t, int>> workers;
  for (uint64_t job = 0; job < options.jobs; ++job) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    const pid_t pid = ::fork();
    if (pid == 0) {
      const Count count = check_share(options, job, scratch);
      std::fflush(stdout);
      ::_exit(::write(ends[1], &count, sizeof count) == sizeof count ? 0 : 1);
    }
    ::close(ends[1]);
    workers.emplace_back(pid, ends[0]);
  }
  Count all;
  for (const auto& [pid, answer] : workers) {
    Count count;
    const bool told = ::read(answer, &count, sizeof count) == sizeof count;
    ::close(answer);
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (!told || status != 0) {
      fmt::print("a process of the simulation ended with status {}\n", status);
      ++all.failed;
    }
    all.passed += count.passed;
    all.failed += count.failed;
  }
  return all;
}

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (flag == "--seeds")
      options.seeds = value();
    else if (flag == "--from")
      options.from = value();
    else if (flag == "--seed")
      options = {.from = value(), .seeds = 1, .jobs = 1, .verbose = true};
    else if (flag == "--jobs")
      options.jobs = std::max<uint64_t>(1, value());
    else if (flag == "--verbose")
      options.verbose = true;
    else
      return fmt::print(
                 stderr,
                 "usage: wave_simulate [--seeds N] [--from S] [--jobs J] [--seed S] [--verbose]\n"),
             2;
  }
  log::configure(options.seeds == 1 ? log::Level::kWarning : log::Level::kOff, log::Format::kText);
  // Memory, where there is some to be had as a file system: what is lost in a power cut is
  // simulated.
  const std::filesystem::path base = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
  std::string scratch = (base / "wave-simulate-XXXXXX").native();
  if (::mkdtemp(scratch.data()) == nullptr) return 1;
  const Count count =
      options.jobs == 1 ? check_share(options, 0, scratch) : check_in_processes(options, scratch);
  std::filesystem::remove_all(scratch);
  fmt::print("{} passed, {} failed\n", count.passed, count.failed);
  return count.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace wave::sim

int main(int argc, char** argv) {
  return wave::sim::main(argc, argv);
}

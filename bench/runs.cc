// Whole runs of the real binary.
#include <fmt/core.h>

#include <cstdlib>
#include <fstream>

#include "measure.h"
#include "project.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;

// Every step says when it ran; the time between two of them is a step's whole price.
constexpr std::string_view kStamp = "date +%s%N >> \"$STAMPS\"";

std::vector<int64_t> read_stamps(const std::filesystem::path& file) {
  std::vector<int64_t> stamps;
  std::ifstream in(file);
  for (int64_t stamp = 0; in >> stamp;) stamps.push_back(stamp);
  return stamps;
}

std::string sequential(int count, const std::string& script, const std::string& more) {
  std::string steps;
  for (int i = 0; i < count; ++i) {
    steps += fmt::format("  - id: s{}\n    type: command\n    script: |\n      {}\n", i, script);
    if (i > 0) steps += fmt::format("    dependencies: [s{}]\n", i - 1);
    steps += more;
  }
  return steps;
}

std::string parallel(int count) {
  std::string steps;
  for (int i = 0; i < count; ++i) {
    steps += fmt::format("  - id: s{}\n    type: command\n    script: \"true\"\n", i);
  }
  return steps;
}

Finished run_pipeline(const std::filesystem::path& project, const std::string& name) {
  // The peak that the kernel tells of a child begins with the memory of whoever forked it: time(1)
  // is small, this program is not.
  const auto peak = project.parent_path() / "peak";
  Finished finished = run(
      {"/usr/bin/time", "-f", "%M", "-o", peak.native(), WAVE_BINARY, "run", name, "-o", "quiet"},
      project, environment(project));
  std::ifstream(peak) >> finished.peak_rss_kib;
  if (finished.code != 0) {
    fmt::print(stderr, "bench: pipeline {} ended with {}\n", name, finished.code);
    std::exit(1);
  }
  return finished;
}

Figure first_process(const std::filesystem::path& scratch) {
  const auto project = make_project(scratch / "start");
  const auto stamps = project.parent_path() / "stamps";
  write_pipeline(project, "one",
                 fmt::format("  - id: s\n    type: command\n    script: \"date +%s%N >> {}\"\n",
                             stamps.native()));
  std::vector<nanoseconds> samples, bare;
  for (int i = 0; i < 20; ++i) {
    std::filesystem::remove(stamps);
    const int64_t begin = now_ns();
    (void)run_pipeline(project, "one");
    const auto seen = read_stamps(stamps);
    if (!seen.empty()) samples.emplace_back(seen.front() - begin);
    std::filesystem::remove(stamps);
    const int64_t bare_begin = now_ns();
    (void)run({"/bin/sh", "-c", fmt::format("date +%s%N >> {}", stamps.native())}, scratch,
              environment(project));
    bare.emplace_back(read_stamps(stamps).front() - bare_begin);
  }
  return {"from `wave run` to the first step's process (p50)",
          milliseconds(percentile(samples, 0.5)),
          "bare `sh -c date`: " + milliseconds(percentile(bare, 0.5)), "< 30 ms"};
}

struct StepTimes {
  std::vector<nanoseconds> samples;
};

StepTimes step_times(const std::filesystem::path& scratch, const std::string& name,
                     const std::string& more) {
  const auto project = make_project(scratch / name);
  const auto stamps = project.parent_path() / "stamps";
  std::string script(kStamp);
  script.replace(script.find("\"$STAMPS\""), 9, stamps.native());
  write_pipeline(project, "steps", sequential(200, script, more));
  (void)run_pipeline(project, "steps");
  StepTimes times;
  const auto seen = read_stamps(stamps);
  for (size_t i = 1; i < seen.size(); ++i) times.samples.emplace_back(seen[i] - seen[i - 1]);
  return times;
}

std::vector<Figure> overhead(const std::filesystem::path& scratch) {
  const auto bare_stamps = (scratch / "bare-stamps").native();
  const auto bare = bare_command(scratch, "date +%s%N >> " + bare_stamps, 200);
  const nanoseconds bare_p50 = percentile(bare, 0.5), bare_p99 = percentile(bare, 0.99);
  std::vector<Figure> figures;
  const auto add = [&](const std::string& what, const StepTimes& times, const std::string& goal) {
    const nanoseconds p50 = percentile(times.samples, 0.5), p99 = percentile(times.samples, 0.99);
    figures.push_back(
        {what,
         fmt::format("p50 {} (+{}), p99 {} (+{})", milliseconds(p50), milliseconds(p50 - bare_p50),
                     milliseconds(p99), milliseconds(p99 - bare_p99)),
         fmt::format("bare fork, exec, wait and two fdatasyncs: p50 {}, p99 {}",
                     milliseconds(bare_p50), milliseconds(bare_p99)),
         goal});
  };
  add("a `command` step, plain workspace", step_times(scratch, "plain", ""),
      "p50 < +1 ms, p99 < +5 ms");
  add("... with a stdout artifact",
      step_times(scratch, "stdout",
                 "    output_artifacts:\n      - {name: out, type: text, source: stdout}\n"),
      "");
  add("... in a worktree, with checkpoints",
      step_times(scratch, "worktree", "    workspace: {type: worktree, branch: bench}\n"), "");
  return figures;
}

std::vector<Figure> thousand(const std::filesystem::path& scratch) {
  std::vector<Figure> figures;
  const auto project = make_project(scratch / "thousand");
  write_pipeline(project, "sequential", sequential(1000, "true", ""));
  write_pipeline(project, "parallel", parallel(1000));
  const auto bare = bare_command(scratch, "true", 200);
  const nanoseconds each = percentile(bare, 0.5);
  for (const char* name : {"sequential", "parallel"}) {
    const Finished finished = run_pipeline(project, name);
    figures.push_back(
        {fmt::format("1,000 `true` steps, {}", name),
         fmt::format("{:.2f} s, peak {:.1f} MiB", static_cast<double>(finished.wall.count()) / 1e9,
                     static_cast<double>(finished.peak_rss_kib) / 1024),
         fmt::format("1,000 bare ones, one after another: {:.2f} s",
                     static_cast<double>(each.count()) * 1000 / 1e9),
         ""});
  }
  return figures;
}

Figure lines(const std::filesystem::path& scratch) {
  const auto project = make_project(scratch / "lines");
  write_pipeline(project, "lines",
                 "  - id: s\n    type: command\n    script: \"seq -f 'line %.0f of what an agent "
                 "may print' 100000\"\n");
  const Finished finished = run_pipeline(project, "lines");
  return {"100,000 lines from one agent",
          fmt::format("{}, peak {:.1f} MiB", milliseconds(finished.wall),
                      static_cast<double>(finished.peak_rss_kib) / 1024),
          "", "< 30 MB"};
}

}  // namespace

std::vector<Figure> bench_runs(const std::filesystem::path& scratch) {
  std::vector<Figure> figures{first_process(scratch)};
  const auto add = [&](const std::vector<Figure>& more) {
    figures.insert(figures.end(), more.begin(), more.end());
  };
  add(overhead(scratch));
  add(thousand(scratch));
  figures.push_back(lines(scratch));
  return figures;
}

}  // namespace wave::bench

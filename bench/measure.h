// Time, memory, and figures with the physical limit of the same run beside them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace wave::bench {

/// One line of docs/performance.md.
struct Figure {
  std::string what;      // "time from `wave run` to the first step's process"
  std::string measured;  // "12.3 ms"
  std::string beside;    // the physical limit or peer, measured in the same run
  std::string goal;
};

using Bench = std::function<std::vector<Figure>(const std::filesystem::path& scratch)>;

struct Finished {
  int code = 0;
  int64_t peak_rss_kib = 0;
  std::chrono::nanoseconds wall{};
};
/// Runs a program to its end, its output thrown away.
Finished run(std::vector<std::string> argv, const std::filesystem::path& cwd,
             const std::map<std::string, std::string>& env);

std::chrono::nanoseconds percentile(std::vector<std::chrono::nanoseconds> samples, double p);
/// A short line appended to a file of its own, and synced. Samples.
std::vector<std::chrono::nanoseconds> bare_sync(const std::filesystem::path& scratch, int count);
/// How long this much computing takes on the machine as it is: what is more is the time of others.
std::vector<std::chrono::nanoseconds> bare_computing(std::chrono::nanoseconds work, int count);
std::string milliseconds(std::chrono::nanoseconds time);
/// Nanoseconds since the epoch, as `date +%s%N` prints them.
int64_t now_ns();
/// The bare cost that a command step cannot go below: sh started and waited for, and two small
/// durable writes. Samples.
std::vector<std::chrono::nanoseconds> bare_command(const std::filesystem::path& scratch,
                                                   const std::string& script, int count);

// The benches, by the part they measure.
std::vector<Figure> bench_runs(const std::filesystem::path& scratch);
std::vector<Figure> bench_store(const std::filesystem::path& scratch);
std::vector<Figure> bench_model(const std::filesystem::path& scratch);
std::vector<Figure> bench_output(const std::filesystem::path& scratch);
std::vector<Figure> bench_access(const std::filesystem::path& scratch);
std::vector<Figure> bench_http(const std::filesystem::path& scratch);
// Of the real server: bench/server.
std::vector<Figure> bench_server_start(const std::filesystem::path& scratch);
std::vector<Figure> bench_server_list(const std::filesystem::path& scratch);
std::vector<Figure> bench_server_memory(const std::filesystem::path& scratch);
std::vector<Figure> bench_server_events(const std::filesystem::path& scratch);
std::vector<Figure> bench_server_submit(const std::filesystem::path& scratch);
std::vector<Figure> bench_server_adopt(const std::filesystem::path& scratch);

}  // namespace wave::bench

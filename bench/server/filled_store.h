// A store with a past: many runs that have ended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace wave::bench {

struct Past {
  size_t runs = 100'000;
  size_t events_each = 50;  // at least 8
};

/// Fills the project's store through its own interface, as owners would have: each run with its
/// events, steps and tags. Runs grow older with falling number, a minute apart. Prints how long it
/// took to stderr.
void fill_store(const std::filesystem::path& project, const Past& past);

/// The id of a run of a filled store; the last one is the newest.
std::string past_run_id(size_t number);

/// A project whose store has Past{}; made once for all benches of a process, or in the folder
/// WAVE_BENCH_PAST and kept.
std::filesystem::path project_with_past(const std::filesystem::path& scratch);

}  // namespace wave::bench

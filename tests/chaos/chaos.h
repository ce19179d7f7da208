// Killing what belongs to a project at random moments, and what has to hold afterwards.
#pragma once

#include <chrono>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/wave.h"

namespace wave::test {

/// How long one chaos test kills: WAVE_CHAOS_SECONDS, else `usual`.
std::chrono::seconds chaos_time(std::chrono::seconds usual);

/// Kills processes of a project with SIGKILL. What it does follows from its seed, which a failing
/// test shows; moments still differ from run to run.
class Killer {
 public:
  explicit Killer(const Project& project);
  /// One process of the project, whatever it is: owner, server, launcher, host or agent. Returns
  /// whether there was one.
  bool strike();
  /// A pause before the next strike.
  [[nodiscard]] std::chrono::milliseconds pause();
  [[nodiscard]] size_t random(size_t below) { return random_() % below; }
  [[nodiscard]] unsigned seed() const { return seed_; }
  [[nodiscard]] size_t strikes() const { return strikes_; }

 private:
  const std::string mark_;  // in the environment of every process of the project
  unsigned seed_;
  std::mt19937 random_;
  size_t strikes_ = 0;
};

/// Whether a run with this status has ended.
bool is_over(const std::string& status);

/// A pipeline with steps in a row and side by side, whose agents say numbered lines, take a moment,
/// and are tried again when they fail.
void write_chaos_pipeline(const Project& project);

/// Every promise about a run that does not depend on luck: it has ended once, its log has no hole,
/// its status is that of its last event, no line of an agent was lost or doubled, and no process of
/// it is left.
void expect_survived(const Project& project, const std::string& run_id);

}  // namespace wave::test

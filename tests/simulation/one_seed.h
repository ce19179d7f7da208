// One seed: a pipeline, driven to its end without and with everything going wrong, and what must
// hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace wave::sim {

struct Faults {
  bool crashes = false;  // of the owner, at any event boundary
  bool power = false;    // some of them take the machine along
  bool store = false;    // appends that fail, or say so
  bool people = false;   // stops, resumes and cancels
};

struct Outcome {
  std::string status;  // of the run
  std::vector<std::pair<std::string, std::string>> steps;
  size_t events = 0;
  std::vector<std::string> log;     // the events, as they are stored
  std::vector<std::string> broken;  // laws that were broken; empty is well
};

/// Runs `seed` in a folder of its own below `scratch`.
Outcome run_seed(uint64_t seed, const Faults& faults, const std::filesystem::path& scratch);

}  // namespace wave::sim

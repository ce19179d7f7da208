// How a program of a run starts, whatever it is for: an attempt's agent or command, a contract's
// check or reviewer, a hook. What holds for all of them is applied here and nowhere else: the cap
// on its output, the grace period, the owner's lock, the marks in its environment, the files of its
// plan. Whatever confines a program belongs here too.
#pragma once

#include <string>

#include "engine/run_context.h"

namespace wave::engine {

struct Launch {
  std::string name;  // of its folder below the run's (LaunchName::text)
  std::string step;  // empty: it belongs to the run as a whole
  agent::LaunchPlan plan;
  std::filesystem::path files;  // the folder that the plan's files are relative to
  std::filesystem::path cwd;
  Millis timeout{0};
};

/// Where the launcher and its host keep the files of a program of this run.
std::filesystem::path launch_folder(const RunContext& run, const std::string& name);

/// Writes the plan's files; the answer is what World::start_or_attach starts. Not for a program
/// that was started before: it may be reading them. (pool)
Result<process::HostRequest> launch(const RunContext& run, Launch what);

/// Whether a failed start may succeed later: a launcher or host that does not answer, and what the
/// machine is short of, is no fault of the program.
bool launch_may_pass(const Error& error);

/// What World::start_or_attach needs to find a program that was started in an earlier life.
process::HostRequest launched(const RunContext& run, const std::string& name);

}  // namespace wave::engine

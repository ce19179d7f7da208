// A short helper program (git, a check) run to its end, with a deadline and bounded output. For
// what is neither an agent nor a step: those are hosted.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace wave::process {

struct CommandRequest {
  std::vector<std::string> argv;
  std::filesystem::path cwd;
  std::optional<std::map<std::string, std::string>> env;  // nothing: ours
  std::string stdin_text;
  Millis timeout{60'000};
  size_t max_output = 1 << 20;  // of each stream; the rest is read and dropped
  std::stop_token stop{};       // ends it early
  /// Descriptors that the program inherits, under other numbers: a lock on one of them lasts until
  /// the program has ended, also when we die before it.
  std::vector<int> inherited;
};

struct CommandResult {
  int exit_code = 0;  // 128 + signal when a signal ended it
  std::string out, err;
  bool out_truncated = false;
};

/// Blocks; not for the loop thread. kTimeout when the deadline passed, kInterrupted when `stop`
/// asked for it: then the process group gets SIGTERM, so that git takes its locks away, and a
/// second later SIGKILL. kNotFound when there is no such program.
Result<CommandResult> run_command(const CommandRequest& request);

/// The full path of a program in PATH, if there is one.
std::optional<std::filesystem::path> find_program(const std::string& name, const std::string& path);

}  // namespace wave::process

// What the tests of this room share: foreign data, a workspace, and a plain way to run a launch
// plan.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "agent/adapter.h"
#include "base/file.h"
#include "base/id.h"

namespace wave::agent {

/// WAVE_SHARED, else ../shared beside the checkout; nothing when it is not there.
inline std::optional<fs::path> shared_path(const std::string& relative) {
  const char* given = std::getenv("WAVE_SHARED");
  const fs::path source = fs::path(__FILE__).parent_path().parent_path().parent_path();
  const fs::path path = (given != nullptr ? fs::path(given) : source / ".." / "shared") / relative;
  if (fs::exists(path)) return path;
  return std::nullopt;
}

/// For what cannot be tested here: a skip, but a failure where CI promises that it can.
#define WAVE_SKIP_OR_FAIL(message)                         \
  do {                                                     \
    if (std::getenv("CI") != nullptr) FAIL() << (message); \
    GTEST_SKIP() << (message);                             \
  } while (false)

class TestWorkspace {
 public:
  TestWorkspace() {
    SystemRandom random;
    path_ = fs::temp_directory_path() / ("wave-agent-test-" + random_base32(random, 12));
    fs::create_directories(path_);
    path_ = fs::canonical(path_);
  }
  TestWorkspace(const TestWorkspace&) = delete;
  TestWorkspace& operator=(const TestWorkspace&) = delete;
  ~TestWorkspace() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] std::string read(const std::string& relative) const {
    return read_file(path_ / relative, 16 << 20).value_or("<no such file>");
  }
  [[nodiscard]] bool has(const std::string& relative) const { return fs::exists(path_ / relative); }

 private:
  fs::path path_;
};

struct PlanRun {
  process::HostExit exit;
  std::string out, err;
  std::vector<Activity> activity;
  AgentResult result;

  /// The contents of all activity of a kind.
  [[nodiscard]] std::vector<std::string> said(std::string_view kind) const {
    std::vector<std::string> contents;
    for (const auto& one : activity) {
      if (one.kind == kind) contents.push_back(one.content);
    }
    return contents;
  }
};

/// Environment of the running test, with the test program in the place of wave.
inline std::map<std::string, std::string> test_environment() {
  const char* path = std::getenv("PATH");
  return {{"PATH", path != nullptr ? path : "/usr/bin:/bin"},
          {"HOME", "/nonexistent"},
          {"WAVE_SELF", fs::read_symlink("/proc/self/exe").string()}};
}

/// Runs the plan as a host would, with files in place of its spools, and reads its output with the
/// adapter's parser. `while_running` is called every few milliseconds with the pid.
inline PlanRun run_plan(const Adapter& adapter, const LaunchPlan& plan, const fs::path& workspace,
                        Millis deadline = std::chrono::seconds(60),
                        const std::function<void(int)>& while_running = {}) {
  PlanRun run;
  for (const auto& [name, content] : plan.files) {
    fs::create_directories((workspace / name).parent_path());
    if (!write_file(workspace / name, content)) ADD_FAILURE() << "cannot write " << name;
  }
  const TestWorkspace spool;
  const std::string in = (spool.path() / "in").string(), out = (spool.path() / "out").string(),
                    err = (spool.path() / "err").string();
  if (!write_file(in, plan.stdin_text)) ADD_FAILURE() << "cannot write stdin";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addchdir_np(&actions, workspace.c_str());
  std::vector<std::string> env_texts;
  for (const auto& [name, value] : plan.env) env_texts.push_back(name + "=" + value);
  std::vector<char*> env, argv;
  for (auto& text : env_texts) env.push_back(text.data());
  env.push_back(nullptr);
  std::vector<std::string> arguments = plan.argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int spawned = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), env.data());
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) {
    run.exit.reason = "spawn_failed";
    run.exit.message = std::strerror(spawned);
  } else {
    const SystemClock clock;
    const MonoTime end = clock.mono() + deadline;
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
      if (clock.mono() > end) {
        ::kill(pid, SIGKILL);
        run.exit.reason = "timeout";
      }
      if (while_running) while_running(pid);
      ::poll(nullptr, 0, 2);
    }
    run.exit.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run.exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  run.out = read_file(out, 1 << 30).value_or("");
  run.err = read_file(err, 1 << 30).value_or("");
  const auto parser = adapter.parser();
  parser->feed_out(run.out, run.activity);
  parser->feed_err(run.err, run.activity);
  run.result = parser->finish(run.exit, run.activity);
  return run;
}

}  // namespace wave::agent

// A disk that is full, out of inodes, read-only, failing or gone: waited for, and said (promises
// O3, O11), and a database that somebody else keeps locked.
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "support/server.h"
#include "support/shim.h"
#include "support/wave.h"

namespace wave::test {
namespace {

/// A disk of its own for all that has `folder` in its path, by the shim `disk`.
class BadDisk {
 public:
  BadDisk(const Project& project, std::string_view folder)
      : words_(project.root().parent_path() / "disk"), folder_(folder) {}

  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return with_shim("disk",
                     {{"WAVE_SHIM_DISK", words_.native()}, {"WAVE_SHIM_DISK_UNDER", folder_}});
  }
  void is(std::string_view words) const {
    const auto next = words_.native() + ".new";
    std::ofstream(next) << words << '\n';
    std::filesystem::rename(next, words_);
  }
  void is_well() const { is(""); }

 private:
  const std::filesystem::path words_;
  const std::string folder_;
};

/// A step that ends when `go` is there, beside the project, so that a test may take the project
/// away.
std::string until(const Project& project, std::string_view id, std::string_view more = {}) {
  return fmt::format(
      "  - id: {}\n    type: command\n    script: |\n"
      "      touch '{}'\n      while [ ! -e '{}' ]; do sleep 0.05; done\n{}",
      id, (project.root().parent_path() / "at-work").native(),
      (project.root().parent_path() / "go").native(), more);
}

void go(const Project& project) {
  std::ofstream(project.root().parent_path() / "go") << "go";
}

std::string waiting_reason(const Server& server, const std::string& run) {
  const json::object shown = get_object(server.run(run), "run");
  return fmt::format("{}/{}", get_string(shown, "status"), get_string(shown, "waiting_reason"));
}

/// Of the check `name`, when the server is not ready; or nothing.
std::string not_ready(const Server& server, std::string_view name) {
  const Answer answer = server.get("/api/health/ready");
  EXPECT_EQ(server.get("/api/health").status, 200);
  if (answer.status == 200) return {};
  EXPECT_EQ(answer.status, 503);
  for (const json::value& check : get_array(answer.object(), "checks")) {
    if (get_string(check.as_object(), "name") == name) {
      return std::string(get_string(check.as_object(), "message"));
    }
  }
  return {};
}

size_t index_of(const std::vector<json::object>& log, std::string_view kind) {
  size_t at = 0;
  while (at < log.size() && get_string(log[at], "event") != kind) ++at;
  return at;
}

TEST(Promises, O11_ARunOfACommandLineWaitsForTheDiskAndSaysSo) {
  const Project project;
  project.pipeline("work", "  - {id: a, type: command, script: \"true\"}\n");
  const BadDisk disk(project, project.root().native());
  for (const auto& [words, reason] : {std::pair{"free_mib=63", "63 MiB of disk are free"},
                                      std::pair{"inodes=7", "7 inodes are free"},
                                      std::pair{"statvfs_readonly", "is read-only"}}) {
    disk.is(words);
    const auto started = start_wave(project, {"run", "work"}, disk.environment());
    ASSERT_TRUE(wait_until([&] { return started->out().contains(reason); }))
        << started->out() << started->err();
    const std::string run = *newest_run(project);
    EXPECT_TRUE(wait_for_status(project, run, "waiting"));
    EXPECT_TRUE(wave(project, {"status"}).out.contains("waiting (disk)"));
    disk.is_well();
    const Exit ended = started->wait();
    EXPECT_EQ(ended.code, 0) << ended.err;
    const auto log = events(project, run);
    expect_sound(log);
    EXPECT_LT(index_of(log, "run_waiting"), index_of(log, "step_started"));
    EXPECT_EQ(count_events(log, "run_wait_ended"), 1u);
  }
}

TEST(Promises, O3_WithoutRoomNothingStartsAndWhatWasAcceptedGoesOnByItself) {
  const Project project;
  project.pipeline(
      "slow",
      until(project, "a", "  - {id: b, dependencies: [a], type: command, script: \"true\"}\n"));
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const BadDisk disk(project, project.root().native());
  const Server server(project, {"--max-concurrent", "1"}, disk.environment());
  const std::string slow = server.submit({{"pipeline", "slow"}});
  const std::string queued = server.submit({{"pipeline", "quick"}});
  wait_for_event(project, slow, "step_started", "a");

  disk.is("inodes=7");
  ASSERT_TRUE(wait_until([&] { return not_ready(server, "disk").contains("7 inodes are free"); }));
  const Answer refused = server.post("/api/runs", json::object{{"pipeline", "quick"}});
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(get_string(refused.object(), "code"), "disk_full");
  EXPECT_TRUE(server.get("/metrics").body.contains("wave_disk_ready 0"));
  go(project);
  ASSERT_TRUE(wait_until([&] { return waiting_reason(server, slow) == "waiting/disk"; }));
  // Its slot is free, and nobody gets it.
  ASSERT_TRUE(wait_until([&] {
    const json::array waiting = get_array(server.get("/api/queue").object(), "waiting");
    return waiting.size() == 1 && get_string(waiting[0].as_object(), "why").contains("inodes");
  }));
  EXPECT_EQ(waiting_reason(server, queued), "queued/");

  disk.is_well();
  server.wait_for_status(slow, "completed");
  server.wait_for_status(queued, "completed");
  EXPECT_EQ(not_ready(server, "disk"), "");
  const auto log = events(project, slow);
  expect_sound(log);
  EXPECT_EQ(count_events(log, "step_waiting", "b"), 1u);
  EXPECT_EQ(count_events(log, "step_started"), 2u);
}

TEST(Promises, O11_AnArtifactThatDoesNotFitIsWaitedFor) {
  const Project project;
  project.pipeline("make",
                   "  - id: a\n    type: command\n    script: 'echo made > made.txt'\n"
                   "    output_artifacts: [{name: made, path: made.txt, required: true}]\n");
  for (const char* words : {"full", "readonly"}) {
    const BadDisk disk(project, "/state/blobs/.new-");
    disk.is("");
    const Server server(project, {}, disk.environment());
    const std::string warm = server.submit({{"pipeline", "make"}});
    server.wait_for_status(warm, "completed");
    project.pipeline(
        "make" + std::string(words),
        fmt::format("  - id: a\n    type: command\n    script: 'echo {} > made.txt'\n"
                    "    output_artifacts: [{{name: made, path: made.txt, required: true}}]\n",
                    words));
    const std::string run = server.submit({{"pipeline", "make" + std::string(words)}});
    disk.is(words);
    // It may have been quicker than the disk was full; else it waits.
    ASSERT_TRUE(wait_until([&] {
      const std::string at = waiting_reason(server, run);
      return at == "waiting/disk" || at.starts_with("completed");
    })) << waiting_reason(server, run);
    disk.is_well();
    server.wait_for_status(run, "completed");
    expect_sound(events(project, run));
  }
}

TEST(Promises, O11_AManifestThatCannotBeReadIsNotAnInvalidOne) {
  const Project project;
  project.pipeline("work", "  - {id: a, type: command, script: \"true\"}\n");
  for (const char* unreadable : {"/wave.yaml", "/pipelines/work.yaml", "/personas/worker.md"}) {
    const BadDisk disk(project, unreadable);
    disk.is_well();
    const Server server(project, {}, disk.environment());
    disk.is("open_eio=100");
    for (const auto& command : {std::vector<std::string>{"run", "work"}, {"validate"}}) {
      const Exit ended = wave(project, command, disk.environment());
      EXPECT_EQ(ended.code, 6) << command[0] << " " << unreadable << ": " << ended.out << ended.err;
    }
    EXPECT_EQ(wave(project, {"list", "pipelines"}, disk.environment()).code, 6) << unreadable;
    EXPECT_EQ(server.get("/api/pipelines").status, 503) << unreadable;
    EXPECT_EQ(server.get("/api/personas").status, 503) << unreadable;
    const Answer refused = server.post("/api/runs", json::object{{"pipeline", "work"}});
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_EQ(get_string(refused.object(), "code"), "disk_error") << refused.body;
    disk.is_well();
  }
  const BadDisk disk(project, "/wave.yaml");
  disk.is("open_eio=100");
  EXPECT_EQ(wave(project, {"serve", "--port", "0"}, disk.environment()).code, 6);
  disk.is_well();
}

/// Whether the step that `until` has written comes to its work.
bool is_at_work(const Project& project) {
  return wait_until(
      [&] { return std::filesystem::exists(project.root().parent_path() / "at-work"); });
}

TEST(Promises, O11_AStepThatFailsOnAFullDiskWaitsAndRunsAgain) {
  const Project project;
  const std::string again = (project.root().parent_path() / "again").native();
  project.pipeline("work",
                   until(project, "a",
                         fmt::format("      [ -e '{0}' ] || {{ touch '{0}'; exit 3; }}\n", again)));
  const BadDisk disk(project, project.root().native());
  const Server server(project, {}, disk.environment());
  const std::string run = server.submit({{"pipeline", "work"}});
  ASSERT_TRUE(is_at_work(project));
  disk.is("free_mib=0");
  go(project);
  ASSERT_TRUE(wait_until([&] {
    const std::string at = waiting_reason(server, run);
    return at == "waiting/disk" || at.starts_with("failed");
  }));
  disk.is_well();
  server.wait_for_status(run, "completed");
  const auto log = events(project, run);
  expect_sound(log);
  EXPECT_EQ(count_events(log, "step_interrupted", "a"), 1u);
  EXPECT_EQ(get_string(log.at(index_of(log, "step_interrupted")), "reason"), "disk");
  EXPECT_EQ(count_events(log, "step_retrying"), 0u);
}

TEST(Promises, O11_AStepThatCompletesOnAFullDiskSaysWhatMayBeMissing) {
  const Project project;
  project.pipeline("work", until(project, "a"));
  const BadDisk disk(project, project.root().native());
  const Server server(project, {}, disk.environment());
  const std::string run = server.submit({{"pipeline", "work"}});
  ASSERT_TRUE(is_at_work(project));
  disk.is("free_mib=0");
  go(project);
  server.wait_for_status(run, "completed");
  const auto log = events(project, run);
  EXPECT_EQ(count_events(log, "warning_raised", "a"), 1u);
  EXPECT_TRUE(
      get_string(log.at(index_of(log, "warning_raised")), "message").contains("may be missing"));
}

TEST(Promises, O11_ALaunchThatCannotBeNotedIsWaitedFor) {
  const Project project;
  project.pipeline(
      "two",
      until(project, "a", "  - {id: b, dependencies: [a], type: command, script: \"true\"}\n"));
  const BadDisk disk(project, "/b.1.1");
  const Server server(project, {}, disk.environment());
  const std::string run = server.submit({{"pipeline", "two"}});
  wait_for_event(project, run, "step_started", "a");
  disk.is("full");
  go(project);
  ASSERT_TRUE(wait_until([&] { return waiting_reason(server, run) == "waiting/disk"; }))
      << waiting_reason(server, run);
  disk.is_well();
  server.wait_for_status(run, "completed");
  EXPECT_EQ(count_events(events(project, run), "step_started", "b"), 1u);
}

TEST(Promises, O11_AProjectThatIsAwayForAMomentIsNotTakenForGone) {
  const Project project;
  project.pipeline(
      "two",
      until(project, "a", "  - {id: b, dependencies: [a], type: command, script: \"true\"}\n"));
  const auto beside = project.root().parent_path();
  const std::string database = (beside / "state/wave.db").native();
  const Server server(project, {"--db", database});
  const std::string run = server.submit({{"pipeline", "two"}});
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(beside / "at-work"); }));
  // As an unmounted file system leaves it: the folder is there, and empty.
  std::filesystem::rename(project.root(), beside / "away");
  std::filesystem::create_directory(project.root());
  const Answer refused = server.post("/api/runs", json::object{{"pipeline", "two"}});
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(server.get("/api/pipelines/two").status, 503);
  go(project);
  ASSERT_TRUE(wait_until([&] { return waiting_reason(server, run) == "waiting/disk"; }))
      << json::serialize(server.run(run));
  EXPECT_TRUE(wait_until([&] { return !not_ready(server, "disk").empty(); }));
  EXPECT_TRUE(std::filesystem::is_empty(project.root())) << "something was made anew in it";
  std::filesystem::remove(project.root());
  std::filesystem::rename(beside / "away", project.root());
  server.wait_for_status(run, "completed");
}

TEST(Promises, A6_WhatIsAcknowledgedIsInTheAuditAlsoOnAFailingDisk) {
  constexpr int kSubmits = 40;
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const BadDisk disk(project, "/state/wave.db");
  const Server server(project, {}, disk.environment());
  disk.is("sync_eio=40");
  size_t acknowledged = 0;
  for (int i = 0; i < kSubmits; ++i) {
    const Answer answer = server.post("/api/runs", json::object{{"pipeline", "quick"}});
    acknowledged += answer.status == 201 ? 1 : 0;
    EXPECT_TRUE(answer.status == 201 || answer.status == 503) << answer.body;
    EXPECT_FALSE(answer.body.contains("damaged")) << answer.body;
  }
  EXPECT_GT(acknowledged, size_t{kSubmits} / 4);
  disk.is("read_eio=20");
  for (int i = 0; i < kSubmits; ++i) {
    const Answer answer = server.get("/api/runs?limit=200");
    EXPECT_TRUE(answer.status == 200 || answer.status == 503) << answer.body;
    EXPECT_FALSE(answer.body.contains("damaged")) << answer.body;
  }
  disk.is_well();
  size_t written = 0;
  for (const json::value& entry :
       get_array(server.get("/api/audit?action=submitRun&limit=1000").object(), "entries")) {
    written += get_string(entry.as_object(), "outcome") == "ok" ? 1 : 0;
  }
  EXPECT_EQ(written, acknowledged);
}

/// Another program that holds the lock of whoever writes to the database.
class ForeignLock {
 public:
  explicit ForeignLock(const std::filesystem::path& database) {
    int ready[2];
    if (::pipe(ready) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      const int file = ::open((database.native() + "-shm").c_str(), O_RDWR | O_CLOEXEC);
      struct flock lock{};
      lock.l_type = F_WRLCK;
      lock.l_whence = SEEK_SET;
      lock.l_start = 120;  // WAL_WRITE_LOCK (sqlite.org/walformat.html)
      lock.l_len = 1;
      while (::fcntl(file, F_SETLK, &lock) != 0) ::usleep(1000);
      (void)!::write(ready[1], "x", 1);
      while (true) ::pause();
    }
    char got = 0;
    (void)!::read(ready[0], &got, 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~ForeignLock() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ForeignLock(const ForeignLock&) = delete;
  ForeignLock& operator=(const ForeignLock&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

TEST(Promises, O11_ALockedDatabaseIsSaidWithWhoHoldsIt) {
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project);
  server.wait_for_status(server.submit({{"pipeline", "quick"}}), "completed");
  {
    const ForeignLock lock(project.root() / ".agents/state/wave.db");
    const std::string holder = fmt::format("(process {})", lock.pid());
    const auto began = std::chrono::steady_clock::now();
    const Answer refused = server.post("/api/runs", json::object{{"pipeline", "quick"}});
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_EQ(get_string(refused.object(), "code"), "store_busy");
    EXPECT_TRUE(refused.body.contains(holder)) << refused.body;
    ASSERT_TRUE(wait_until([&] { return not_ready(server, "store").contains(holder); }))
        << not_ready(server, "store");
    EXPECT_EQ(server.get("/api/runs").status, 200);
  }
  server.wait_for_status(server.submit({{"pipeline", "quick"}}), "completed");
  EXPECT_TRUE(wait_until([&] { return not_ready(server, "store").empty(); }));
}

}  // namespace
}  // namespace wave::test

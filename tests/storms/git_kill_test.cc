// Everything of a project is killed again and again while git makes worktrees and checkpoints; the
// user's repository must come out of it as if nothing had happened.
#include <gtest/gtest.h>
#include <signal.h>

#include <random>
#include <set>
#include <thread>

#include "base/text.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

namespace fs = std::filesystem;

constexpr int kKillRounds = 12;
constexpr int kManyFiles = 4'000;

/// Steps that have a worktree made, commit in it, and leave something for a checkpoint.
void write_worktree_pipeline(const Project& project) {
  std::string steps;
  for (const char* id : {"a", "b"}) {
    steps +=
        std::string("  - id: ") + id +
        "\n    type: command\n    workspace: {type: worktree}\n    retry: {max_attempts: 3, "
        "base_delay: 100ms}\n    script: |\n      echo one > new.txt; git add new.txt\n      git "
        "-c user.name=a -c user.email=a@localhost commit -qm work || true\n      echo two > "
        "left.txt\n";
  }
  steps +=
      "  - id: c\n    type: command\n    dependencies: [a]\n    workspace: {ref: a}\n    script: "
      "cat new.txt left.txt\n";
  project.pipeline("wt", steps);
}

void fill_repository(const Project& project) {
  for (int i = 0; i < kManyFiles; ++i) {
    project.write("src/d" + std::to_string(i % 40) + "/f" + std::to_string(i), "some text\n");
  }
  EXPECT_EQ(project.git({"add", "-A"}).code, 0);
  EXPECT_EQ(project.git({"commit", "-qm", "many files"}).code, 0);
}

/// Every lock file in the repository.
std::vector<std::string> locks_in(const fs::path& git_dir) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(git_dir)) {
    if (entry.path().native().ends_with(".lock")) found.push_back(entry.path().native());
  }
  return found;
}

std::vector<std::string> lines_of(const Exit& exit) {
  std::vector<std::string> lines = split(exit.out, '\n');
  std::erase(lines, "");
  return lines;
}

void expect_clean_repository(const Project& project) {
  const Exit fsck = project.git({"fsck", "--no-dangling", "--full"});
  EXPECT_EQ(fsck.code, 0) << fsck.out << fsck.err;
  EXPECT_EQ(locks_in(project.root() / ".git"), std::vector<std::string>{});
  EXPECT_EQ(project.git({"worktree", "prune", "--dry-run", "--verbose", "--expire=now"}).out, "");
}

// Promises Q1, S2, O11: an accepted run is done in the end, and nothing of the storm is left.
TEST(Storm, KillsInTheMiddleOfGitLeaveNothingInTheRepository) {
  const Project project;
  write_worktree_pipeline(project);
  fill_repository(project);
  const std::string before = project.git({"status", "--porcelain"}).out;
  const std::string head = project.git({"rev-parse", "HEAD"}).out;
  unsigned seed = std::random_device{}();
  if (const char* asked = std::getenv("WAVE_CHAOS_SEED")) {
    seed = static_cast<unsigned>(std::strtoul(asked, nullptr, 10));
  }
  SCOPED_TRACE("WAVE_CHAOS_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string mark = "HOME=" + project.environment().at("HOME");
  std::set<std::string> runs;
  size_t left_behind = 0;
  auto server = std::make_unique<Server>(project);
  for (int round = 0; round < kKillRounds; ++round) {
    runs.insert(server->submit(json::object{{"pipeline", "wt"}}));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1'500));
    // Half of the time only the server: its git goes on. Else all at once, git among them.
    if (random() % 2 == 0) {
      server->kill();
    } else {
      for (const pid_t pid : processes_with(mark)) ::kill(pid, SIGKILL);
      server->kill();
    }
    left_behind += locks_in(project.root() / ".git").empty() ? 0 : 1;
    server.reset();
    server = std::make_unique<Server>(project);
  }
  for (const std::string& run : runs) {
    EXPECT_TRUE(
        wait_until([&] { return status(project, run) == "completed"; }, std::chrono::minutes(3)))
        << run << " is " << status(project, run);
  }
  EXPECT_EQ(server->stop().code, 0);
  expect_clean_repository(project);
  const Exit clean = wave(project, {"clean", "--all", "--force"});
  EXPECT_EQ(clean.code, 0) << clean.out << clean.err;
  expect_clean_repository(project);
  EXPECT_EQ(lines_of(project.git({"worktree", "list"})).size(), 1u) << "a stray worktree";
  EXPECT_EQ(project.git({"for-each-ref", "refs/wave"}).out, "");
  EXPECT_EQ(project.git({"status", "--porcelain"}).out, before);
  EXPECT_EQ(project.git({"rev-parse", "HEAD"}).out, head);
  std::cout << "  " << runs.size() << " runs, locks were left in " << left_behind << " of "
            << kKillRounds << " rounds\n";
}

}  // namespace
}  // namespace wave::test

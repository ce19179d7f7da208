// Commands that only read change nothing, and say what is wrong with an odd place.
#include <fmt/core.h>
#include <gmock/gmock.h>

#include <fstream>

#include "base/file.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kTrue = "  - {id: a, type: command, script: \"true\"}\n";

std::vector<std::vector<std::string>> reading_commands(const std::string& run) {
  return {{"status"},
          {"status", run},
          {"logs", run},
          {"list", "runs"},
          {"gate"},
          {"artifacts", run},
          {"retro", run},
          {"retro", "list"},
          {"audit"},
          {"doctor"},
          {"clean", "--all", "--dry-run"}};
}

std::string database_of(const Project& project) {
  return project.read(".agents/state/wave.db");
}

/// Sets the version in the database's header: what an older wave has left behind.
void make_older(const Project& project) {
  constexpr size_t kUserVersion = 60;  // big-endian, in the first page
  std::string bytes = database_of(project);
  ASSERT_GT(bytes.size(), kUserVersion + 4);
  ASSERT_GT(bytes[kUserVersion + 3], 1);
  --bytes[kUserVersion + 3];
  project.write(".agents/state/wave.db", bytes);
}

TEST(Reading, AnOlderStoreIsNotMigrated) {
  const Project project;
  project.pipeline("quick", kTrue);
  ASSERT_EQ(wave(project, {"run", "quick", "-q"}).code, 0);
  const std::string run = *newest_run(project);
  make_older(project);
  const std::string before = database_of(project);
  for (const auto& arguments : reading_commands(run)) {
    const Exit ended = wave(project, arguments);
    const std::string said = ended.out + ended.err;
    EXPECT_THAT(said, HasSubstr("was written by an older wave"))
        << testing::PrintToString(arguments);
    EXPECT_THAT(said, HasSubstr("it migrates after a backup"));
    EXPECT_EQ(database_of(project), before) << testing::PrintToString(arguments);
  }
  for (const auto& entry : fs::directory_iterator(project.root() / ".agents/state")) {
    EXPECT_THAT(entry.path().filename().native(), Not(HasSubstr(".bak-")));
  }
}

/// Whether a file system can be mounted read-only here, in a namespace of its own.
std::vector<std::string> in_read_only(const Project& project, std::vector<std::string> arguments) {
  std::vector<std::string> argv{
      "unshare",
      "-rm",
      "sh",
      "-c",
      "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && cd \"$0\" && exec \"$@\"",
      project.root().native()};
  std::ranges::move(arguments, std::back_inserter(argv));
  return argv;
}

TEST(Reading, WorksOnAReadOnlyFileSystem) {
  const Project project;
  project.pipeline("quick", kTrue);
  ASSERT_EQ(wave(project, {"run", "quick", "-q"}).code, 0);
  const std::string run = *newest_run(project);
  if (test::run(in_read_only(project, {"true"}), project.root(), project.environment()).code != 0) {
    GTEST_SKIP() << "no mount namespace can be made here";
  }
  // Closed in order, and as after a crash: with a log that nobody has copied into the database.
  for (const bool with_files : {false, true}) {
    const fs::path database = project.root() / ".agents/state/wave.db";
    if (with_files) {
      std::ofstream(database.native() + "-wal").flush();
      std::ofstream(database.native() + "-shm").flush();
    } else {
      fs::remove(database.native() + "-wal");
      fs::remove(database.native() + "-shm");
    }
    for (const auto& arguments : reading_commands(run)) {
      std::vector<std::string> argv{WAVE_BINARY};
      argv.insert(argv.end(), arguments.begin(), arguments.end());
      const Exit ended =
          test::run(in_read_only(project, argv), project.root(), project.environment());
      if (arguments.front() == "doctor") {
        EXPECT_THAT(ended.out, HasSubstr("database: " + database.native())) << ended.out;
      } else {
        EXPECT_EQ(ended.code, 0) << testing::PrintToString(arguments) << ended.err;
      }
    }
  }
}

TEST(OddPlaces, APathThatIsTooLongSaysSo) {
  const Project project;
  std::string deep = project.root().native();
  while (deep.size() < 520) deep += "/" + std::string(100, 'd');
  ASSERT_TRUE(make_directories(deep));
  ASSERT_EQ(test::run({"cp", "-r", project.root() / "wave.yaml", deep}, project.root(),
                      project.environment())
                .code,
            0);
  project.pipeline("quick", kTrue);
  ASSERT_EQ(test::run({"cp", "-r", project.root() / ".agents", deep}, project.root(),
                      project.environment())
                .code,
            0);
  const Exit ended = wave(project, {"-C", deep, "run", "quick", "-q"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("the path of the database has"));
  EXPECT_THAT(ended.err, HasSubstr("--db FILE"));
  const std::string database = (project.root() / "elsewhere/wave.db").native();
  EXPECT_EQ(wave(project, {"--db", database, "-C", deep, "run", "quick", "-q"}).code, 0)
      << "what the hint says works";
}

TEST(OddPlaces, APathWithBytesThatAreNoUtf8Works) {
  const Project project;
  project.pipeline("work",
                   "  - id: a\n    persona: worker\n    exec: {type: prompt, source: do}\n"
                   "    workspace: {type: worktree}\n"
                   "    output_artifacts: [{name: x, path: out.txt}]\n"
                   "  - {id: b, type: command, script: \"true\", dependencies: [a]}\n");
  project.script("a", "- write: {path: out.txt, content: hello}\n- result: Done\n");
  const std::string odd = project.root().native() + "-\xFF\xFE";
  ASSERT_EQ(test::run({"cp", "-r", project.root(), odd}, "/", project.environment()).code, 0);
  const Exit ended = wave(project, {"-C", odd, "run", "work"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_EQ(wave(project, {"-C", odd, "status", "--json"}).code, 0);
  EXPECT_EQ(wave(project, {"-C", odd, "artifacts", "--export", odd + "/exported"}).code, 0);
}

TEST(OddPlaces, AStateThatIsAFileIsFound) {
  const Project project;
  project.pipeline("quick", kTrue);
  project.write(".agents/state", "a file");
  const Exit doctor = wave(project, {"doctor"});
  EXPECT_EQ(doctor.code, 1);
  EXPECT_THAT(doctor.out, HasSubstr("is a file; wave's state needs a folder"));
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"status"}, {"run", "quick", "-q"}}) {
    const Exit ended = wave(project, arguments);
    EXPECT_NE(ended.code, 0);
    EXPECT_THAT(ended.err, HasSubstr("is a file; wave's state needs a folder"));
    EXPECT_THAT(ended.err, HasSubstr("move the file away"));
  }
}

TEST(OddPlaces, ABareRepositoryIsCalledSo) {
  const Project project;
  const fs::path bare = project.root().native() + "-bare.git";
  ASSERT_EQ(project.git({"init", "--bare", "-q", bare.native()}).code, 0);
  for (const char* part : {"wave.yaml", ".agents"}) {
    if (!fs::exists(project.root() / part)) continue;
    fs::copy(project.root() / part, bare / part, fs::copy_options::recursive);
  }
  fs::create_directories(bare / ".agents/pipelines");
  std::ofstream(bare / ".agents/pipelines/work.yaml")
      << "kind: WavePipeline\nmetadata: {name: work}\nsteps:\n"
         "  - {id: a, type: command, script: \"true\", workspace: {type: worktree}}\n";
  const Exit ended = wave(project, {"-C", bare.native(), "run", "work", "-q"});
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(ended.err, HasSubstr("bare repository"));
  EXPECT_THAT(wave(project, {"-C", bare.native(), "doctor"}).out, HasSubstr("bare repository"));
}

TEST(OddPlaces, TheServersRunsHaveAnOwner) {
  const Project project;
  project.pipeline("wait",
                   "  - id: a\n    type: command\n    script: |\n"
                   "      while [ ! -e go ]; do sleep 0.02; done\n");
  project.pipeline("quick", kTrue);
  const Server server(project, {"--max-concurrent", "1"});
  const std::string running = server.submit({{"pipeline", "wait"}});
  wait_for_event(project, running, "step_started", "a");
  const std::string queued = server.submit({{"pipeline", "quick"}});
  const Exit doctor = wave(project, {"doctor"});
  EXPECT_THAT(doctor.out, Not(HasSubstr("without an owner: ")));
  EXPECT_THAT(doctor.out, HasSubstr("the server (process "));
  project.write("go", "");
}

}  // namespace
}  // namespace wave::test

// --db and WAVE_DB: where a project's state lies.
#include <gmock/gmock.h>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Placed {
  Project project, elsewhere;
  fs::path database = elsewhere.root() / "state/of/it/wave.db";

  Placed() { project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n"); }
  [[nodiscard]] Exit with_flag(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--db", database.native()});
    return wave(project, std::move(arguments));
  }
};

TEST(Database, AllOfTheStateLiesWhereTheFlagSays) {
  const Placed placed;
  EXPECT_EQ(placed.with_flag({"run", "quick"}).code, 0);
  EXPECT_TRUE(fs::exists(placed.database));
  EXPECT_TRUE(fs::is_directory(placed.database.parent_path() / "blobs"));
  EXPECT_TRUE(fs::is_directory(placed.database.parent_path() / "runs"));
  EXPECT_FALSE(fs::exists(placed.project.root() / ".agents/state"));
  EXPECT_EQ(wave(placed.project, {"status"}).code, 2) << "elsewhere there is nothing";
}

TEST(Database, FlagVariableAndServerFindTheSameRuns) {
  const Placed placed;
  EXPECT_EQ(placed.with_flag({"run", "quick"}).code, 0);
  const std::map<std::string, std::string> variable{{"WAVE_DB", placed.database.native()}};
  const Exit listed = wave(placed.project, {"status", "--json"}, variable);
  ASSERT_EQ(listed.code, 0) << listed.err;
  const json::value answer = parsed(listed.out);
  const std::string run(
      get_string(get_array(answer.as_object(), "runs").at(0).as_object(), "run_id"));
  const Server server(placed.project, {"--db", placed.database.native()});
  EXPECT_EQ(get_string(get_object(server.run(run), "run"), "status"), "completed");
  // A run that goes on in the background is the server's, which lives in the same folder.
  const Exit detached = wave(placed.project, {"run", "quick", "--detach", "-q"}, variable);
  ASSERT_EQ(detached.code, 0) << detached.err;
  server.wait_for_status(detached.out.substr(0, detached.out.find('\n')), "completed");
}

TEST(Database, ADetachedRunIsDrivenThere) {
  const Placed placed;
  const Exit detached = placed.with_flag({"run", "quick", "--detach", "-q"});
  ASSERT_EQ(detached.code, 0) << detached.err;
  const std::string run = detached.out.substr(0, detached.out.find('\n'));
  EXPECT_TRUE(wait_until([&] {
    const Exit status = placed.with_flag({"status", run, "--json"});
    return status.code == 0 && get_string(parsed(status.out).as_object(), "status") == "completed";
  }));
}

TEST(Database, APlaceThatIsSomethingElseIsRefusedAndLeftAlone) {
  const Placed placed;
  placed.elsewhere.write("state/of/it/letter.txt", "dear");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"run", "quick"}, {"serve", "--port", "0"}}) {
    const Exit refused = placed.with_flag(command);
    EXPECT_EQ(refused.code, 2) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("letter.txt"));
  }
  EXPECT_FALSE(fs::exists(placed.database));
  const Exit folder = wave(placed.project, {"--db", placed.elsewhere.root().native(), "run"});
  EXPECT_EQ(folder.code, 2);
  EXPECT_THAT(folder.err, HasSubstr("is a folder"));
}

TEST(Database, AnotherProjectsIsRefused) {
  const Placed placed;
  EXPECT_EQ(placed.with_flag({"run", "quick"}).code, 0);
  const Exit refused = wave(placed.elsewhere, {"--db", placed.database.native(), "status"});
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr(placed.project.root().native()));
}

}  // namespace
}  // namespace wave::test

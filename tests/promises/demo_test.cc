// O: the demo, as somebody sees it who has nothing but the binary.
#include <gmock/gmock.h>

#include <filesystem>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(Demo, ServesItsOwnProjectAndRunsItsPipelineToTheEnd) {
  const Project somewhere;
  Server server(somewhere, {"--demo"});
  const json::object health = server.get("/api/health").object();
  EXPECT_TRUE(get_bool(health, "demo"));
  EXPECT_EQ(get_string(health, "auth"), "none");
  EXPECT_EQ(get_string(health, "role"), "admin");

  const std::string run =
      server.submit({{"pipeline", "add-language"}, {"input", "Teach greet to speak German"}});
  server.wait_for_status(run, "completed");
  const Answer notes = server.get("/api/runs/" + run + "/artifacts");
  EXPECT_THAT(notes.body, HasSubstr("release-notes"));
  EXPECT_FALSE(fs::exists(somewhere.root() / ".agents" / "state"))
      << "nothing of the user's own is touched";
  EXPECT_EQ(server.stop().code, 0);
}

TEST(Demo, LeavesNothingBehindUnlessItIsTold) {
  const Project somewhere;
  const fs::path temporary = somewhere.root() / "tmp", kept = somewhere.root() / "kept";
  fs::create_directories(temporary);
  const std::map<std::string, std::string> environment{{"TMPDIR", temporary.native()}};
  {
    Server server(somewhere, {"--demo"}, environment);
    EXPECT_FALSE(fs::is_empty(temporary));
    EXPECT_EQ(server.stop().code, 0);
  }
  EXPECT_TRUE(fs::is_empty(temporary));
  const std::vector<std::string> into_kept{"--demo", "--demo-folder", kept.native()};
  {
    Server server(somewhere, into_kept, environment);
    EXPECT_EQ(server.stop().code, 0);
  }
  EXPECT_TRUE(fs::exists(kept / "wave.yaml"));
  EXPECT_TRUE(fs::is_empty(temporary));
  const Exit again = wave(somewhere, {"serve", "--demo", "--demo-folder", kept.native()});
  EXPECT_NE(again.code, 0);
  EXPECT_THAT(again.err, HasSubstr("wave serve -C"));
}

TEST(Demo, ListensOnThisMachineOnly) {
  const Project somewhere;
  for (const std::string address : {"0.0.0.0", "[::]:0", "192.0.2.1:8080"}) {
    const Exit refused = wave(somewhere, {"serve", "--demo", "--bind", address});
    EXPECT_EQ(refused.code, 2) << refused.out << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("--demo"));
  }
}

}  // namespace
}  // namespace wave::test

// S6: secrets that wave.yaml itself holds.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/file.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHook = "literal-hook-secret-77aa88bb";
const std::string kHidden = "hidden-in-a-plain-name-4455";

/// A project whose manifest holds secrets, and a step that prints them.
struct Leaking {
  Project project;
  std::map<std::string, std::string> environment{{"PLAIN", kHidden}};

  Leaking() {
    const auto webhook = [](const std::string& name, const std::string& secret) {
      return "    - name: " + name + "\n      provider: github\n      secret: " + secret +
             "\n      events: [push]\n      pipeline: leak\n";
    };
    project.manifest_append("server:\n  webhooks:\n" + webhook("one", kHook) +
                            webhook("two", "${PLAIN}"));
    project.pipeline(
        "leak", "  - id: leak\n    type: command\n    script: |\n      echo \"printed " + kHook +
                    " and " + kHidden + "\"\n      printf %s '" + kHook +
                    "' | base64\n      exit 1\n");
  }
};

void expect_masked(const std::string& shown, const std::string& where) {
  EXPECT_THAT(shown, HasSubstr("printed")) << where << ": the test sees nothing";
  EXPECT_THAT(shown, Not(HasSubstr(kHook))) << where;
  EXPECT_THAT(shown, Not(HasSubstr(kHidden))) << where;
  EXPECT_THAT(shown, Not(HasSubstr("bGl0ZXJhbC1ob29rLXNlY3JldC03N2Fh"))) << where;
}

TEST(Promises, S6_SecretsOfTheManifestAreMaskedWhereAStepPrintsThem) {
  const Leaking leaking;
  const Exit run = wave(leaking.project, {"run", "leak"}, leaking.environment);
  EXPECT_EQ(run.code, 1) << run.err;
  const std::string id = newest_run(leaking.project).value_or("");
  expect_masked(run.out + run.err + "printed", "wave run");
  expect_masked(wave(leaking.project, {"logs", id, "--json"}).out, "the log");
}

TEST(Promises, S6_AServerMasksThemInEverythingItShows) {
  const Leaking leaking;
  const Server server(leaking.project, {}, leaking.environment);
  const std::string run = server.submit({{"pipeline", "leak"}});
  server.wait_for_status(run, "failed");
  expect_masked(server.get("/api/runs/" + run + "/logs").body, "logs");
  expect_masked(server.get("/api/runs/" + run + "/steps/leak/output").body, "output");
  expect_masked(server.get("/api/pipelines/leak").body, "the pipeline's source");
}

}  // namespace
}  // namespace wave::test

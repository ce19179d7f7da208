// A disk on which many syncs and reads fail, and one that is full again and again.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/server.h"
#include "support/shim.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr char kSteps[] =
    "  - id: a\n    type: command\n    script: 'echo $WAVE_RUN_ID > made.txt'\n"
    "    output_artifacts: [{name: made, path: made.txt, required: true}]\n"
    "  - {id: b, dependencies: [a], type: command, script: \"true\"}\n";

/// Submits `count` runs while the disk is each of `troubles` in turn, then well; returns those that
/// were acknowledged.
std::vector<std::string> submit_through(const Server& server, const std::filesystem::path& words,
                                        const std::vector<std::string>& troubles, size_t count) {
  std::vector<std::string> accepted;
  for (size_t i = 0; i < count; ++i) {
    std::ofstream(words.native() + ".new") << troubles[i % troubles.size()] << '\n';
    std::filesystem::rename(words.native() + ".new", words);
    const Answer answer = server.post("/api/runs", json::object{{"pipeline", "work"}});
    EXPECT_TRUE(answer.status == 201 || answer.status == 503) << answer.body;
    EXPECT_FALSE(answer.body.contains("damaged")) << answer.body;
    if (answer.status == 201) accepted.emplace_back(get_string(answer.object(), "run_id"));
    EXPECT_EQ(server.get("/api/health").status, 200);
  }
  std::filesystem::remove(words);
  return accepted;
}

TEST(Storms, O11_NoRunThatWasAcceptedFailsForTheDisk) {
  const Project project;
  project.pipeline("work", kSteps);
  const auto words = project.root().parent_path() / "disk";
  const Server server(project, {},
                      with_shim("disk", {{"WAVE_SHIM_DISK", words.native()},
                                         {"WAVE_SHIM_DISK_UNDER", "/.agents/state"}}));
  const std::vector<std::string> accepted =
      submit_through(server, words, {"sync_eio=40", "read_eio=10", "full", "readonly", ""}, 100);
  EXPECT_GT(accepted.size(), 20u);
  for (const std::string& run : accepted) {
    server.wait_for_status(run, "completed");
    expect_sound(events(project, run));
  }
  size_t written = 0;
  for (const json::value& entry :
       get_array(server.get("/api/audit?action=submitRun&limit=1000").object(), "entries")) {
    written += get_string(entry.as_object(), "outcome") == "ok" ? 1 : 0;
  }
  EXPECT_EQ(written, accepted.size());
}

}  // namespace
}  // namespace wave::test

// Q2: the order of acceptance is one order, before and after a restart, whatever a program costs to
// load.
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr int kSubmitters = 6;
constexpr int kEach = 6;

/// A pipeline that takes a while to load, and long to store the snapshot of.
void write_large_pipeline(const Project& project, const std::string& name) {
  std::string steps;
  for (int i = 0; i < 150; ++i) {
    steps +=
        "  - {id: s" + std::to_string(i) + ", type: command, optional: true, script: \"true\"}\n";
  }
  project.pipeline(name, steps);
}

json::object detail_row(const Server& server, const std::string& run_id) {
  const json::object detail = server.run(run_id);
  return detail.contains("run") ? detail.at("run").as_object() : detail;
}

/// Run ids in the order in which the server says that they wait, with their times.
std::vector<std::pair<std::string, std::string>> waiting_runs(const Server& server) {
  std::vector<std::pair<std::string, std::string>> waiting;
  const json::object queue = server.get("/api/queue").object();
  for (const json::value& entry : get_array(queue, "waiting")) {
    const std::string run(get_string(entry.as_object(), "run_id"));
    waiting.emplace_back(run, get_string(detail_row(server, run), "queued_at"));
  }
  return waiting;
}

TEST(Promises, Q2_RunsStartInTheOrderOfAcceptanceAfterARestart) {
  const Project project;
  project.pipeline("slow", "  - {id: a, type: command, script: \"sleep 600\"}\n");
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  for (const char* name : {"large1", "large2", "large3"}) write_large_pipeline(project, name);
  Server server(project, {"--max-concurrent", "1"});
  const std::string running = server.submit(json::object{{"pipeline", "slow"}});
  server.wait_for_status(running, "running");
  std::vector<std::thread> submitters;
  for (int who = 0; who < kSubmitters; ++who) {
    submitters.emplace_back([&, who] {
      for (int i = 0; i < kEach; ++i) {
        const int which = (who + i) % 6;
        const std::string pipeline = which < 3 ? "large" + std::to_string(which + 1) : "quick";
        (void)server.submit(json::object{{"pipeline", pipeline}});
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  const auto waiting = waiting_runs(server);
  ASSERT_EQ(waiting.size(), static_cast<size_t>(kSubmitters * kEach));
  for (size_t i = 1; i < waiting.size(); ++i) {
    EXPECT_LE(waiting[i - 1].second, waiting[i].second) << "position " << i + 1 << " was accepted "
                                                        << "before the one in front of it";
  }
  server.kill();
  const Server next(project, {"--max-concurrent", "8"});
  EXPECT_LT(next.post("/api/runs/" + running + "/cancel", json::object{}).status, 300);
  std::string before = "0";
  for (const auto& [run, queued_at] : waiting) {
    std::string started;
    EXPECT_TRUE(wait_until([&, id = run] {
      const json::object row = detail_row(next, id);
      return row.contains("started_at") && row.at("started_at").is_string() &&
             !(started = get_string(row, "started_at")).empty();
    }));
    EXPECT_GE(started, before) << run;
    before = started;
    // What matters is that it started; its hundred steps need not run.
    (void)next.post("/api/runs/" + run + "/cancel", json::object{{"force", true}});
  }
}

}  // namespace
}  // namespace wave::test

// Q and S: the queue of a running server.
#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>
#include <thread>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr std::string_view kQuickPipeline = "  - {id: a, type: command, script: \"true\"}\n";

/// Runs until the file `go` lies in the project.
void slow_pipeline(const Project& project, const std::string& name) {
  project.pipeline(name, "  - id: a\n    type: command\n    script: |\n      while [ ! -e '" +
                             (project.root() / "go").native() + "' ]; do sleep 0.05; done\n");
}

json::object submission(const std::string& pipeline) {
  return {{"pipeline", pipeline}};
}

int64_t position_of(const json::object& run) {
  return run.contains("queue_position") && run.at("queue_position").is_int64()
             ? run.at("queue_position").as_int64()
             : 0;
}

/// The run's row in an answer of GET /api/runs/{id}.
json::object row_of(const Server& server, const std::string& run_id) {
  const json::object detail = server.get("/api/runs/" + run_id).object();
  return detail.contains("run") ? detail.at("run").as_object() : detail;
}

TEST(Promises, Q1_ARunThatWasAnsweredWith201SurvivesKillMinus9) {
  const Project project;
  project.pipeline("quick", kQuickPipeline);
  std::vector<std::string> accepted;
  Server server(project, {"--max-concurrent", "1"});
  for (int i = 0; i < 5; ++i) accepted.push_back(server.submit(submission("quick")));
  server.kill();
  const Server next(project, {"--max-concurrent", "1"});
  for (const std::string& run : accepted) {
    next.wait_for_status(run, "completed");
    expect_sound(events(project, run));
  }
}

TEST(Promises, Q2_FirstInFirstOutAndPositionsAreTold) {
  const Project project;
  slow_pipeline(project, "slow");
  project.pipeline("quick", kQuickPipeline);
  const Server server(project, {"--max-concurrent", "1"});
  const std::string running = server.submit(submission("slow"));
  server.wait_for_status(running, "running");
  std::vector<std::string> waiting;
  for (int64_t i = 1; i <= 3; ++i) {
    const Answer answer = server.post("/api/runs", submission("quick"));
    ASSERT_EQ(answer.status, 201) << answer.body;
    EXPECT_EQ(get_string(answer.object(), "status"), "queued");
    EXPECT_EQ(position_of(answer.object()), i) << answer.body;
    waiting.emplace_back(get_string(answer.object(), "run_id"));
    EXPECT_EQ(position_of(row_of(server, waiting.back())), i);
  }
  const json::object queue = server.get("/api/queue").object();
  ASSERT_EQ(get_array(queue, "waiting").size(), 3u);
  EXPECT_EQ(get_string(get_array(queue, "waiting").at(2).as_object(), "run_id"), waiting[2]);
  project.write("go", "go");
  std::string before = "0";
  for (const std::string& run : waiting) {
    server.wait_for_status(run, "completed");
    const std::string started(get_string(row_of(server, run), "started_at"));
    EXPECT_GE(started, before);
    before = started;
  }
}

TEST(Promises, Q3_AWaitingRunHoldsNoSlotAndResumesBeforeNewOnes) {
  const Project project;
  slow_pipeline(project, "slow");
  project.pipeline("quick", kQuickPipeline);
  project.pipeline("gated",
                   "  - {id: ok, type: gate, gate: {type: approval, prompt: \"go on?\", choices: "
                   "[{label: \"Yes\", key: y}]}}\n"
                   "  - {id: b, type: command, dependencies: [ok], script: \"true\"}\n");
  const Server server(project, {"--max-concurrent", "1"});
  const std::string gated = server.submit(submission("gated"));
  server.wait_for_status(gated, "waiting");
  const std::string slow = server.submit(submission("slow"));
  server.wait_for_status(slow, "running");  // the only slot: the gate does not hold it
  const std::string fresh = server.submit(submission("quick"));
  const Answer decided =
      server.post("/api/runs/" + gated + "/gate/ok", json::object{{"choice", "y"}});
  ASSERT_LT(decided.status, 300) << decided.body;
  server.wait_for_status(gated, "queued");
  EXPECT_TRUE(get_bool(row_of(server, gated), "resuming"));
  // It is stored as queued a moment before it asks for a slot.
  EXPECT_TRUE(wait_until([&] { return position_of(row_of(server, gated)) == 1; }));
  EXPECT_EQ(position_of(row_of(server, fresh)), 2);
  project.write("go", "go");
  server.wait_for_status(gated, "completed");
  server.wait_for_status(fresh, "completed");
  EXPECT_LE(get_string(row_of(server, gated), "finished_at"),
            get_string(row_of(server, fresh), "started_at"));
}

TEST(Promises, Q4_QueueSurvivesKillMinus9) {
  const Project project;
  slow_pipeline(project, "slow");
  project.pipeline("quick", kQuickPipeline);
  Server server(project, {"--max-concurrent", "1"});
  const std::string running = server.submit(submission("slow"));
  server.wait_for_status(running, "running");
  std::vector<std::string> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(server.submit(submission("quick")));
  server.kill();

  const Server next(project, {"--max-concurrent", "1"});
  const json::object queue = next.get("/api/queue").object();
  const json::array& list = get_array(queue, "waiting");
  ASSERT_EQ(list.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(get_string(list.at(i).as_object(), "run_id"), waiting[i]);
    EXPECT_EQ(get_int(list.at(i).as_object(), "position"), static_cast<int64_t>(i) + 1);
  }
  EXPECT_EQ(get_string(row_of(next, running), "status"), "running");
  project.write("go", "go");
  next.wait_for_status(running, "completed");
  for (const std::string& run : waiting) {
    next.wait_for_status(run, "completed");
    expect_sound(events(project, run));
  }
  EXPECT_EQ(count_events(events(project, running), "step_failed"), 0u);
}

TEST(Promises, Q5_ARunInTheQueueIsCancelledAtOnce) {
  const Project project;
  slow_pipeline(project, "slow");
  project.pipeline("quick", kQuickPipeline);
  const Server server(project, {"--max-concurrent", "1"});
  const std::string running = server.submit(submission("slow"));
  server.wait_for_status(running, "running");
  const std::string queued = server.submit(submission("quick"));
  EXPECT_LT(server.post("/api/runs/" + queued + "/cancel", json::object{}).status, 300);
  server.wait_for_status(queued, "cancelled");
  EXPECT_EQ(count_events(events(project, queued), "run_started"), 0u);
  EXPECT_EQ(get_string(row_of(server, running), "status"), "running");
  EXPECT_EQ(server.post("/api/runs/" + queued + "/cancel", json::object{}).status, 409);
  EXPECT_LT(server.post("/api/runs/" + running + "/cancel", json::object{}).status, 300);
  server.wait_for_status(running, "cancelled");
  EXPECT_TRUE(agents_of(running).empty());
}

TEST(Promises, Q6_TheSameIdempotencyKeyGivesTheSameRun) {
  const Project project;
  project.pipeline("quick", kQuickPipeline);
  Server server(project);
  const std::map<std::string, std::string> key{{"Idempotency-Key", "once"}};
  const Answer first = server.post("/api/runs", submission("quick"), key);
  ASSERT_EQ(first.status, 201) << first.body;
  const std::string run(get_string(first.object(), "run_id"));
  const auto again = [&](const Server& where) {
    const Answer repeated = where.post("/api/runs", submission("quick"), key);
    EXPECT_LT(repeated.status, 300) << repeated.body;
    EXPECT_EQ(get_string(repeated.object(), "run_id"), run);
    const Answer other =
        where.post("/api/runs", json::object{{"pipeline", "quick"}, {"input", "x"}}, key);
    EXPECT_EQ(other.status, 422) << other.body;
  };
  again(server);
  server.kill();
  again(Server(project));
}

TEST(Promises, Q6_RetryAndResumeAreCarriedOutOnceForAKey) {
  const Project project;
  project.pipeline("broken", "  - {id: a, type: command, script: \"false\"}\n");
  auto server = std::make_unique<Server>(project);
  const std::string origin = server->submit({{"pipeline", "broken"}});
  server->wait_for_status(origin, "failed");
  for (const std::string operation : {"retry", "resume"}) {
    const std::string path = "/api/runs/" + origin + "/" + operation;
    const std::map<std::string, std::string> key{{"Idempotency-Key", "once " + operation}};
    const Answer first = server->post(path, json::object{}, key);
    ASSERT_EQ(first.status, 201) << first.body;
    const std::string run(get_string(first.object(), "run_id"));
    server->wait_for_status(run, "failed");
    server->kill();
    server = std::make_unique<Server>(project);
    const Answer again = server->post(path, json::object{}, key);
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(get_string(again.object(), "run_id"), run);
    EXPECT_EQ(get_string(again.object(), "original_run_id"), origin);
    EXPECT_EQ(server->post(path, json::object{{"from_step", "a"}}, key).status, 422);
    // Without a key, or with another one, it is another run.
    const Answer other = server->post(path, json::object{}, {{"Idempotency-Key", "2" + operation}});
    EXPECT_NE(get_string(other.object(), "run_id"), run);
  }
  EXPECT_EQ(get_array(server->get("/api/runs/" + origin + "/children").object(), "runs").size(),
            4u);
}

TEST(Promises, Q6_ARunThatWasStoppedGoesOnOnceForAKey) {
  const Project project;
  slow_pipeline(project, "slow");
  const auto running = start_wave(project, {"run", "slow"});
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "step_started", "a");
  running->signal(SIGINT);
  (void)running->wait();
  const Server server(project);
  const std::string path = "/api/runs/" + run + "/resume";
  const std::map<std::string, std::string> key{{"Idempotency-Key", "on"}};
  const Answer first = server.post(path, json::object{}, key);
  ASSERT_EQ(first.status, 200) << first.body;
  project.write("go", "go");
  server.wait_for_status(run, "completed");
  // It has ended by now: the same request is still the one that was carried out.
  const Answer again = server.post(path, json::object{}, key);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(get_string(again.object(), "run_id"), run);
  EXPECT_EQ(server.post(path, json::object{}).status, 409);
}

TEST(Promises, Q2_ARunOfACommandLineIsNotTakenByTheServer) {
  const Project project;
  slow_pipeline(project, "slow");
  const Server server(project, {"--max-concurrent", "1"});
  const auto running = start_wave(project, {"run", "slow"});
  const std::string run = wait_for_run(project);
  ASSERT_TRUE(wait_for_status(project, run, "running"));
  ASSERT_TRUE(wait_until(
      [&] { return get_array(server.get("/api/queue").object(), "elsewhere").size() == 1; }));
  project.write("go", "go");
  EXPECT_EQ(running->wait().code, 0);
  EXPECT_EQ(count_events(events(project, run), "run_resumed"), 0u);
}

TEST(Promises, Q4_TheServerGoesOnWithTheRunOfACommandLineThatDied) {
  const Project project;
  slow_pipeline(project, "slow");
  const Server server(project, {"--max-concurrent", "1"});
  const auto running = start_wave(project, {"run", "slow"});
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "step_started", "a");
  running->signal(SIGKILL);
  project.write("go", "go");
  server.wait_for_status(run, "completed");
}

TEST(Promises, S1_AnAgentOutlivesTheServerAndNoLineIsLost) {
  const Project project;
  project.pipeline("lines",
                   "  - id: count\n    type: command\n    script: |\n"
                   "      i=0\n      while [ $i -lt 400 ]; do i=$((i+1)); echo line-$i; "
                   "sleep 0.005; done\n");
  std::string run;
  {
    Server server(project);
    run = server.submit(submission("lines"));
    wait_for_event(project, run, "stream_activity", "count");
    server.kill();
  }
  EXPECT_FALSE(agents_of(run).empty());  // it works on
  const Server next(project);
  next.wait_for_status(run, "completed");
  std::string said;
  for (const json::object& event : events(project, run)) {
    if (get_string(event, "event") != "stream_activity") continue;
    const std::string content(get_string(event, "content"));
    said += content;
    if (static_cast<size_t>(get_int(event, "length")) > content.size()) said += "\n";
  }
  std::string wanted;
  for (int i = 1; i <= 400; ++i) wanted += "line-" + std::to_string(i) + "\n";
  EXPECT_EQ(said, wanted);
  expect_sound(events(project, run));
}

TEST(Promises, Q2_AReloadChangesHowManyRunsRun) {
  const Project project;
  Server server(project);
  const auto slots = [&] { return get_int(server.get("/api/queue").object(), "max_concurrent"); };
  EXPECT_EQ(slots(), 5);
  project.manifest_append("server:\n  max_concurrent: 2\n");
  server.program().signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return slots() == 2; })) << slots();
}

// Without children the promise holds; what would have some is refused before anything is stored.
TEST(Promises, Q9_NoRunWithChildrenIsAccepted) {
  const Project project;
  project.pipeline("child", "  - {id: a, type: command, script: \"true\"}\n");
  project.pipeline("parent", "  - {id: sub, pipeline: child}\n");
  project.pipeline("each", "  - {id: sub, pipeline: child, iterate: {over: \"[1]\"}}\n");
  const Server server(project);
  for (const char* pipeline : {"parent", "each"}) {
    const Answer refused = server.post("/api/runs", json::object{{"pipeline", pipeline}});
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_THAT(refused.body, testing::HasSubstr("not carried out"));
    EXPECT_NE(wave(project, {"run", pipeline}).code, 0);
  }
  EXPECT_THAT(server.get("/api/runs").body, testing::HasSubstr("\"runs\":[]"));
}

}  // namespace
}  // namespace wave::test

// What the server does when there is too much: of readers, of streams, of what is on the disk.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "support/reader.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

std::string events_of(const std::string& run) {
  return "/api/runs/" + run + "/events";
}

// Sanitizers keep freed memory for a while, which is not what is measured here.
const std::map<std::string, std::string> kLean{
    {"ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}};

TEST(Promises, E7_SlowReadersCostBoundedMemoryAndDelayNobody) {
  constexpr int kMessages = 2'000, kSlow = 100;
  const Project project;
  project.pipeline("flood",
                   "  - {id: talk, persona: worker, exec: {type: prompt, source: talk}}\n");
  project.script("talk", fmt::format("- repeat: {{times: {}, actions: [{{say: {}}}]}}\n", kMessages,
                                     std::string(1'900, 'x')));
  Server server(project, {}, kLean);
  const std::string run = server.submit({{"pipeline", "flood"}});
  std::vector<std::unique_ptr<SseClient>> slow;
  for (int i = 0; i < kSlow; ++i) {
    slow.push_back(std::make_unique<SseClient>(server.port(), events_of(run),
                                               std::map<std::string, std::string>{}, 4096));
    EXPECT_EQ(slow.back()->status(), 200);
  }
  const size_t before = resident_bytes(server.program().pid());
  // Who reads sees all of it while the others do not move.
  SseClient quick(server.port(), events_of(run));
  size_t bytes = 0, seen = 0;
  for (const SseFrame& frame : quick.until("run_completed")) {
    if (frame.event == "queue_position") continue;
    EXPECT_EQ(frame.id, std::to_string(++seen));
    bytes += frame.data.size();
  }
  const size_t after = resident_bytes(server.program().pid());
  EXPECT_GT(bytes, size_t{1} << 20) << "there has to be something to be slow about";
  EXPECT_LT(after, before + kSlow * bytes / 2) << "the server keeps what slow readers do not take";
  // And who was slow reads on from the log, without a gap.
  for (size_t i = 0; i < 3; ++i) {
    uint64_t next = 0;
    for (const SseFrame& frame : slow[i]->until("run_completed")) {
      if (frame.event == "queue_position") continue;
      EXPECT_EQ(frame.id, std::to_string(++next));
    }
    EXPECT_EQ(next, seen);
  }
}

TEST(Promises, E8_TooManyStreamsAreToldToComeBack) {
  constexpr size_t kMost = 1'000;  // of one client
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlimit few = files;
  if (files.rlim_max < 4 * kMost) GTEST_SKIP() << "too few descriptors are allowed here";
  files.rlim_cur = 4 * kMost;  // the server's as well, which begins with ours
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  {
    const std::map<std::string, std::string> secret{
        {"WAVE_JWT_SECRET", "0123456789abcdef0123456789abcdef0123456789abcdef"}};
    const Project project;
    project.manifest_append(
        "server:\n  auth:\n    mode: jwt\n    jwt_secret: ${WAVE_JWT_SECRET}\n");
    const Server server(project, {}, secret);
    const auto bearer_of = [&](const std::string& subject) {
      const Exit made = wave(
          project, {"token", "create", "--subject", subject, "--role", "viewer", "--json"}, secret);
      EXPECT_EQ(made.code, 0) << made.err;
      return std::map<std::string, std::string>{
          {"authorization",
           "Bearer " + std::string(get_string(parsed(made.out).as_object(), "token"))}};
    };
    const auto ada = bearer_of("ada");
    std::vector<std::unique_ptr<SseClient>> open;
    for (size_t i = 0; i < kMost; ++i) {
      open.push_back(std::make_unique<SseClient>(server.port(), "/api/events", ada));
      ASSERT_EQ(open.back()->status(), 200) << i;
    }
    // An EventSource would give up for good on any other status than 200.
    SseClient refused(server.port(), "/api/events", ada);
    EXPECT_EQ(refused.status(), 200);
    const auto frame = refused.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->event, "busy");
    EXPECT_TRUE(frame->retry.has_value());
    EXPECT_FALSE(refused.next());
    EXPECT_TRUE(refused.ended());
    // Others have their share, and so has the client when one of its streams has gone.
    SseClient other(server.port(), "/api/events", bearer_of("bob"));
    EXPECT_FALSE(other.next(std::chrono::milliseconds(200)));
    EXPECT_FALSE(other.ended());
    open.pop_back();
    EXPECT_TRUE(wait_until([&] {
      SseClient again(server.port(), "/api/events", ada);
      const auto first = again.next(std::chrono::milliseconds(200));
      return !first && !again.ended();
    })) << "there is room again";
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
}

TEST(Promises, E9_AQuietStreamHasAHeartbeatAndGoesOn) {
  const Project project;
  project.pipeline("ask",
                   "  - id: ask\n    gate: {type: approval, prompt: \"Well?\", "
                   "choices: [{label: Go, key: go}]}\n");
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "ask"}});
  SseClient client(server.port(), events_of(run));
  EXPECT_EQ(client.headers().at("x-accel-buffering"), "no");
  (void)client.until("run_waiting");
  // How often, 15 s at most, is said to the connection and tested there; here it has to come.
  EXPECT_TRUE(wait_until([&] {
    (void)client.next(std::chrono::milliseconds(200));
    return client.heartbeats() > 0;
  }));
  EXPECT_EQ(server.post("/api/runs/" + run + "/gate/ask", json::object{{"choice", "go"}}).status,
            200);
  (void)client.until("run_completed");
}

/// Nothing can be written to a file of this process any more; or again.
void set_disk_full(Server& server, bool full) {
  const rlimit limit{.rlim_cur = full ? 0 : RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(server.program().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
}

TEST(Promises, O3_AFullDiskIsA503AndTheServerRecoversByItself) {
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  project.pipeline("slow", fmt::format("  - id: a\n    type: command\n    script: |\n"
                                       "      while [ ! -e '{}' ]; do sleep 0.05; done\n",
                                       (project.root() / "go").native()));
  project.pipeline("ask",
                   "  - id: ask\n    gate: {type: approval, prompt: \"Well?\", "
                   "choices: [{label: Go, key: go}]}\n");
  Server server(project);
  server.wait_for_status(server.submit({{"pipeline", "quick"}}), "completed");
  const std::string slow = server.submit({{"pipeline", "slow"}});
  const std::string asking = server.submit({{"pipeline", "ask"}});
  server.wait_for_status(asking, "waiting");
  wait_for_event(project, slow, "step_started", "a");

  set_disk_full(server, true);
  project.pipeline("other", "  - {id: a, type: command, script: \"echo other\"}\n");
  const std::string decide = "/api/runs/" + asking + "/gate/ask";
  const struct {
    std::string target;
    json::object body;
  } refused[] = {{"/api/runs", {{"pipeline", "quick"}}},
                 {"/api/runs", {{"pipeline", "other"}}},  // its files are not stored yet either
                 {decide, {{"choice", "go"}}},
                 {"/api/runs/" + slow + "/cancel", {}}};
  for (const auto& [target, body] : refused) {
    const Answer answer = server.post(target, body);
    EXPECT_EQ(answer.status, 503) << target << answer.body;
    // SQLite does not tell this kind of full disk from one that fails.
    const std::string code(get_string(answer.object(), "code"));
    EXPECT_TRUE(code == "disk_full" || code == "store_error") << answer.body;
    EXPECT_TRUE(get_bool(answer.object(), "retryable")) << answer.body;
    EXPECT_NE(get_string(answer.object(), "hint"), "");
  }
  // What can be read is read, and nothing of what was refused is there.
  EXPECT_EQ(get_array(server.get("/api/runs").object(), "runs").size(), 3u);
  EXPECT_EQ(get_string(get_object(server.run(asking), "run"), "status"), "waiting");
  project.write("go", "go");  // what a running step has to say meanwhile is kept

  set_disk_full(server, false);
  server.wait_for_status(slow, "completed");
  server.wait_for_status(server.submit({{"pipeline", "other"}}), "completed");
  EXPECT_EQ(server.post(decide, json::object{{"choice", "go"}}).status, 200);
  server.wait_for_status(asking, "completed");
  for (const std::string& run : {slow, asking}) expect_sound(events(project, run));
  EXPECT_EQ(server.stop().code, 0);
}

}  // namespace
}  // namespace wave::test

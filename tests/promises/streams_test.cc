// E: event streams of `wave serve`, from outside.
#include <gtest/gtest.h>

#include "contract/json_schema.h"
#include "support/cutting_proxy.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

// Its run takes a second or two and some hundred events.
void streamed_pipeline(const Project& project) {
  project.pipeline("count",
                   "  - id: count\n    type: command\n    script: |\n"
                   "      i=1\n      while [ $i -le 100 ]; do\n        echo \"number $i.\"\n"
                   "        sleep 0.01\n        i=$((i+1))\n      done\n");
}

std::string stream_events_of(const std::string& run) {
  return "/api/runs/" + run + "/events";
}

/// Reads to the end, coming back with the last id as an EventSource does. `port` is asked anew each
/// time, because the server may be another one by then.
std::vector<SseFrame> follow(const std::function<uint16_t()>& port, const std::string& target,
                             const std::string& last_kind) {
  std::vector<SseFrame> seen;
  std::string id;
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (std::chrono::steady_clock::now() < until) {
    std::map<std::string, std::string> headers;
    if (!id.empty()) headers["Last-Event-ID"] = id;
    SseClient client(port(), target, headers);
    if (client.status() == 204) return seen;
    while (auto frame = client.next(std::chrono::seconds(5))) {
      if (!frame->id.empty()) id = frame->id;
      if (frame->event == "queue_position") continue;
      seen.push_back(*std::move(frame));
      if (seen.back().event == last_kind) return seen;
    }
  }
  ADD_FAILURE() << "the stream did not come to its end";
  return seen;
}

/// The frames are the run's log, whole and in order.
void expect_log(const Project& project, const std::string& run,
                const std::vector<SseFrame>& frames) {
  const auto log = events(project, run);
  ASSERT_EQ(frames.size(), log.size());
  for (size_t i = 0; i < log.size(); ++i) {
    ASSERT_EQ(frames[i].id, std::to_string(i + 1));
    ASSERT_EQ(frames[i].event, get_string(log[i], "event"));
    ASSERT_EQ(parsed(frames[i].data), json::value(log[i]));
  }
}

TEST(Promises, E2_StreamIsTheLogFromTheFirstEventAndThenLive) {
  const Project project;
  streamed_pipeline(project);
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "count"}});
  SseClient client(server.port(), stream_events_of(run));
  EXPECT_EQ(client.status(), 200);
  EXPECT_EQ(client.headers().at("content-type"), "text/event-stream");
  EXPECT_EQ(client.headers().at("cache-control"), "no-store");
  EXPECT_EQ(client.headers().at("x-accel-buffering"), "no");
  auto frames = client.until("run_completed");
  EXPECT_FALSE(client.next().has_value());
  EXPECT_TRUE(client.ended());
  std::erase_if(frames, [](const SseFrame& frame) { return frame.event == "queue_position"; });
  expect_log(project, run, frames);
}

TEST(Promises, E2_HeaderWinsOverQuery) {
  const Project project;
  project.pipeline("short", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "short"}});
  server.wait_for_status(run, "completed");
  SseClient client(server.port(), stream_events_of(run) + "?after=1", {{"Last-Event-ID", "2"}});
  EXPECT_EQ(client.next()->id, "3");
  SseClient query(server.port(), stream_events_of(run) + "?after=1");
  EXPECT_EQ(query.next()->id, "2");
}

TEST(Promises, E2_UnknownRunIs404) {
  const Project project;
  const Server server(project);
  EXPECT_EQ(server.get("/api/runs/nobody/events").status, 404);
}

TEST(Promises, E3_NothingIsLostOrDoubledOnABadNetwork) {
  const Project project;
  streamed_pipeline(project);
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "count"}});
  CuttingProxy proxy(server.port(), 11, 8'000);
  const auto frames = follow([&] { return proxy.port(); }, stream_events_of(run), "run_completed");
  EXPECT_GT(proxy.cuts(), 2);
  expect_log(project, run, frames);
}

TEST(Promises, E3_RunsOfOtherProcessesAreLive) {
  const Project project;
  streamed_pipeline(project);
  const Server server(project);
  SseClient all(server.port(), "/api/events");
  const auto running = start_wave(project, {"run", "count"});
  const std::string run = wait_for_run(project);
  const auto frames = follow([&] { return server.port(); }, stream_events_of(run), "run_completed");
  EXPECT_EQ(running->wait().code, 0);
  expect_log(project, run, frames);
  const auto of_all = all.until("run_completed");
  EXPECT_EQ(of_all.size(), frames.size());
}

TEST(Promises, E4_EverySubscriberSeesTheSame) {
  const Project project;
  streamed_pipeline(project);
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "count"}});
  SseClient slow(server.port(), stream_events_of(run));  // does not read before the end
  const auto first = follow([&] { return server.port(); }, stream_events_of(run), "run_completed");
  expect_log(project, run, first);
  auto second = slow.until("run_completed");
  std::erase_if(second, [](const SseFrame& frame) { return frame.event == "queue_position"; });
  expect_log(project, run, second);
}

TEST(Promises, E5_CursorThatCannotBeServedIsReset) {
  const Project project;
  project.pipeline("short", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "short"}});
  server.wait_for_status(run, "completed");
  SseClient client(server.port(), stream_events_of(run) + "?after=9999");
  EXPECT_EQ(client.status(), 200);
  const auto reset = client.next();
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->event, "reset");
  EXPECT_EQ(get_string(parsed(reset->data).as_object(), "reason"), "future");
  EXPECT_EQ(client.next()->id, "1");
}

TEST(Promises, E6_EndComesOnceThen204) {
  const Project project;
  project.pipeline("short", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "short"}});
  SseClient client(server.port(), stream_events_of(run));
  const auto frames = client.until("run_completed");
  EXPECT_FALSE(client.next().has_value());
  EXPECT_TRUE(client.ended());
  const Answer again = server.get(stream_events_of(run), {{"Last-Event-ID", frames.back().id}});
  EXPECT_EQ(again.status, 204);
}

TEST(Promises, E11_StreamGoesOnAfterKillMinus9) {
  const Project project;
  streamed_pipeline(project);
  auto server = std::make_unique<Server>(project);
  const std::string run = server->submit({{"pipeline", "count"}});
  CuttingProxy proxy(server->port(), 5, 1 << 20);
  std::vector<SseFrame> frames;
  std::thread reader([&] {
    frames = follow([&] { return proxy.port(); }, stream_events_of(run), "run_completed");
  });
  (void)wait_for_event(project, run, "stream_activity");
  server->kill();
  server = std::make_unique<Server>(project);
  proxy.redirect(server->port());
  reader.join();
  expect_log(project, run, frames);
}

TEST(Promises, E12_EveryFrameFitsItsPublishedSchema) {
  const Project project;
  streamed_pipeline(project);
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "count"}});
  const auto frames = follow([&] { return server.port(); }, stream_events_of(run), "run_completed");
  const json::object document = server.get("/api/openapi.json").object();
  const json::object& published = document.at("components").at("schemas").as_object();
  std::map<std::string, contract::JsonSchema> schemas;
  for (const auto& [name, schema] : published) {
    const json::object& properties = get_object(schema.as_object(), "properties");
    const std::string_view kind = get_string(get_object(properties, "event"), "const");
    if (kind.empty()) continue;
    auto compiled = contract::JsonSchema::compile(schema);
    ASSERT_TRUE(compiled) << name;
    schemas.emplace(kind, std::move(*compiled));
  }
  for (const SseFrame& frame : frames) {
    const auto schema = schemas.find(frame.event);
    ASSERT_NE(schema, schemas.end()) << frame.event;
    const auto errors = schema->second.validate(parsed(frame.data));
    EXPECT_TRUE(errors && errors->empty()) << frame.data;
  }
}

TEST(Promises, E13_OneConnectionFollowsManyRuns) {
  const Project project;
  project.pipeline("short", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project);
  SseClient client(server.port(), "/api/events");
  const std::string first = server.submit({{"pipeline", "short"}});
  const auto before = client.until("run_completed");
  const std::string second = server.submit({{"pipeline", "short"}});
  SseClient again(server.port(), "/api/events", {{"Last-Event-ID", before.back().id}});
  const auto after = again.until("run_completed");
  for (const SseFrame& frame : before) {
    EXPECT_EQ(get_string(parsed(frame.data).as_object(), "run_id"), first);
  }
  for (const SseFrame& frame : after) {
    EXPECT_EQ(get_string(parsed(frame.data).as_object(), "run_id"), second);
  }
  EXPECT_EQ(before.size(), events(project, first).size());
  EXPECT_EQ(after.size(), events(project, second).size());
}

TEST(Promises, O1_StreamsEndCleanlyWithTheServer) {
  const Project project;
  project.pipeline("ask",
                   "  - id: ask\n    type: gate\n    gate: {type: approval, prompt: Well?}\n");
  Server server(project);
  const std::string run = server.submit({{"pipeline", "ask"}});
  SseClient client(server.port(), stream_events_of(run));
  (void)client.until("gate_waiting");
  EXPECT_EQ(server.stop().code, 0);
  while (client.next()) {
  }
  EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace wave::test

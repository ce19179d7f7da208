#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "server/api/api_test_kit.h"
#include "server/api/masked_file.h"

namespace wave::server {
namespace {

using testing::HasSubstr;

std::string text(const json::object& object, std::string_view key) {
  return std::string(get_string(object, key));
}

TEST(Submit, StoresARun) {
  Api api;
  const auto response = api.post(
      "/api/runs",
      json::object{{"pipeline", "hello"}, {"input", "x"}, {"tags", json::object{{"team", "a"}}}});
  ASSERT_EQ(response.status, 201) << body_text(response);
  const std::string run = text(Api::object(response), "run_id");
  EXPECT_EQ(response.headers.find("Location"), "/api/runs/" + run);
  EXPECT_EQ(text(Api::object(response), "status"), "queued");
  EXPECT_THAT(api.test.queue.started, testing::ElementsAre(run));
  const auto details = api.test.store->run(run);
  ASSERT_TRUE(details);
  EXPECT_EQ(details->row.input, "x");
  EXPECT_EQ(details->row.actor, "tester");
}

TEST(Submit, RefusesWhatCannotRun) {
  const Api api;
  api.pipeline("broken", "  - {id: a, type: command}\n  - {id: a, typ: b}\n");
  const auto with = [&](json::object body) { return api.post("/api/runs", body).status; };
  EXPECT_EQ(with({{"pipeline", "helo"}}), 404);
  EXPECT_EQ(with({{"pipeline", "../secret"}}), 400);
  EXPECT_EQ(with({{"pipeline", "/etc/passwd"}}), 400);
  EXPECT_EQ(with({{"pipeline", ""}}), 400);
  EXPECT_EQ(with({{"pipeline", "hello"}, {"steps", json::array{"nothing"}}}), 400);
  EXPECT_EQ(
      with({{"pipeline", "hello"}, {"steps", json::array{"say"}}, {"exclude", json::array{"say"}}}),
      400);
  EXPECT_EQ(with({{"pipeline", "hello"}, {"adapter", "nobody"}}), 400);
  EXPECT_EQ(with({{"pipeline", "hello"}, {"timeout_ms", 0}}), 400);
  EXPECT_EQ(with({{"pipeline", "hello"}, {"input", std::string("a\0b", 3)}}), 400);
  const auto broken = api.post("/api/runs", json::object{{"pipeline", "broken"}});
  EXPECT_EQ(broken.status, 422) << body_text(broken);
  EXPECT_THAT(body_text(broken), HasSubstr("broken.yaml:"));
}

TEST(Submit, HoldsTheInputToThePipelinesSchema) {
  Api api;
  api.test.write(".agents/pipelines/release.yaml",
                 "kind: WavePipeline\nmetadata: {name: release}\n"
                 "input: {schema: {type: object, required: [version, target], properties: "
                 "{version: {type: string, pattern: '^v'}, target: {type: object, required: [host],"
                 " properties: {host: {type: string}}}}}}\n"
                 "steps:\n  - {id: say, type: command, script: 'true'}\n");
  const json::object known = get_object(Api::object(api.get("/api/pipelines/release")), "pipeline");
  const json::object wanted = get_object(known, "input");
  EXPECT_TRUE(get_bool(wanted, "held"));
  EXPECT_FALSE(get_bool(wanted, "is_text"));
  EXPECT_EQ(text(get_object(wanted, "schema"), "type"), "object");
  for (const bool dry_run : {false, true}) {
    const auto refused =
        api.post("/api/runs", json::object{{"pipeline", "release"},
                                           {"input", R"({"version": "2", "target": {}})"},
                                           {"dry_run", dry_run}});
    EXPECT_EQ(refused.status, 400) << body_text(refused);
    std::set<std::string> pointers;
    for (const json::value& error : get_array(Api::object(refused), "errors")) {
      pointers.insert(text(error.get_object(), "pointer"));
    }
    EXPECT_THAT(pointers, testing::ElementsAre("/input/target/host", "/input/version"));
  }
  EXPECT_TRUE(api.test.store->list_runs({})->empty());
  const auto taken = api.post(
      "/api/runs", json::object{{"pipeline", "release"},
                                {"input", R"({"version": "v2", "target": {"host": "a"}})"}});
  EXPECT_EQ(taken.status, 201) << body_text(taken);
}

TEST(Submit, ADryRunTellsThePlanAndStoresNothing) {
  Api api;
  const auto response =
      api.post("/api/runs", json::object{{"pipeline", "hello"}, {"dry_run", true}});
  EXPECT_EQ(response.status, 200) << body_text(response);
  EXPECT_EQ(get_array(Api::object(response), "waves").size(), 1u);
  EXPECT_TRUE(api.test.store->list_runs({})->empty());
  EXPECT_TRUE(api.test.queue.started.empty());
}

TEST(Submit, Q6_TheSameKeyAndBodyGiveTheSameRun) {
  const Api api;
  const json::object body{{"pipeline", "hello"}, {"input", "x"}};
  const std::string first = api.submit(body, {{"Idempotency-Key", "k"}});
  EXPECT_EQ(api.submit(body, {{"Idempotency-Key", "k"}}), first);
  EXPECT_NE(api.submit(body, {{"Idempotency-Key", "l"}}), first);
  EXPECT_NE(api.submit(body), first);
  const auto other = api.post("/api/runs", json::object{{"pipeline", "hello"}, {"input", "y"}},
                              {{"Idempotency-Key", "k"}});
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(api.post("/api/runs", body, {{"Idempotency-Key", std::string(300, 'k')}}).status, 400);
}

TEST(Submit, OlderScriptsSayMinutesAndCommaLists) {
  const Api api;
  api.pipeline("two",
               "  - {id: a, type: command, script: \"true\"}\n"
               "  - {id: b, type: command, script: \"true\"}\n");
  const auto response = api.post("/api/pipelines/two/start",
                                 json::object{{"timeout", 5}, {"exclude", "b"}, {"input", "x"}});
  ASSERT_EQ(response.status, 201) << body_text(response);
  const std::string run = text(Api::object(response), "run_id");
  const auto events = api.test.store->events(run, {});
  ASSERT_TRUE(events);
  EXPECT_THAT(events->front().line, HasSubstr("\"timeout_ms\":300000"));
  EXPECT_THAT(events->front().line, HasSubstr("\"exclude\":[\"b\"]"));
}

TEST(List, PagesDoNotSkipOrRepeatWhileRunsCome) {
  const Api api;
  std::set<std::string> runs;
  for (int i = 0; i < 5; ++i) runs.insert(api.submit({{"pipeline", "hello"}}));
  std::set<std::string> seen;
  std::string target = "/api/runs?limit=2";
  int pages = 0;
  while (true) {
    const json::object page = Api::object(api.get(target));
    for (const json::value& run : get_array(page, "runs")) {
      EXPECT_TRUE(seen.insert(text(run.as_object(), "run_id")).second);
    }
    (void)api.submit({{"pipeline", "hello"}});  // newer: not part of what is being read
    if (!get_bool(page, "has_more")) break;
    ASSERT_LT(++pages, 10);
    target = "/api/runs?limit=2&cursor=" + text(page, "next_cursor");
  }
  EXPECT_EQ(seen, runs);
}

TEST(List, Filters) {
  const Api api;
  api.pipeline("other", "  - {id: say, type: command, script: \"true\"}\n");
  const std::string one =
      api.submit({{"pipeline", "hello"}, {"input", "find me"}, {"tags", json::object{{"t", "1"}}}});
  const std::string two = api.submit({{"pipeline", "other"}, {"tags", json::object{{"t", "2"}}}});
  const auto ids = [&](const std::string& query) {
    std::vector<std::string> found;
    const auto response = api.get("/api/runs?" + query);
    EXPECT_EQ(response.status, 200) << body_text(response);
    const json::object page = Api::object(response);
    for (const json::value& run : get_array(page, "runs")) {
      found.push_back(text(run.as_object(), "run_id"));
    }
    return found;
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(ids("pipeline=other"), List{two});
  EXPECT_EQ(ids("q=find+me"), List{one});
  EXPECT_EQ(ids("tag=t%3D1"), List{one});
  EXPECT_EQ(ids("tag=t"), (List{two, one}));
  EXPECT_EQ(ids("sort=queued_at"), (List{one, two}));
  EXPECT_EQ(ids("actor=tester"), (List{two, one}));
  EXPECT_EQ(ids("actor=somebody"), List{});
  EXPECT_EQ(ids("status=running"), List{});
  EXPECT_EQ(ids("status=queued&status=running"), (List{two, one}));
  EXPECT_EQ(ids("parent=" + one), List{});
}

TEST(Detail, TellsAllAtOneMoment) {
  Api api;
  api.pipeline("work",
               "  - {id: a, type: command, script: \"echo out; echo err >&2\"}\n"
               "  - {id: b, type: command, dependencies: [a], script: \"exit 3\","
               " retry: {max_attempts: 2, base_delay: 1ms}}\n");
  const std::string run = api.submit({{"pipeline", "work"}});
  api.test.drive(run);
  const auto response = api.get("/api/runs/" + run);
  ASSERT_EQ(response.status, 200) << body_text(response);
  const json::object detail = Api::object(response);
  const json::object& row = get_object(detail, "run");
  EXPECT_EQ(text(row, "status"), "failed");
  EXPECT_EQ(text(row, "failed_step"), "b");
  EXPECT_EQ(get_int(detail, "seq"), get_int(row, "last_seq"));
  const json::array& steps = get_array(detail, "steps");
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(text(steps[0].as_object(), "kind"), "command");
  const json::array& attempts = get_array(steps[1].as_object(), "attempts");
  ASSERT_EQ(attempts.size(), 2u) << body_text(response);
  EXPECT_EQ(text(attempts[0].as_object(), "status"), "failed");
  EXPECT_EQ(get_int(attempts[1].as_object(), "exit_code"), 3);
  const json::object& graph = get_object(detail, "graph");
  EXPECT_EQ(get_array(graph, "nodes").size(), 2u);
  EXPECT_EQ(get_array(graph, "edges").size(), 1u);
  // A prefix that no other run has names it as well.
  EXPECT_EQ(api.get("/api/runs/" + run.substr(0, run.size() - 3)).status, 200);
  EXPECT_EQ(api.get("/api/runs/none-20260101-000000-0000000000").status, 404);

  const auto output = api.get("/api/runs/" + run + "/steps/a/output");
  EXPECT_EQ(body_text(output), "out\n");
  EXPECT_EQ(body_text(api.get("/api/runs/" + run + "/steps/a/output?stream=err")), "err\n");
  const auto part = api.get("/api/runs/" + run + "/steps/a/output", {{"Range", "bytes=1-2"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(body_text(part), "ut");
  EXPECT_EQ(part.headers.find("Content-Range"), "bytes 1-2/4");
  EXPECT_EQ(api.get("/api/runs/" + run + "/steps/a/output", {{"Range", "bytes=9-"}}).status, 416);
  EXPECT_EQ(body_text(api.get("/api/runs/" + run + "/steps/a/output?tail=2")), "t\n");
  EXPECT_EQ(api.get("/api/runs/" + run + "/steps/a/output?launch=b.1.1").status, 400);
  EXPECT_EQ(api.get("/api/runs/" + run + "/steps/a/output?launch=a.%2F..%2F..%2Fx").status, 400);
  EXPECT_EQ(api.get("/api/runs/" + run + "/steps/c/output").status, 404);

  const json::object logs = Api::object(api.get("/api/runs/" + run + "/logs?level=error"));
  ASSERT_FALSE(get_array(logs, "lines").empty());
  EXPECT_EQ(text(get_array(logs, "lines")[0].as_object(), "step"), "b");
  const auto lines = api.get("/api/runs/" + run + "/logs?format=text&tail=1");
  EXPECT_THAT(body_text(lines), HasSubstr("run failed"));
  const json::object first = Api::object(api.get("/api/runs/" + run + "/logs?limit=2"));
  EXPECT_TRUE(get_bool(first, "has_more"));
  EXPECT_EQ(get_array(first, "lines").size(), 2u);
  const json::object next = Api::object(
      api.get("/api/runs/" + run + "/logs?limit=1000&cursor=" + text(first, "next_cursor")));
  EXPECT_FALSE(get_bool(next, "has_more"));
  EXPECT_EQ(get_int(get_array(next, "lines")[0].as_object(), "seq"), 3);
  const auto diff = api.get("/api/runs/" + run + "/diff");
  EXPECT_EQ(diff.status, 200) << body_text(diff);
  EXPECT_FALSE(get_bool(Api::object(diff), "available"));
}

TEST(Artifacts, S6_AreMaskedAndHaveRanges) {
  Api api;
  api.pipeline("make",
               "  - id: a\n    type: command\n    script: \"mkdir -p .agents/output; printf "
               "'0123 password=hunter2hunter2 end' > .agents/output/f.txt\"\n"
               "    output_artifacts: [{name: f, path: .agents/output/f.txt, type: text}]\n");
  const std::string run = api.submit({{"pipeline", "make"}});
  api.test.drive(run);
  const std::string list = body_text(api.get("/api/runs/" + run + "/artifacts"));
  EXPECT_THAT(list, HasSubstr("\"name\":\"f\""));
  const auto whole = api.get("/api/runs/" + run + "/artifacts/a/f");
  ASSERT_EQ(whole.status, 200) << body_text(whole);
  EXPECT_FALSE(body_text(whole).contains("hunter2")) << body_text(whole);
  EXPECT_TRUE(body_text(whole).starts_with("0123 password="));
  EXPECT_TRUE(body_text(whole).ends_with(" end"));
  EXPECT_EQ(whole.headers.find("Content-Type"), "text/plain; charset=utf-8");
  const auto part = api.get("/api/runs/" + run + "/artifacts/a/f", {{"Range", "bytes=16-20"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(body_text(part), body_text(whole).substr(16, 5));
  EXPECT_EQ(body_text(part), "*****");
  const std::string tag(*whole.headers.find("ETag"));
  EXPECT_EQ(api.get("/api/runs/" + run + "/artifacts/a/f", {{"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(api.get("/api/runs/" + run + "/artifacts/a/g").status, 404);
  EXPECT_EQ(api.get("/api/runs/" + run + "/artifacts/a/..%2F..%2Fwave.yaml").status, 404);
}

TEST(Again, ATerminalRunBecomesANewOne) {
  Api api;
  api.pipeline("work",
               "  - {id: a, type: command, script: \"true\"}\n"
               "  - {id: b, type: command, dependencies: [a], script: \"exit 3\","
               " retry: {max_attempts: 1}}\n");
  const std::string run = api.submit({{"pipeline", "work"}});
  const auto early = api.post("/api/runs/" + run + "/resume", json::object{});
  EXPECT_EQ(early.status, 409) << body_text(early);
  api.test.drive(run);
  const auto resumed = api.post("/api/runs/" + run + "/resume", json::object{});
  ASSERT_EQ(resumed.status, 201) << body_text(resumed);
  const std::string second = text(Api::object(resumed), "run_id");
  const json::object detail = Api::object(api.get("/api/runs/" + second));
  EXPECT_EQ(text(get_object(detail, "run"), "origin_run_id"), run);
  EXPECT_EQ(text(get_array(detail, "steps")[0].as_object(), "status"), "completed")
      << "what was done is taken over";
  const auto retried = api.post("/api/runs/" + run + "/retry", json::object{});
  ASSERT_EQ(retried.status, 201) << body_text(retried);
  const json::object third =
      Api::object(api.get("/api/runs/" + text(Api::object(retried), "run_id")));
  EXPECT_EQ(text(get_array(third, "steps")[0].as_object(), "status"), "pending")
      << "from the beginning";
  const json::object children = Api::object(api.get("/api/runs/" + run + "/children"));
  EXPECT_EQ(get_array(children, "runs").size(), 2u);
  EXPECT_EQ(api.post("/api/runs/" + run + "/resume", json::object{{"from_step", "x"}}).status, 404);
  EXPECT_EQ(api.post("/api/runs/" + run + "/cancel", json::object{}).status, 409)
      << "what has ended stays as it ended";
}

TEST(Catalogue, ShowsWhatDoesNotLoadToo) {
  const Api api;
  api.pipeline("broken",
               "  - {id: a, typ: command, dependencies: [b]}\n"
               "  - {id: b, dependencies: [a]}\n");
  const json::object list = Api::object(api.get("/api/pipelines"));
  const json::array& pipelines = get_array(list, "pipelines");
  ASSERT_EQ(pipelines.size(), 2u);
  EXPECT_EQ(text(pipelines[0].as_object(), "name"), "broken");
  EXPECT_FALSE(get_bool(pipelines[0].as_object(), "valid"));
  EXPECT_FALSE(get_array(pipelines[0].as_object(), "diagnostics").empty());
  EXPECT_TRUE(get_bool(pipelines[1].as_object(), "runnable"));
  EXPECT_EQ(api.get("/api/pipelines/broken").status, 200) << "a cycle is no harm";
  EXPECT_EQ(api.get("/api/pipelines/hello").status, 200);
  EXPECT_EQ(api.get("/api/pipelines/helo").status, 404);
  EXPECT_EQ(api.get("/api/pipelines/..%2F..%2Fwave").status, 404);
  for (const char* path : {"/api/personas", "/api/contracts", "/api/adapters", "/api/gates"}) {
    EXPECT_EQ(api.get(path).status, 200) << path;
  }
  const std::string yaml =
      "kind: WavePipeline\nmetadata: {name: n}\nsteps:\n  - {id: a, type: command, script: x}\n";
  const auto valid = api.post("/api/pipelines/validate", json::object{{"yaml", yaml}});
  EXPECT_TRUE(get_bool(Api::object(valid), "valid")) << body_text(valid);
  const auto plain = api.ask(Api::request("POST", "/api/pipelines/validate",
                                          {{"Content-Type", "application/yaml"}}, "steps: 3"));
  EXPECT_EQ(plain.status, 200);
  EXPECT_FALSE(get_bool(Api::object(plain), "valid"));
}

TEST(Ranges, AreReadAsTheStandardHasThem) {
  using api::parse_range;
  const auto range = [](std::string_view header) {
    const auto parsed = parse_range(header, 10);
    if (!parsed) return std::string("416");
    if (!*parsed) return std::string("whole");
    return fmt::format("{}+{}", (*parsed)->offset, (*parsed)->length);
  };
  EXPECT_EQ(range("bytes=0-0"), "0+1");
  EXPECT_EQ(range("bytes=3-"), "3+7");
  EXPECT_EQ(range("bytes=3-99"), "3+7");
  EXPECT_EQ(range("bytes=-4"), "6+4");
  EXPECT_EQ(range("bytes=-99"), "0+10");
  EXPECT_EQ(range("bytes=10-"), "416");
  EXPECT_EQ(range("bytes=-0"), "416");
  for (const char* ignored : {"bytes=5-3", "bytes=a-b", "bytes=", "bytes=-", "lines=1-2",
                              "bytes=0-1,3-4", "bytes=1-x", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(range(ignored), "whole") << ignored;
  }
}

}  // namespace
}  // namespace wave::server

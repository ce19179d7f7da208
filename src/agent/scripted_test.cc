#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "agent/play.h"
#include "agent/script.h"
#include "agent/scripted_adapter.h"
#include "agent/test_support.h"

namespace wave::agent {
namespace {

using flow::FailureClass;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class Scripted : public testing::Test {
 protected:
  PlanRun play(const std::string& script, const std::function<void(int)>& while_running = {}) {
    request_.script = script;
    const auto plan = adapter_.plan(request_);
    if (!plan) {
      ADD_FAILURE() << full_message(plan.error());
      return {};
    }
    return run_plan(adapter_, *plan, workspace_.path(), std::chrono::seconds(60), while_running);
  }

  void SetUp() override {
    request_.step = "build";
    request_.persona = "maker";
    request_.prompt = "make it";
    request_.workspace = workspace_.path();
    request_.session_id = "11111111-2222-4333-8444-555555555555";
    request_.own_environment = test_environment();
    request_.variables = {{"WAVE_DEP_A_B", "value"}};
  }

  const Adapter& adapter_ = *find_adapter("scripted");
  TestWorkspace workspace_;
  AgentRequest request_;
};

TEST_F(Scripted, SaysThinksUsesToolsAndWrites) {
  const auto run = play(R"(
actions:
  - think: What now?
  - say: Hello, ${WAVE_DEP_A_B} for $$5
  - tool: {name: Grep, target: TODO, input: {pattern: TODO}, result: none}
  - write: {path: out/a.json, content: '{"prompt": "${PROMPT}"}'}
  - append: {path: out/a.json, content: "\n"}
  - mkdir: empty/folder
  - read: out/a.json
  - run: printf hi > from-shell.txt; echo done
  - usage: {in: 10, out: 5, cache_read: 3, cache_write: 2, cost: 0.25}
  - usage: {in: 1, cost: 0.5}
  - say: last words
)");
  EXPECT_TRUE(run.result.succeeded) << run.result.message << run.err;
  EXPECT_EQ(run.result.final_text, "last words");
  EXPECT_EQ(run.result.session_id, request_.session_id);
  EXPECT_EQ(run.result.model, "scripted");
  EXPECT_EQ(run.result.usage, (flow::Usage{11, 5, 3, 2, 0.75}));
  EXPECT_THAT(run.said("text"), ElementsAre("Hello, value for $5", "last words"));
  EXPECT_THAT(run.said("thinking"), ElementsAre("What now?"));
  EXPECT_EQ(workspace_.read("out/a.json"), "{\"prompt\": \"make it\"}\n");
  EXPECT_EQ(workspace_.read("from-shell.txt"), "hi");
  EXPECT_TRUE(workspace_.has("empty/folder"));
  EXPECT_EQ(run.said("tool_use").size(), 6u);
  EXPECT_THAT(run.said("tool_result"), Contains("done\n"));
  // Only what changes something is progress.
  for (const auto& activity : run.activity) {
    if (activity.kind != "tool_use") continue;
    EXPECT_EQ(activity.progress, activity.tool_name != "Grep" && activity.tool_name != "Read");
  }
}

TEST_F(Scripted, TheScriptInThePromptComesFirst) {
  request_.prompt =
      "Old:\n```wave-script\n- result: old\n```\nNow:\n```wave-script\n- result: new\n```\n";
  EXPECT_EQ(play("- result: from the file").result.final_text, "new");
}

TEST_F(Scripted, EachAttemptPlaysItsOwn) {
  const std::string script =
      "attempts: [[{fail: {class: test_failure, message: no}}], [{result: yes}]]";
  EXPECT_EQ(play(script).result.failure, FailureClass::kTestFailure);
  request_.attempt = 2;
  EXPECT_TRUE(play(script).result.succeeded);
  request_.attempt = 7;
  EXPECT_TRUE(play(script).result.succeeded);
}

TEST_F(Scripted, FailsInEveryWay) {
  const std::tuple<std::string, FailureClass, Code> endings[] = {
      {"- fail: {message: x}", FailureClass::kTransient, Code::kAgentFailed},
      {"- fail: {class: auth}", FailureClass::kDeterministic, Code::kAgentAuth},
      {"- fail: {class: context_exhausted}", FailureClass::kContextExhausted,
       Code::kContextExhausted},
      {"- fail: {class: budget_exhausted}", FailureClass::kBudgetExhausted, Code::kLimit},
      {"- rate_limit: 1.5s", FailureClass::kRateLimit, Code::kRateLimited},
      {"- exit: 3", FailureClass::kTransient, Code::kAgentFailed},
      {"- exit: 0", FailureClass::kTransient, Code::kAgentFailed},
      {"- crash: 11", FailureClass::kTransient, Code::kAgentFailed},
      {"- sleep: x", FailureClass::kDeterministic, Code::kAgentFailed},
      {"- wait_for: {path: never, timeout: 20}", FailureClass::kTransient, Code::kAgentFailed},
  };
  for (const auto& [script, failure, code] : endings) {
    const auto run = play(script);
    EXPECT_FALSE(run.result.succeeded) << script;
    EXPECT_EQ(run.result.failure, failure) << script << ": " << run.result.message;
    EXPECT_EQ(run.result.code, code) << script;
    EXPECT_FALSE(run.result.message.empty()) << script;
  }
  EXPECT_EQ(play("- rate_limit: 1.5s").result.retry_after, Millis(1500));
  EXPECT_EQ(play("- crash: 11").exit.signal, 11);
  EXPECT_EQ(play("- exit: 3").exit.exit_code, 3);
}

TEST_F(Scripted, HangsUntilItIsEnded) {
  const auto run = play("- say: here\n- hang: true", [&](int pid) { ::kill(pid, SIGTERM); });
  EXPECT_EQ(run.exit.signal, SIGTERM);
  EXPECT_FALSE(run.result.succeeded);
}

TEST_F(Scripted, IgnoresTermWhenToldTo) {
  const auto run = play(
      "- ignore_term: true\n- write: {path: ready, content: ''}\n"
      "- wait_for: {path: go, timeout: 30s}\n- result: still here",
      [&](int pid) {
        if (!workspace_.has("ready")) return;
        ::kill(pid, SIGTERM);
        (void)write_file(workspace_.path() / "go", "");
      });
  EXPECT_TRUE(run.result.succeeded) << run.result.message;
}

TEST_F(Scripted, LeavesAProcessBehind) {
  const auto run = play("- spawn: echo $$ > pid; exec sleep 100\n- wait_for: pid");
  EXPECT_TRUE(run.result.succeeded);
  for (int i = 0; i < 1000 && workspace_.read("pid").empty(); ++i) ::poll(nullptr, 0, 5);
  const int pid = std::stoi(workspace_.read("pid"));
  EXPECT_EQ(::kill(pid, 0), 0);
  EXPECT_EQ(::getsid(pid), pid);
  ::kill(pid, SIGKILL);
}

TEST_F(Scripted, FloodsAndRepeats) {
  const auto run = play(
      "- flood: {lines: 5000, length: 100}\n- flood: {bytes: 1000000}\n"
      "- flood: {lines: 10, stream: err}\n"
      "- repeat: {times: 3, actions: [{say: again}]}");
  EXPECT_TRUE(run.result.succeeded) << run.result.message;
  EXPECT_EQ(run.said("text").size(), 5003u);
  EXPECT_GT(run.out.size(), 1'500'000u);
  EXPECT_GT(run.err.size(), 700u);
}

TEST_F(Scripted, CannotPlayNonsense) {
  for (const std::string bad :
       {"", "- sey: x", "nonsense", "- {say: a, think: b}", "a: [", "say: x", "attempts: []",
        "- repeat: {times: 2}", "- say: *alias"}) {
    request_.script = bad;
    const auto plan = adapter_.plan(request_);
    ASSERT_FALSE(plan) << bad;
    EXPECT_THAT(plan.error().message, HasSubstr("build")) << bad;
  }
  request_.script = "- sey: x";
  EXPECT_THAT(full_message(adapter_.plan(request_).error()), HasSubstr("sey"));
}

TEST_F(Scripted, PermissionsAreEnforced) {
  request_.permissions = {{"Read", "Write(docs/**)", "Bash(echo *)"}, {"Bash(echo secret*)"}};
  const auto run = play(R"(
- write: {path: docs/a, content: a}
- write: {path: src/a, content: a}
- write: {path: docs/../src/b, content: a}
- run: echo hello > echoed
- run: echo secret > told
- run: touch touched
- spawn: touch spawned
- mkdir: made
- append: {path: docs/a, content: b}
- tool: {name: WebFetch, target: x}
- result: done
)");
  EXPECT_TRUE(run.result.succeeded);
  EXPECT_EQ(workspace_.read("docs/a"), "a");
  EXPECT_TRUE(workspace_.has("echoed"));
  for (const auto name : {"src/a", "src/b", "told", "touched", "spawned", "made"}) {
    EXPECT_FALSE(workspace_.has(name)) << name;
  }
  EXPECT_EQ(std::ranges::count(run.activity, "notice", &Activity::kind), 8);
}

TEST(Promises, S8_AScriptedAgentIsHeldToItsPermissions) {
  TestWorkspace workspace;
  AgentRequest request;
  request.step = "s";
  request.prompt = "x";
  request.workspace = workspace.path();
  request.own_environment = test_environment();
  request.permissions = {{}, {"*"}};
  request.script = "- write: {path: a, content: a}\n- run: touch b";
  const auto plan = find_adapter("scripted")->plan(request);
  ASSERT_TRUE(plan);
  (void)run_plan(*find_adapter("scripted"), *plan, workspace.path());
  EXPECT_FALSE(workspace.has("a"));
  EXPECT_FALSE(workspace.has("b"));
}

TEST(ScriptedParser, EveryCutGivesTheSame) {
  const std::string out =
      "{\"type\":\"start\",\"session_id\":\"s\",\"model\":\"m\"}\n{\"type\":\"text\",\"text\":"
      "\"ü😀\"}\n"
      "noise\n{\"type\":\"usage\",\"in\":3,\"cost\":0.5}\n{\"type\":\"tool_use\",\"name\":\"Bash\","
      "\"target\":"
      "\"ls\",\"input\":{}}\n{\"type\":\"result\",\"success\":true,\"text\":\"end\"}\n";
  const auto read = [&](uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<Activity> activity;
    std::string state = ScriptedParser().save();
    for (size_t at = 0; at < out.size();) {
      const size_t count = seed == 0 ? out.size() : 1 + random() % 5;
      ScriptedParser parser;
      EXPECT_TRUE(parser.restore(state));
      parser.feed_out(std::string_view(out).substr(at, count), activity);
      state = parser.save();
      at += count;
    }
    ScriptedParser parser;
    EXPECT_TRUE(parser.restore(state));
    process::HostExit exit;
    exit.exit_code = 0;
    const auto result = parser.finish(exit, activity);
    std::string text = fmt::format("{} {} {} {} {}", result.succeeded, result.final_text,
                                   result.usage.tokens_in, result.usage.cost_usd, result.model);
    for (const auto& one : activity) {
      text += fmt::format("|{} {} {} {} {}", one.kind, one.content, one.tool_name, one.offset,
                          one.length);
    }
    return text;
  };
  const std::string whole = read(0);
  EXPECT_THAT(whole, HasSubstr("true end 3 0.5 m"));
  for (uint32_t seed = 1; seed <= 50; ++seed) ASSERT_EQ(read(seed), whole);
}

TEST(Script, FindsTheFencedBlock) {
  EXPECT_EQ(script_in_prompt("no block"), "");
  EXPECT_EQ(script_in_prompt("inline ```wave-script\nx\n```"), "");
  EXPECT_EQ(script_in_prompt("```wave-script\n- say: x\n```"), "- say: x\n");
  EXPECT_EQ(script_in_prompt("```wave-script\n- say: x"), "- say: x");
}

}  // namespace
}  // namespace wave::agent

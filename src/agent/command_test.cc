#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/command_adapter.h"
#include "agent/test_support.h"

namespace wave::agent {
namespace {

using flow::FailureClass;
using testing::HasSubstr;

PlanRun run_script(const std::string& script,
                   const std::map<std::string, std::string>& variables = {}) {
  TestWorkspace workspace;
  AgentRequest request;
  request.step = "test";
  request.prompt = script;
  request.workspace = workspace.path();
  request.own_environment = test_environment();
  request.variables = variables;
  const auto plan = find_adapter("command")->plan(request);
  if (!plan) {
    ADD_FAILURE() << plan.error().message;
    return {};
  }
  return run_plan(*find_adapter("command"), *plan, workspace.path());
}

TEST(Command, SucceedsWithItsOutput) {
  const auto run =
      run_script("echo \"$WAVE_T1\"; echo oops >&2", {{"WAVE_T1", "a; rm -rf \"$x\""}});
  EXPECT_TRUE(run.result.succeeded);
  EXPECT_EQ(run.result.final_text, "a; rm -rf \"$x\"");
  ASSERT_EQ(run.activity.size(), 2u);
  EXPECT_EQ(run.activity[0].kind, "output");
  EXPECT_EQ(run.activity[1].stream, "err");
}

TEST(Command, FailsByExitCodeSignalAndWords) {
  const std::tuple<std::string, FailureClass> scripts[] = {
      {"exit 3", FailureClass::kTransient},
      {"echo '3 tests failed'; exit 1", FailureClass::kTestFailure},
      {"echo '--- FAIL: TestX'; exit 1", FailureClass::kTestFailure},
      {"no-such-program-anywhere", FailureClass::kDeterministic},
      {"echo 'Permission denied' >&2; exit 1", FailureClass::kDeterministic},
      {"kill -SEGV $$", FailureClass::kTransient},
  };
  for (const auto& [script, failure] : scripts) {
    const auto run = run_script(script);
    EXPECT_FALSE(run.result.succeeded) << script;
    EXPECT_EQ(run.result.failure, failure) << script;
    EXPECT_EQ(run.result.code, Code::kScriptFailed) << script;
  }
  EXPECT_THAT(run_script("echo why >&2; exit 3").result.message,
              testing::AllOf(HasSubstr("code 3"), HasSubstr("why")));
}

TEST(Command, LongScriptsAndAwkwardTexts) {
  std::string script;
  while (script.size() < 300'000) script += "# a comment that fills the script\n";
  EXPECT_TRUE(run_script(script + "echo end").result.succeeded);
  EXPECT_EQ(run_script(script + "echo end").result.final_text, "end");
  EXPECT_EQ(run_script("cat; echo no stdin").result.final_text, "no stdin");
  AgentRequest request;
  request.prompt = std::string("echo\0x", 6);
  EXPECT_FALSE(find_adapter("command")->plan(request));
}

TEST(Promises, S4_ACommandsOutputIsBounded) {
  CommandParser parser;
  std::vector<Activity> activity;
  const std::string chunk(1 << 20, 'x');
  for (int i = 0; i < 64; ++i) parser.feed_out(chunk, activity);
  EXPECT_TRUE(activity.empty());  // one line that has not ended
  EXPECT_LT(parser.save().size(), 64u << 10);
  parser.feed_out("\nnext\nlast", activity);
  ASSERT_EQ(activity.size(), 1u);
  EXPECT_EQ(activity[0].length, (64u << 20) + 6);
  EXPECT_LE(activity[0].content.size(), PlainOutput::kMaxExcerpt + 8);
  process::HostExit exit;
  exit.exit_code = 0;
  const auto result = parser.finish(exit, activity);
  ASSERT_EQ(activity.size(), 2u);
  EXPECT_EQ(activity[1].content, "last");
  EXPECT_LE(result.final_text.size(), 64u << 10);
}

TEST(Command, AnotherParserGoesOnFromTheSameByte) {
  const std::string out = "one\ntwo\xc3\xa4\nthree";
  process::HostExit exit;
  exit.exit_code = 0;
  for (size_t cut = 0; cut <= out.size(); ++cut) {
    std::vector<Activity> activity;
    CommandParser first, second;
    first.feed_out(out.substr(0, cut), activity);
    ASSERT_TRUE(second.restore(first.save()));
    second.feed_out(out.substr(cut), activity);
    EXPECT_EQ(second.finish(exit, activity).final_text, out);
    uint64_t next = 0;
    for (const auto& one : activity) {
      EXPECT_EQ(one.offset, next);
      next += one.length;
    }
    EXPECT_EQ(next, out.size());
  }
}

}  // namespace
}  // namespace wave::agent

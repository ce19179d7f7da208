#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/adapter.h"

namespace wave::agent {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

TEST(Environment, StartsFromAnAllowList) {
  const auto env = base_environment({{"PATH", "/bin"},
                                     {"HOME", "/home/a"},
                                     {"LC_ALL", "C.UTF-8"},
                                     {"XDG_CACHE_HOME", "/c"},
                                     {"https_proxy", "http://p"},
                                     {"GITHUB_TOKEN", "t"},
                                     {"AWS_SECRET_ACCESS_KEY", "s"},
                                     {"LD_PRELOAD", "/evil.so"},
                                     {"TERM", "xterm"}},
                                    {}, {});
  EXPECT_EQ(env, (std::map<std::string, std::string>{{"PATH", "/bin"},
                                                     {"HOME", "/home/a"},
                                                     {"LC_ALL", "C.UTF-8"},
                                                     {"XDG_CACHE_HOME", "/c"},
                                                     {"https_proxy", "http://p"},
                                                     {"TERM", "dumb"},
                                                     {"TMPDIR", "/tmp"}}));
}

TEST(Environment, AllowAndPassthroughAddNamesAndPrefixes) {
  const std::map<std::string, std::string> own{
      {"ANTHROPIC_API_KEY", "k"}, {"ANTHROPIC_BASE_URL", "u"}, {"GITHUB_TOKEN", "t"}};
  const auto env = base_environment(own, {"ANTHROPIC_*"}, {"GITHUB_TOKEN", "NOT_SET"});
  EXPECT_THAT(env, Contains(Pair("ANTHROPIC_API_KEY", "k")));
  EXPECT_THAT(env, Contains(Pair("ANTHROPIC_BASE_URL", "u")));
  EXPECT_THAT(env, Contains(Pair("GITHUB_TOKEN", "t")));
  EXPECT_THAT(env, Not(Contains(Key("NOT_SET"))));
}

TEST(Environment, AlwaysHasAPath) {
  const auto env = base_environment({}, {}, {});
  EXPECT_THAT(env, Contains(Key("PATH")));
  EXPECT_THAT(env, Contains(Pair("TERM", "dumb")));
}

TEST(Environment, DependencyVariables) {
  EXPECT_EQ(dependency_variable("fetch-issue", "out.v2"), "WAVE_DEP_FETCH_ISSUE_OUT_V2");
}

TEST(Promises, G10_NoAgentGetsAVariableOfWave) {
  const std::map<std::string, std::string> own{{"PATH", "/bin"},
                                               {"WAVE_TOKEN", "t"},
                                               {"WAVE_SERVER", "s"},
                                               {"WAVE_JWT_SECRET", "j"},
                                               {"WAVE_DATABASE", "d"}};
  const std::vector<std::string> asked{"WAVE_TOKEN", "WAVE_*", "*", "W*"};
  for (const Adapter* adapter : all_adapters()) {
    AgentRequest request;
    request.step = "s";
    request.prompt = adapter->info().name == "command" ? "true" : "do it";
    request.script = "- say: x";
    request.workspace = "/w";
    request.own_environment = own;
    request.own_environment["WAVE_SELF"] = "/wave";
    request.env_passthrough = asked;
    // Even one that reached the step's variables by mistake.
    request.variables = {{"WAVE_DEP_A_B", "v"}, {"WAVE_TOKEN", "t"}, {"WAVE_JWT_SECRET", "j"}};
    const auto plan = adapter->plan(request);
    ASSERT_TRUE(plan) << plan.error().message;
    for (const auto& [name, value] : plan->env) {
      EXPECT_TRUE(!name.starts_with("WAVE_") || name == "WAVE_DEP_A_B")
          << adapter->info().name << " gets " << name;
    }
    EXPECT_THAT(plan->env, Contains(Pair("WAVE_DEP_A_B", "v")));
  }
}

}  // namespace
}  // namespace wave::agent

// Holds the parser against recorded output of the real program, with the exit codes it had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "agent/claude_parser.h"
#include "agent/test_support.h"
#include "base/text.h"

namespace wave::agent {
namespace {

using flow::FailureClass;

struct Recording {
  std::string name, out, err;
  process::HostExit exit;
};

// Not one program's output alone, but both sides of a conversation on stdin and stdout, which wave
// does not hold: lines begin with ">" and "<".
bool is_conversation(const std::string& name) {
  return name.starts_with("claude-bidir-");
}

std::vector<Recording> recordings() {
  std::vector<Recording> list;
  const auto folder = shared_path("vectors/agent-streams");
  if (!folder) return list;
  const auto manifest = parse_json(read_file(*folder / "manifest.json", 16 << 20).value_or("[]"));
  if (!manifest || !manifest->is_array()) return list;
  for (const auto& value : manifest->as_array()) {
    const json::object& entry = value.as_object();
    const std::string name(get_string(entry, "file"));
    if (!name.starts_with("claude") || is_conversation(name)) continue;
    Recording recording;
    recording.name = name.substr(0, name.size() - std::string_view(".ndjson").size());
    recording.out = read_file(*folder / name, 16 << 20).value_or("");
    recording.err = get_string(entry, "stderr");
    recording.exit.exit_code = static_cast<int>(get_int(entry, "exit", -1));
    if (get_string(entry, "signal") == "SIGKILL") recording.exit.signal = 9;
    if (get_bool(entry, "harness_timeout_kill")) recording.exit.reason = "timeout";
    list.push_back(std::move(recording));
  }
  return list;
}

struct Reading {
  std::vector<Activity> activity;
  AgentResult result;
};

Reading read_whole(const Recording& recording) {
  Reading reading;
  ClaudeParser parser;
  parser.feed_out(recording.out, reading.activity);
  parser.feed_err(recording.err, reading.activity);
  reading.result = parser.finish(recording.exit, reading.activity);
  return reading;
}

Reading read_bytes(const Recording& recording) {
  Reading reading;
  ClaudeParser parser;
  for (const char& c : recording.out) parser.feed_out({&c, 1}, reading.activity);
  parser.feed_err(recording.err, reading.activity);
  reading.result = parser.finish(recording.exit, reading.activity);
  return reading;
}

// Every piece is read by a parser of its own that goes on from the saved state.
Reading read_pieces(const Recording& recording, uint32_t seed) {
  std::mt19937 random(seed);
  Reading reading;
  std::string state = ClaudeParser().save();
  std::string_view rest = recording.out;
  while (!rest.empty()) {
    const size_t count = std::min<size_t>(rest.size(), 1 + random() % 2000);
    ClaudeParser parser;
    EXPECT_TRUE(parser.restore(state));
    parser.feed_out(rest.substr(0, count), reading.activity);
    rest.remove_prefix(count);
    state = parser.save();
  }
  ClaudeParser parser;
  EXPECT_TRUE(parser.restore(state));
  parser.feed_err(recording.err, reading.activity);
  reading.result = parser.finish(recording.exit, reading.activity);
  return reading;
}

void expect_same(const Reading& a, const Reading& b, const std::string& name) {
  ASSERT_EQ(a.activity.size(), b.activity.size()) << name;
  for (size_t i = 0; i < a.activity.size(); ++i) {
    const Activity &x = a.activity[i], &y = b.activity[i];
    EXPECT_EQ(x.kind, y.kind) << name << " " << i;
    EXPECT_EQ(x.content, y.content) << name << " " << i;
    EXPECT_EQ(x.tool_name, y.tool_name) << name << " " << i;
    EXPECT_EQ(x.tool_target, y.tool_target) << name << " " << i;
    EXPECT_EQ(x.is_error, y.is_error) << name << " " << i;
    EXPECT_EQ(x.progress, y.progress) << name << " " << i;
    EXPECT_EQ(x.offset, y.offset) << name << " " << i;
    EXPECT_EQ(x.length, y.length) << name << " " << i;
  }
  EXPECT_EQ(a.result.succeeded, b.result.succeeded) << name;
  EXPECT_EQ(a.result.failure, b.result.failure) << name;
  EXPECT_EQ(a.result.code, b.result.code) << name;
  EXPECT_EQ(a.result.message, b.result.message) << name;
  EXPECT_EQ(a.result.retry_after, b.result.retry_after) << name;
  EXPECT_EQ(a.result.usage, b.result.usage) << name;
  EXPECT_EQ(a.result.session_id, b.result.session_id) << name;
  EXPECT_EQ(a.result.model, b.result.model) << name;
  EXPECT_EQ(a.result.final_text, b.result.final_text) << name;
  EXPECT_EQ(a.result.turns, b.result.turns) << name;
}

TEST(ClaudeVectors, CutAnywhereAndByOtherProcessesTheyReadTheSame) {
  const auto list = recordings();
  if (list.empty()) WAVE_SKIP_OR_FAIL("the recorded streams are not here (WAVE_SHARED)");
  for (const auto& recording : list) {
    const Reading whole = read_whole(recording);
    expect_same(whole, read_bytes(recording), recording.name + " in bytes");
    for (uint32_t seed = 1; seed <= 5; ++seed) {
      expect_same(whole, read_pieces(recording, seed), recording.name + " in pieces");
    }
  }
}

TEST(ClaudeVectors, ActivityPointsIntoTheSpool) {
  const auto list = recordings();
  if (list.empty()) WAVE_SKIP_OR_FAIL("the recorded streams are not here (WAVE_SHARED)");
  for (const auto& recording : list) {
    for (const auto& activity : read_whole(recording).activity) {
      if (activity.stream != "out") continue;
      ASSERT_LE(activity.offset + activity.length, recording.out.size());
      const auto line = recording.out.substr(activity.offset, activity.length);
      EXPECT_TRUE(parse_json(line)) << recording.name;
      EXPECT_EQ(to_valid_utf8(activity.content), activity.content);
    }
  }
}

struct Expected {
  bool succeeded = false;
  FailureClass failure = FailureClass::kNone;
  Code code = Code::kAgentFailed;
  int64_t in = 0, out = 0, cache_read = 0;
  double cost = 0;
};

TEST(ClaudeVectors, EndingsTokensAndCosts) {
  const auto list = recordings();
  if (list.empty()) WAVE_SKIP_OR_FAIL("the recorded streams are not here (WAVE_SHARED)");
  const Expected two_turns{true, FailureClass::kNone, Code::kAgentFailed, 468, 112, 2000, 0.004512};
  const Expected one_turn{true, FailureClass::kNone, Code::kAgentFailed, 234, 56, 1000, 0.002256};
  const auto failed = [](FailureClass failure, Code code, int64_t in = 0, int64_t out = 0,
                         int64_t cache_read = 0, double cost = 0) {
    return Expected{false, failure, code, in, out, cache_read, cost};
  };
  const std::map<std::string, Expected> expected{
      {"claude", two_turns},
      {"claude--badtool", two_turns},
      {"claude--bash-all", two_turns},
      {"claude--bash-default", two_turns},
      {"claude--bashfail", two_turns},
      {"claude--empty", two_turns},
      {"claude--mcp", two_turns},
      {"claude--partial", two_turns},
      {"claude--schema", two_turns},
      {"claude--tool-default", two_turns},
      {"claude--oneturn", one_turn},
      {"claude--json", one_turn},
      {"claude--think", one_turn},
      {"claude--f-429.2", one_turn},
      {"claude--f-529.2", one_turn},
      // More was used than the last turn says: a stream that was cut, a helper model, a session
      // before.
      {"claude--f-cut.1", {true, {}, Code::kAgentFailed, 468, 64, 2000, 0.003552}},
      {"claude--resume", {true, {}, Code::kAgentFailed, 468, 112, 2000, 0.004512}},
      {"claude-2.1.197", {true, {}, Code::kAgentFailed, 702, 168, 3000, 0.00921}},
      {"claude-2.1.197--oneturn", {true, {}, Code::kAgentFailed, 468, 112, 2000, 0.00614}},
      {"claude--budget",
       failed(FailureClass::kBudgetExhausted, Code::kLimit, 1170, 280, 5000, 0.01128)},
      {"claude--maxturns",
       failed(FailureClass::kDeterministic, Code::kLimit, 702, 168, 3000, 0.006768)},
      {"claude--maxtok",
       failed(FailureClass::kTransient, Code::kAgentFailed, 936, 224, 4000, 0.009024)},
      {"claude--refusal",
       failed(FailureClass::kDeterministic, Code::kAgentFailed, 468, 112, 2000, 0.004512)},
      {"claude--compact",
       failed(FailureClass::kContextExhausted, Code::kContextExhausted, 1930000, 500, 0, 1.9325)},
      {"claude--f-context", failed(FailureClass::kContextExhausted, Code::kContextExhausted)},
      {"claude--f-400", failed(FailureClass::kDeterministic, Code::kAgentFailed)},
      {"claude--f-401", failed(FailureClass::kTimeout, Code::kTimeout)},
      {"claude--f-403", failed(FailureClass::kDeterministic, Code::kAgentAuth)},
      {"claude--f-404", failed(FailureClass::kDeterministic, Code::kAgentFailed)},
      {"claude--f-429", failed(FailureClass::kRateLimit, Code::kRateLimited)},
      {"claude--f-429long", failed(FailureClass::kRateLimit, Code::kRateLimited)},
      {"claude--nokey", failed(FailureClass::kDeterministic, Code::kAgentAuth)},
      {"claude--noserver", failed(FailureClass::kTransient, Code::kAgentFailed)},
      {"claude--resume-bad", failed(FailureClass::kTransient, Code::kAgentFailed)},
      {"claude--skip-perms", failed(FailureClass::kDeterministic, Code::kAgentFailed)},
      // Exit code 0 after a SIGINT: no success. The tokens of a turn that was cut are counted.
      {"claude--sigint-bash",
       failed(FailureClass::kTransient, Code::kInterrupted, 234, 56, 1000, 0.002256)},
      {"claude--sigint-stream",
       failed(FailureClass::kTransient, Code::kInterrupted, 234, 52, 1000, 0.002176)},
      // No result line: what the messages began with, each once.
      {"claude--sigterm-bash",
       failed(FailureClass::kTransient, Code::kAgentFailed, 234, 1, 1000, 0)},
      {"claude--sigterm-stream", failed(FailureClass::kTransient, Code::kAgentFailed)},
  };
  for (const auto& recording : list) {
    const auto found = expected.find(recording.name);
    ASSERT_NE(found, expected.end()) << "a recording nobody expects: " << recording.name;
    const Expected& want = found->second;
    const AgentResult result = read_whole(recording).result;
    EXPECT_EQ(result.succeeded, want.succeeded) << recording.name << ": " << result.message;
    EXPECT_EQ(result.failure, want.failure) << recording.name << ": " << result.message;
    if (!want.succeeded) {
      EXPECT_EQ(result.code, want.code) << recording.name << ": " << result.message;
      EXPECT_FALSE(result.message.empty()) << recording.name;
    }
    EXPECT_EQ(result.usage.tokens_in, want.in) << recording.name;
    EXPECT_EQ(result.usage.tokens_out, want.out) << recording.name;
    EXPECT_EQ(result.usage.tokens_cache_read, want.cache_read) << recording.name;
    EXPECT_NEAR(result.usage.cost_usd, want.cost, 1e-6) << recording.name;
  }
  EXPECT_EQ(list.size(), expected.size());
}

const Recording& named(const std::vector<Recording>& list, std::string_view name) {
  return *std::ranges::find(list, name, &Recording::name);
}

TEST(ClaudeVectors, WhatHappenedInTwoTurns) {
  const auto list = recordings();
  if (list.empty()) WAVE_SKIP_OR_FAIL("the recorded streams are not here (WAVE_SHARED)");
  const Reading reading = read_whole(named(list, "claude"));
  ASSERT_EQ(reading.activity.size(), 4u);
  EXPECT_EQ(reading.activity[0].kind, "text");
  EXPECT_EQ(reading.activity[0].content, "I will write the file.");
  EXPECT_EQ(reading.activity[1].kind, "tool_use");
  EXPECT_EQ(reading.activity[1].tool_name, "Write");
  EXPECT_THAT(reading.activity[1].tool_target, testing::EndsWith("hello.txt"));
  EXPECT_TRUE(reading.activity[1].progress);
  EXPECT_EQ(reading.activity[2].kind, "tool_result");
  EXPECT_FALSE(reading.activity[2].is_error);
  EXPECT_EQ(reading.activity[3].content, "done");
  EXPECT_EQ(reading.result.final_text, "done");
  EXPECT_EQ(reading.result.turns, 2);
  EXPECT_EQ(reading.result.model, "claude-opus-5-5");
  EXPECT_EQ(reading.result.session_id.size(), 36u);
}

TEST(ClaudeVectors, RateLimitsAndDenialsAreSaid) {
  const auto list = recordings();
  if (list.empty()) WAVE_SKIP_OR_FAIL("the recorded streams are not here (WAVE_SHARED)");
  EXPECT_EQ(read_whole(named(list, "claude--f-429")).result.retry_after, Millis(1000));
  EXPECT_EQ(read_whole(named(list, "claude--f-429long")).result.retry_after, Millis(3'600'000));
  const auto retried = read_whole(named(list, "claude--f-429.2")).activity;
  EXPECT_EQ(retried[0].kind, "notice");
  EXPECT_THAT(retried[0].content, testing::HasSubstr("429"));
  const auto denied = read_whole(named(list, "claude--tool-default")).activity;
  EXPECT_TRUE(std::ranges::any_of(denied, [](const Activity& activity) {
    return activity.kind == "notice" && activity.is_error && activity.tool_name == "Write";
  }));
  const auto failed = read_whole(named(list, "claude--bashfail")).activity;
  EXPECT_TRUE(std::ranges::any_of(failed, [](const Activity& activity) {
    return activity.kind == "tool_result" && activity.is_error;
  }));
  EXPECT_THAT(read_whole(named(list, "claude--f-401")).result.message,
              testing::HasSubstr("authentication_failed"));
}

std::string result_line(std::string_view more) {
  return fmt::format("{{\"type\":\"result\",\"session_id\":\"s\",{}}}\n", more);
}

AgentResult read(std::string_view out, process::HostExit exit) {
  ClaudeParser parser;
  std::vector<Activity> activity;
  parser.feed_out(out, activity);
  return parser.finish(exit, activity);
}

process::HostExit exited(int code) {
  process::HostExit exit;
  exit.exit_code = code;
  return exit;
}

TEST(ClaudeParser, SuccessNeedsResultExitCodeAndReason) {
  const std::string good = result_line("\"is_error\":false,\"result\":\"ok\"");
  EXPECT_TRUE(read(good, exited(0)).succeeded);
  EXPECT_FALSE(read(good, exited(1)).succeeded);
  EXPECT_FALSE(read("", exited(0)).succeeded);
  // A result that does not say that it is no error is one.
  EXPECT_FALSE(read(result_line("\"result\":\"ok\""), exited(0)).succeeded);
  process::HostExit exit = exited(0);
  exit.reason = "timeout";
  EXPECT_FALSE(read(good, exit).succeeded);
}

TEST(Promises, S5_HowTheHostEndedItDecidesTheClass) {
  const std::pair<std::string, FailureClass> reasons[] = {
      {"timeout", FailureClass::kTimeout},
      {"stopped", FailureClass::kStopped},
      {"output_limit", FailureClass::kOutputLimit},
      {"host_lost", FailureClass::kTransient},
      {"spawn_failed", FailureClass::kDeterministic},
      {"unattended", FailureClass::kStopped}};
  for (const Adapter* adapter : all_adapters()) {
    for (const auto& [reason, failure] : reasons) {
      process::HostExit exit;
      exit.signal = 9;
      exit.reason = reason;
      std::vector<Activity> activity;
      const auto result = adapter->parser()->finish(exit, activity);
      EXPECT_FALSE(result.succeeded);
      EXPECT_EQ(result.failure, failure) << adapter->info().name << " " << reason;
      EXPECT_FALSE(result.message.empty());
    }
  }
}

TEST(ClaudeParser, TheLastResultCounts) {
  const auto result = read(result_line("\"is_error\":true,\"result\":\"no\"") +
                               result_line("\"is_error\":false,\"result\":\"yes\""),
                           exited(0));
  EXPECT_TRUE(result.succeeded);
  EXPECT_EQ(result.final_text, "yes");
}

TEST(Promises, S4_AHugeToolResultIsAnExcerptAndTheEndIsSeen) {
  ClaudeParser parser;
  std::vector<Activity> activity;
  parser.feed_out(R"({"type":"user","message":{"content":[{"type":"tool_result","content":")",
                  activity);
  const std::string chunk(1 << 20, 'x');
  for (int i = 0; i < 100; ++i) {
    parser.feed_out(chunk, activity);
    if (i % 25 == 0) ASSERT_LT(parser.save().size(), 200u << 10);
  }
  parser.feed_out(
      "\",\"is_error\":true}]}}\n" + result_line("\"is_error\":false,\"result\":\"ok\""), activity);
  ASSERT_EQ(activity.size(), 1u);
  EXPECT_EQ(activity[0].kind, "tool_result");
  EXPECT_TRUE(activity[0].is_error);
  EXPECT_LT(activity[0].content.size(), 4u << 10);
  EXPECT_GT(activity[0].length, 100u << 20);
  EXPECT_TRUE(parser.finish(exited(0), activity).succeeded);
}

TEST(ClaudeParser, SurvivesWhatIsNotItsProtocol) {
  ClaudeParser parser;
  std::vector<Activity> activity;
  parser.feed_out(
      "Warning: something\n[]\n{}\n{\"type\":7}\n{\"type\":\"assistant\",\"message\":[]}\n"
      "{\"type\":\"assistant\",\"message\":{\"content\":[1,{\"type\":\"text\"},{}]}}\n"
      "{\"type\":\"user\",\"message\":{\"content\":{}}}\n{\"type\":\"system\",\"subtype\":null}\n"
      "{\"type\":\"result\",\"is_error\":\"no\",\"usage\":[],\"modelUsage\":{\"m\":1}}\n\xff\xfe\n",
      activity);
  const AgentResult result = parser.finish(exited(0), activity);
  EXPECT_FALSE(result.succeeded);
  EXPECT_EQ(activity.front().kind, "output");
  EXPECT_FALSE(parser.restore("no json"));
}

// Recordings with bytes flipped, dropped and doubled: nothing may break, and nothing may succeed
// that does not say so.
TEST(ClaudeParser, SurvivesDamagedStreams) {
  const auto list = recordings();
  if (list.empty()) WAVE_SKIP_OR_FAIL("the recorded streams are not here (WAVE_SHARED)");
  std::mt19937 random(20261123);
  for (const auto& recording : list) {
    for (int round = 0; round < 20; ++round) {
      Recording damaged = recording;
      for (int i = 0; i < 30 && !damaged.out.empty(); ++i) {
        const size_t at = random() % damaged.out.size();
        switch (random() % 3) {
          case 0:
            damaged.out[at] = static_cast<char>(random());
            break;
          case 1:
            damaged.out.erase(at, random() % 50);
            break;
          default:
            damaged.out.insert(at, damaged.out.substr(at, random() % 50));
            break;
        }
      }
      const Reading whole = read_whole(damaged);
      expect_same(whole, read_pieces(damaged, static_cast<uint32_t>(round) + 1), recording.name);
      if (!recording.exit.signal && recording.exit.exit_code != 0) {
        EXPECT_FALSE(whole.result.succeeded);
      }
      for (const auto& activity : whole.activity) {
        EXPECT_EQ(to_valid_utf8(activity.content), activity.content);
        EXPECT_EQ(to_valid_utf8(activity.tool_name), activity.tool_name);
        EXPECT_EQ(to_valid_utf8(activity.tool_target), activity.tool_target);
      }
    }
  }
}

}  // namespace
}  // namespace wave::agent

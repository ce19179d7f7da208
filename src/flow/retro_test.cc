#include "flow/retro.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wave::flow {
namespace {

using ::testing::ElementsAre;

/// Events at chosen seconds.
class Log {
 public:
  Log& at(int64_t second) {
    second_ = second;
    return *this;
  }
  Log& run(Kind kind, json::object data = {}) { return add(kind, "", 0, 0, std::move(data)); }
  Log& step(Kind kind, const std::string& name, int attempt, json::object data = {},
            int visit = 1) {
    return add(kind, name, visit, attempt, std::move(data));
  }
  Log& start(const std::string& name, int attempt = 1, std::string_view kind = "persona") {
    return step(Kind::kStepStarted, name, attempt, {{"kind", kind}, {"reason", "first"}});
  }
  [[nodiscard]] Retro retro() const { return builder_.finish(); }

 private:
  Log& add(Kind kind, const std::string& name, int visit, int attempt, json::object data) {
    Event event;
    event.seq = ++seq_;
    event.run_id = "r1";
    event.ts = WallTime(Millis(1'700'000'000'000 + second_ * 1000));
    event.kind = kind;
    event.step = name;
    event.visit = visit;
    event.attempt = attempt;
    event.data = std::move(data);
    builder_.add(event);
    return *this;
  }

  RetroBuilder builder_;
  uint64_t seq_ = 0;
  int64_t second_ = 0;
};

json::object usage(double cost) {
  return {{"succeeded", true}, {"usage", json::object{{"tokens_in", 10}, {"cost_usd", cost}}}};
}

TEST(Retro, TimeIsSplitIntoQueueWorkAndWaiting) {
  Log log;
  log.at(0).run(Kind::kRunQueued, {{"pipeline", "p"}});
  log.at(5).run(Kind::kRunStarted).start("a");
  log.at(15)
      .step(Kind::kAgentExited, "a", 1, usage(0.5))
      .step(Kind::kStepCompleted, "a", 1, {{"status", "success"}});
  log.start("g", 1, "gate").step(Kind::kGateWaiting, "g", 1, {{"gate_id", "g1"}});
  log.run(Kind::kRunWaiting, {{"reason", "gate"}});
  log.at(115)
      .step(Kind::kGateResolved, "g", 1,
            {{"gate_id", "g1"}, {"outcome", "decided"}, {"choice", "yes"}, {"by", "ada"}})
      .run(Kind::kRunQueued, {{"resuming", true}});
  log.at(118).run(Kind::kRunResumed, {{"reason", "ready"}});
  log.step(Kind::kStepCompleted, "g", 1, {{"status", "success"}});
  log.at(119).run(Kind::kRunCompleted, {{"status", "success"}});
  const Retro retro = log.retro();
  EXPECT_EQ(retro.outcome, "completed");
  EXPECT_EQ(retro.smoothness, "effortless");
  EXPECT_EQ(retro.total, Millis(119'000));
  EXPECT_EQ(retro.queued, Millis(8'000));
  EXPECT_EQ(retro.working, Millis(11'000));
  EXPECT_EQ(retro.waiting, Millis(100'000));
  EXPECT_EQ(retro.queued + retro.working + retro.waiting, retro.total);
  EXPECT_DOUBLE_EQ(retro.usage.cost_usd, 0.5);
  ASSERT_EQ(retro.gates.size(), 1u);
  EXPECT_EQ(retro.gates[0].waited, Millis(100'000));
  EXPECT_EQ(retro.gates[0].by, "ada");
  EXPECT_EQ(retro.find("g")->waiting, Millis(100'000));
  EXPECT_EQ(retro.find("a")->working, Millis(10'000));
}

TEST(Retro, WhatWasTriedAgainIsNamedWithItsReason) {
  Log log;
  log.at(0).run(Kind::kRunQueued, {{"pipeline", "p"}}).run(Kind::kRunStarted).start("a");
  log.at(4).step(Kind::kAgentExited, "a", 1, usage(1));
  log.step(Kind::kStepRetrying, "a", 1,
           {{"failure_class", "transient"}, {"message", "the network broke"}});
  log.at(10).start("a", 2);
  log.at(12).step(Kind::kContractFailed, "a", 2,
                  {{"index", 1},
                   {"type", "test_suite"},
                   {"policy", "rework"},
                   {"message", "2 tests fail"},
                   {"errors", json::array{"one", "two"}},
                   {"failure_class", "test_failure"}});
  log.step(Kind::kStepReworking, "a", 2,
           {{"target", "fix"}, {"failure_class", "test_failure"}, {"message", "2 tests fail"}});
  log.start("fix");
  log.at(20).step(Kind::kStepInterrupted, "fix", 1, {{"reason", "host_lost"}});
  log.at(21).start("fix", 1);
  log.at(25).step(Kind::kStepCompleted, "fix", 1, {{"status", "success"}});
  log.step(Kind::kStepCompleted, "a", 2, {{"status", "success"}});
  log.run(Kind::kRunCompleted, {{"status", "success"}});
  const Retro retro = log.retro();
  EXPECT_EQ(retro.retries, 1);
  EXPECT_EQ(retro.reworks, 1);
  EXPECT_EQ(retro.interruptions, 1);
  EXPECT_EQ(retro.smoothness, "bumpy");
  std::vector<std::string> kinds;
  for (const Friction& friction : retro.friction) kinds.emplace_back(to_string(friction.kind));
  EXPECT_THAT(kinds, ElementsAre("retry", "contract", "rework", "interruption"));
  EXPECT_EQ(retro.friction[0].message, "the network broke");
  EXPECT_EQ(retro.friction[2].target, "fix");
  EXPECT_EQ(retro.friction[3].message, "host_lost");
  ASSERT_EQ(retro.failed_contracts.size(), 1u);
  EXPECT_EQ(retro.failed_contracts[0].type, "test_suite");
  EXPECT_THAT(retro.failed_contracts[0].errors, ElementsAre("one", "two"));
  EXPECT_EQ(retro.find("a")->working, Millis(6'000));
  EXPECT_EQ(retro.find("a")->waiting, Millis(19'000));
  EXPECT_EQ(retro.find("a")->attempts, 2);
}

TEST(Retro, AFailureSaysWhereAndWhy) {
  Log log;
  log.at(0).run(Kind::kRunQueued, {{"pipeline", "p"}}).run(Kind::kRunStarted).start("a");
  log.at(3).step(Kind::kStepFailed, "a", 1,
                 {{"failure_class", "timeout"}, {"message", "too slow"}, {"tolerated", false}});
  log.step(Kind::kRunFailed, "a", 0,
           {{"failure_class", "timeout"}, {"code", "timeout"}, {"message", "too slow"}});
  const Retro retro = log.retro();
  EXPECT_EQ(retro.outcome, "failed");
  EXPECT_EQ(retro.smoothness, "failed");
  EXPECT_EQ(retro.failed_step, "a");
  EXPECT_EQ(retro.failure_class, "timeout");
  EXPECT_EQ(retro.find("a")->failure_class, "timeout");
}

TEST(Retro, FilesThatAgentsWroteAreListedOnceAndBounded) {
  Log log;
  log.at(0).run(Kind::kRunQueued, {{"pipeline", "p"}}).run(Kind::kRunStarted).start("a");
  const auto tool = [&log](std::string_view name, const std::string& file) {
    log.step(Kind::kStreamActivity, "a", 1,
             {{"kind", "tool_use"}, {"tool_name", name}, {"tool_target", file}});
  };
  tool("Edit", "x.cc");
  tool("Edit", "x.cc");
  tool("Read", "y.cc");
  EXPECT_THAT(log.retro().files, ElementsAre("x.cc"));
  EXPECT_TRUE(log.retro().files_complete);
  EXPECT_EQ(log.retro().smoothness, "unfinished");
  for (size_t i = 0; i <= Retro::kMostFiles; ++i) tool("Write", "f" + std::to_string(i));
  EXPECT_EQ(log.retro().files.size(), Retro::kMostFiles);
  EXPECT_FALSE(log.retro().files_complete);
}

TEST(Retro, ManyFailuresStayBounded) {
  Log log;
  log.at(0).run(Kind::kRunQueued, {{"pipeline", "p"}}).run(Kind::kRunStarted);
  for (int i = 1; i <= 500; ++i) {
    log.start("a", i).step(Kind::kStepRetrying, "a", i, {{"message", std::string(5000, 'x')}});
  }
  const Retro retro = log.retro();
  EXPECT_EQ(retro.friction.size(), Retro::kMostFriction);
  EXPECT_EQ(retro.friction_left_out, 300u);
  EXPECT_EQ(retro.retries, 500);
  EXPECT_LE(retro.friction[0].message.size(), Retro::kMostText + 3);
  const json::object object = to_json(retro);
  EXPECT_EQ(get_int(object, "retries"), 500);
}

}  // namespace
}  // namespace wave::flow

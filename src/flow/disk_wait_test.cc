// What a run does while its operations find the disk full, read-only or gone (promise O11).
#include "flow/flow_test_kit.h"

namespace wave::flow {
namespace {

using namespace testing;

json::object lacking() {
  return {{"reason", "disk"}, {"message", "63 MiB of disk are free, a step needs 1 GiB"}};
}

void find_room(Script& run) {
  run.answer(OperationKind::kAwaitDisk, "", Kind::kRunWaitEnded, {{"reason", "disk"}});
}

void find_step_lacking(Script& run, const std::string& step,
                       OperationKind kind = OperationKind::kExecute) {
  run.answer(kind, step, Kind::kStepWaiting, lacking());
}

TEST(DiskWait, AStepThatLacksTheDiskIsTriedAgainInTheSameAttempt) {
  Script run(Build().command("a").contract().program());
  run.run();
  run.exits("a");
  find_step_lacking(run, "a", OperationKind::kCollectOutputs);
  EXPECT_EQ(run.status(), "waiting");
  EXPECT_EQ(run.state().waiting_reason, "disk");
  EXPECT_EQ(run.field(Kind::kRunWaiting, "message"), lacking().at("message").as_string());
  ASSERT_EQ(run.operations().size(), 1u) << run.log();
  const StepRow row = project(run.program(), run.state(), 0).steps.front();
  EXPECT_EQ(row.status, "waiting");
  EXPECT_EQ(row.reason, "disk");
  find_room(run);
  EXPECT_EQ(run.status(), "queued");
  EXPECT_TRUE(run.state().resuming);
  run.run();
  run.collects("a");
  run.passes("a");
  EXPECT_EQ(run.status(), "completed");
  EXPECT_EQ(run.count(Kind::kStepStarted), 1u);
}

TEST(DiskWait, ARunThatLacksItBeforeItsFirstSlotWaitsAndKeepsItsPlace) {
  Script run(Build().command("a").program());
  Event waiting;
  waiting.kind = Kind::kRunWaiting;
  waiting.data = lacking();
  run.put(std::move(waiting));
  EXPECT_EQ(run.status(), "waiting");
  EXPECT_EQ(run.count(Kind::kRunStarted), 0u);
  find_room(run);
  EXPECT_EQ(run.status(), "queued");
  EXPECT_FALSE(run.state().resuming);
  run.run();
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(DiskWait, NothingNewStartsBesideAStepThatLacksIt) {
  Script run(Build().command("a").command("b").command("c", {"b"}).program());
  run.run();
  find_step_lacking(run, "a");
  EXPECT_EQ(run.status(), "running");  // b is at work
  run.exits("b");
  EXPECT_FALSE(run.runs("c"));
  EXPECT_EQ(run.status(), "waiting");
  find_room(run);
  run.run();
  EXPECT_TRUE(run.runs("a"));
  EXPECT_TRUE(run.runs("c"));
}

TEST(DiskWait, ACancelAndAStopNeedNoDisk) {
  Script cancelled(Build().command("a").contract().program());
  cancelled.run();
  cancelled.exits("a");
  find_step_lacking(cancelled, "a", OperationKind::kCollectOutputs);
  cancelled.cancel();
  EXPECT_EQ(cancelled.status(), "cancelled");

  Script stopped(Build().command("a").contract().program());
  stopped.run();
  stopped.exits("a");
  find_step_lacking(stopped, "a", OperationKind::kCollectOutputs);
  stopped.stop();
  EXPECT_EQ(stopped.status(), "waiting");
  EXPECT_EQ(stopped.state().waiting_reason, "stopped");
  stopped.resume();
  stopped.collects("a");
  stopped.passes("a");
  EXPECT_EQ(stopped.status(), "completed");
}

TEST(DiskWait, AHookOfTheRunsEndIsNotAskedForOverAndOver) {
  Build build = Build().command("a");
  build.project().manifest.hooks.push_back(
      {.name = "told", .event = model::Hook::Event::kRunCompleted, .command = "true"});
  Script run(build.program());
  run.run();
  run.exits("a");
  Event waiting;
  waiting.kind = Kind::kRunWaiting;
  waiting.data = lacking();
  run.put(std::move(waiting));
  EXPECT_EQ(run.status(), "waiting");
  ASSERT_EQ(run.operations().size(), 1u) << run.log();
  find_room(run);
  run.run();
  run.hooked();
  EXPECT_EQ(run.status(), "completed");
}

}  // namespace
}  // namespace wave::flow

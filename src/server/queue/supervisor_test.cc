#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "engine/runtime.h"
#include "server/queue/make_supervisor.h"
#include "store/owner_lock.h"

namespace wave::server::queue {
namespace {

using testing::ElementsAre;

constexpr Millis kPatience{30'000};
constexpr std::string_view kManifest =
    "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: t}\n"
    "runtime: {workspace_root: .agents/workspaces}\n";
constexpr std::string_view kQuick = "  - {id: a, type: command, script: \"true\"}\n";
/// Runs until the file `go` is there, which lies in the project.
constexpr std::string_view kSlow =
    "  - {id: a, type: command, script: \"while [ ! -e $GO ]; do sleep 0.02; done\"}\n";
constexpr std::string_view kGate =
    "  - {id: g, type: gate, gate: {type: approval, message: ok?}}\n"
    "  - {id: b, type: command, dependencies: [g], script: \"while [ ! -e $GO ]; do sleep 0.02; "
    "done\"}\n";

std::vector<std::string> ids(const std::vector<QueueEntry>& entries) {
  std::vector<std::string> list;
  for (const QueueEntry& entry : entries) list.push_back(entry.run_id);
  return list;
}

// A server's inside without its doors, on a project in a temporary folder, everything real.
class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() {
    std::string name = (fs::temp_directory_path() / "wave-queue-XXXXXX").native();
    root_ = ::mkdtemp(name.data());
    auto launcher = process::Launcher::start();
    EXPECT_TRUE(launcher);
    launcher_.emplace(*std::move(launcher));
    begin_life();
  }
  ~SupervisorTest() override {
    go();
    for (const auto& run : *store_->live_runs()) cancel(run.run_id);
    supervisor_->set_draining(true);
    (void)turn_until([&] { return store_->live_runs()->empty(); });
    end_life();
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void begin_life(int slots = 1) {
    auto opened = store::open_store({.project = root_});
    EXPECT_TRUE(opened);
    runtime_.emplace(
        engine::EngineConfig{.paths = {root_}, .environment = {{"PATH", "/usr/bin:/bin"}}},
        *launcher_, *std::move(opened));
    loop_ = &runtime_->loop();
    store_ = &runtime_->store();
    engine_ = &runtime_->engine();
    auto made = make_supervisor(*loop_, *store_, {root_}, *engine_, slots);
    EXPECT_TRUE(made);
    supervisor_ = *std::move(made);
  }
  // As if the server had been killed: nothing is said to anybody.
  void end_life() {
    supervisor_->stop();
    runtime_->end();
    supervisor_.reset();
    runtime_.reset();
  }

  std::string create(std::string_view steps) {
    std::string text(steps);
    if (const size_t at = text.find("$GO"); at != std::string::npos)
      text.replace(at, 3, (root_ / "go").native());
    engine::RunRequest request{.pipeline = "p", .actor = "test"};
    request.extra_files = {
        {"wave.yaml", std::string(kManifest)},
        {".agents/pipelines/p.yaml", "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n" + text}};
    const auto run = engine_->create(request);
    EXPECT_TRUE(run) << (run ? "" : full_message(run.error()));
    return run.value_or("");
  }
  std::string submit(std::string_view steps) {
    const std::string run = create(steps);
    supervisor_->submitted(run);
    return run;
  }
  void go() { std::ofstream(root_ / "go") << "go"; }
  void cancel(const std::string& run) {
    store::Command command{.run_id = run, .kind = "cancel", .actor = "test", .via = "api"};
    command.payload = {{"reason", "enough"}, {"force", true}};
    (void)store_->submit_command(command);
  }
  void decide(const std::string& run, const std::string& gate) {
    store::Command command{.run_id = run, .kind = "gate", .gate_id = gate};
    command.payload = {{"choice", ""}};  // it is only said that it may go on
    const auto stored = store_->submit_command(command);
    EXPECT_TRUE(stored) << (stored ? "" : full_message(stored.error()));
  }

  // Lets the loop turn until the condition holds; false when it never does.
  bool turn_until(std::function<bool()> condition) {
    const MonoTime deadline = loop_->clock().mono() + kPatience;
    bool held = false;
    std::function<void()> look = [&] {
      held = condition();
      if (held || loop_->clock().mono() > deadline) return loop_->stop();
      loop_->call_at(loop_->clock().mono() + Millis(2), look);
    };
    loop_->post([&] { look(); });
    loop_->run();
    return held;
  }
  std::string status(const std::string& run) {
    const auto details = store_->run(run);
    return details ? details->row.status : details.error().message;
  }
  bool becomes(const std::string& run, const std::string& wanted) {
    const bool came = turn_until([&] { return status(run) == wanted; });
    EXPECT_TRUE(came) << run << " is " << status(run) << ", not " << wanted;
    return came;
  }

  fs::path root_;
  std::optional<process::Launcher> launcher_;
  std::optional<engine::Runtime> runtime_;
  store::Store* store_ = nullptr;
  AsioLoop* loop_ = nullptr;
  engine::Engine* engine_ = nullptr;
  std::unique_ptr<SupervisorControl> supervisor_;
};

TEST_F(SupervisorTest, ASubmittedRunGetsASlotAndEnds) {
  ASSERT_TRUE(supervisor_->start());
  const std::string run = submit(kQuick);
  EXPECT_TRUE(becomes(run, "completed"));
  EXPECT_TRUE(turn_until([&] { return supervisor_->view()->running.empty(); }));
}

TEST_F(SupervisorTest, Q2_RunsStartInTheOrderOfAcceptanceAndPositionsSaySo) {
  ASSERT_TRUE(supervisor_->start());
  const std::string first = submit(kSlow);
  ASSERT_TRUE(becomes(first, "running"));
  const std::string second = submit(kQuick), third = submit(kQuick);
  // At once, before the loop has even looked at them.
  EXPECT_EQ(supervisor_->position(second), 1);
  EXPECT_EQ(supervisor_->position(third), 2);
  ASSERT_TRUE(turn_until([&] { return supervisor_->view()->waiting.size() == 2; }));
  EXPECT_EQ(supervisor_->position(third), 2);
  EXPECT_EQ(supervisor_->position(first), std::nullopt);
  EXPECT_THAT(ids(supervisor_->view()->waiting), ElementsAre(second, third));
  EXPECT_EQ(status(second), "queued");
  go();
  ASSERT_TRUE(becomes(third, "completed"));
  const auto second_row = store_->run(second)->row, third_row = store_->run(third)->row;
  EXPECT_LE(*second_row.finished_at, *third_row.started_at);
}

TEST_F(SupervisorTest, Q3_ARunThatWaitsHoldsNoSlotAndComesFirstWhenItCanGoOn) {
  ASSERT_TRUE(supervisor_->start());
  const std::string gated = submit(kGate);
  ASSERT_TRUE(becomes(gated, "waiting"));
  const std::string slow = submit(kSlow);
  ASSERT_TRUE(becomes(slow, "running"));
  EXPECT_THAT(ids(supervisor_->view()->parked), ElementsAre(gated));
  const std::string fresh = submit(kQuick);
  ASSERT_TRUE(turn_until([&] { return supervisor_->position(fresh) == 1; }));

  decide(gated, "g.1");
  ASSERT_TRUE(becomes(gated, "queued"));
  EXPECT_TRUE(store_->run(gated)->row.resuming);
  // It is stored as queued a moment before it asks for a slot.
  EXPECT_TRUE(turn_until([&] { return supervisor_->position(gated) == 1; }));
  EXPECT_EQ(supervisor_->position(fresh), 2);
  EXPECT_THAT(ids(supervisor_->view()->running), ElementsAre(slow));
  go();
  ASSERT_TRUE(becomes(fresh, "completed"));
  EXPECT_LE(*store_->run(gated)->row.finished_at, *store_->run(fresh)->row.started_at);
}

TEST_F(SupervisorTest, Q4_TheQueueIsTheSameAfterARestart) {
  ASSERT_TRUE(supervisor_->start());
  const std::string gated = submit(kGate);
  ASSERT_TRUE(becomes(gated, "waiting"));
  const std::string slow = submit(kSlow), second = submit(kQuick), third = submit(kQuick);
  ASSERT_TRUE(becomes(slow, "running"));
  end_life();
  begin_life();
  ASSERT_TRUE(supervisor_->start());
  // It is known before anything was done.
  EXPECT_THAT(ids(supervisor_->view()->waiting), ElementsAre(second, third));
  EXPECT_THAT(ids(supervisor_->view()->running), ElementsAre(slow));
  EXPECT_THAT(ids(supervisor_->view()->parked), ElementsAre(gated));
  ASSERT_TRUE(turn_until([&] { return engine_->owns(slow) && engine_->owns(gated); }));
  EXPECT_EQ(status(second), "queued");
  go();
  EXPECT_TRUE(becomes(third, "completed"));
  EXPECT_EQ(status(slow), "completed");
  EXPECT_EQ(status(gated), "waiting");
}

TEST_F(SupervisorTest, Q5_ARunInTheQueueIsCancelledAtOnceAndNeverStarts) {
  ASSERT_TRUE(supervisor_->start());
  const std::string slow = submit(kSlow);
  ASSERT_TRUE(becomes(slow, "running"));
  const std::string queued = submit(kQuick);
  cancel(queued);
  EXPECT_TRUE(becomes(queued, "cancelled"));
  EXPECT_FALSE(store_->run(queued)->row.started_at);
  EXPECT_EQ(status(slow), "running");
  EXPECT_TRUE(turn_until([&] { return supervisor_->view()->waiting.empty(); }));
}

TEST_F(SupervisorTest, ADrainingServerStartsNothingNew) {
  ASSERT_TRUE(supervisor_->start());
  supervisor_->set_draining(true);
  const std::string run = submit(kQuick);
  ASSERT_TRUE(turn_until([&] { return supervisor_->view()->waiting.size() == 1; }));
  EXPECT_EQ(supervisor_->position(run), 1);
  EXPECT_TRUE(supervisor_->view()->draining);
  EXPECT_EQ(status(run), "queued");
  supervisor_->set_draining(false);
  EXPECT_TRUE(becomes(run, "completed"));
}

TEST_F(SupervisorTest, MoreSlotsStartMoreRuns) {
  ASSERT_TRUE(supervisor_->start());
  const std::string first = submit(kSlow), second = submit(kSlow);
  ASSERT_TRUE(becomes(first, "running"));
  EXPECT_EQ(status(second), "queued");
  supervisor_->set_max_concurrent(2);
  EXPECT_TRUE(becomes(second, "running"));
  EXPECT_EQ(supervisor_->view()->max_concurrent, 2);
}

TEST_F(SupervisorTest, RunsOfCommandLinesTakeNoSlotAndAreAdoptedWhenTheirOwnerDies) {
  ASSERT_TRUE(supervisor_->start());
  const std::string other = create(kQuick);
  auto lock = store::OwnerLock::acquire({root_}, other);
  ASSERT_TRUE(lock);
  std::optional<store::OwnerLock> held(*std::move(lock));
  supervisor_->submitted(other);  // as the doorbell would
  ASSERT_TRUE(turn_until([&] { return supervisor_->view()->elsewhere.size() == 1; }));
  const std::string run = submit(kQuick);
  EXPECT_TRUE(becomes(run, "completed"));
  EXPECT_EQ(status(other), "queued");
  held.reset();
  EXPECT_TRUE(becomes(other, "completed"));
}

TEST_F(SupervisorTest, AClaimedRunIsHeldFromItsBirth) {
  ASSERT_TRUE(supervisor_->start());
  engine::RunRequest request{.pipeline = "p", .actor = "test"};
  request.claim = true;
  request.extra_files = {
      {"wave.yaml", std::string(kManifest)},
      {".agents/pipelines/p.yaml",
       "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n" + std::string(kQuick)}};
  const auto run = engine_->create(request);
  ASSERT_TRUE(run);
  EXPECT_TRUE(store::OwnerLock::is_held({root_}, *run));
  EXPECT_TRUE(engine_->adopt(*run, {}));
  EXPECT_TRUE(becomes(*run, "completed"));
}

TEST_F(SupervisorTest, AStoppedRunGoesOnOnlyWhenAsked) {
  ASSERT_TRUE(supervisor_->start());
  const std::string run = submit(kSlow);
  ASSERT_TRUE(becomes(run, "running"));
  ASSERT_TRUE(turn_until([&] { return engine_->owns(run); }));
  (void)store_->submit_command({.run_id = run, .kind = "stop", .actor = "test", .via = "api"});
  ASSERT_TRUE(becomes(run, "waiting"));
  ASSERT_TRUE(turn_until([&] { return !engine_->owns(run); }));
  end_life();
  begin_life();
  ASSERT_TRUE(supervisor_->start());
  const std::string next = submit(kQuick);
  ASSERT_TRUE(becomes(next, "completed"));
  EXPECT_EQ(status(run), "waiting");
  go();
  supervisor_->submitted(run);
  EXPECT_TRUE(becomes(run, "completed"));
}

// promise O8: also when it is one of many that are taken up together.
TEST_F(SupervisorTest, O8_APoisonedRunEndsAsFailedAndTheOthersGoOn) {
  const std::string poisoned = create(kQuick), healthy = create(kQuick);
  const auto epoch = store_->take_ownership(poisoned);
  ASSERT_TRUE(epoch);
  flow::Event nonsense;
  nonsense.run_id = poisoned;
  nonsense.seq = 2;
  nonsense.ts = WallTime(Millis(4'000'000'000'000));
  nonsense.kind = flow::Kind::kStepCompleted;
  nonsense.step = "there-is-no-such-step";
  nonsense.visit = nonsense.attempt = 1;
  nonsense.data = {{"status", "success"}};
  ASSERT_TRUE(
      store_->append_and_wait({.run_id = poisoned, .owner_epoch = *epoch, .events = {nonsense}}));
  ASSERT_TRUE(supervisor_->start());
  EXPECT_TRUE(becomes(healthy, "completed"));
  EXPECT_TRUE(becomes(poisoned, "failed"));
}

}  // namespace
}  // namespace wave::server::queue

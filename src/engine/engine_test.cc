#include "engine/engine.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "engine/runtime.h"
#include "flow/fold.h"
#include "process/attempt_files.h"

namespace wave::engine {
namespace {

constexpr std::string_view kManifest =
    "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: t}\n"
    "runtime: {workspace_root: .agents/workspaces}\n";

// An engine on a project in a temporary folder, with everything real.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    std::string name = (fs::temp_directory_path() / "wave-engine-XXXXXX").native();
    root_ = ::mkdtemp(name.data());
    auto launcher = process::Launcher::start();
    EXPECT_TRUE(launcher);
    launcher_.emplace(*std::move(launcher));
    auto opened = store::open_store({.project = root_});
    EXPECT_TRUE(opened);
    runtime_.emplace(EngineConfig{.paths = {root_}, .environment = {{"PATH", "/usr/bin:/bin"}}},
                     *launcher_, *std::move(opened));
    loop_ = &runtime_->loop();
    store_ = &runtime_->store();
    engine_ = &runtime_->engine();
  }
  ~EngineTest() override {
    runtime_.reset();
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  std::string create(std::string_view steps) {
    RunRequest request{.pipeline = "p", .actor = "test"};
    request.extra_files = {
        {"wave.yaml", std::string(kManifest)},
        {".agents/pipelines/p.yaml",
         "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n" + std::string(steps)}};
    const auto run = engine_->create(request);
    EXPECT_TRUE(run) << (run ? "" : full_message(run.error()));
    return run.value_or("");
  }
  // Drives a run to its end in this process.
  Engine::Ended drive(const std::string& run) {
    Engine::Ended result;
    const auto adopted = engine_->adopt(run, [&](const std::string&, const Engine::Ended& ended) {
      result = ended;
      loop_->stop();
    });
    EXPECT_TRUE(adopted) << (adopted ? "" : full_message(adopted.error()));
    if (adopted) loop_->run();
    return result;
  }
  std::string status(const std::string& run) {
    const auto details = store_->run(run);
    return details ? details->row.status : details.error().message;
  }

  fs::path root_;
  std::optional<process::Launcher> launcher_;
  std::optional<Runtime> runtime_;
  store::Store* store_ = nullptr;
  AsioLoop* loop_ = nullptr;
  SystemRandom random_;
  Engine* engine_ = nullptr;
};

constexpr std::string_view kOneStep = "  - {id: a, type: command, script: \"true\"}\n";

TEST_F(EngineTest, DrivesARunToItsEnd) {
  const std::string run = create(kOneStep);
  EXPECT_EQ(status(run), "queued");
  EXPECT_EQ(drive(run).status, flow::RunStatus::kCompleted);
  EXPECT_EQ(status(run), "completed");
  EXPECT_EQ(engine_->owned(), 0u);
}

TEST_F(EngineTest, ATerminalRunIsNotAdopted) {
  const std::string run = create(kOneStep);
  (void)drive(run);
  const auto again = engine_->adopt(run, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kConflict);
}

TEST_F(EngineTest, UnknownStepNamesAreRefusedWithASuggestion) {
  RunRequest request{.pipeline = "p"};
  request.extra_files = {{"wave.yaml", std::string(kManifest)},
                         {".agents/pipelines/p.yaml",
                          "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n"
                          "  - {id: build, type: command, script: \"true\"}\n"}};
  request.options.steps = {"biuld"};
  const auto refused = engine_->create(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUsage);
  EXPECT_TRUE(refused.error().hint.contains("build"));
}

// A disk that is nearly full, and then is not.
class NarrowDisk final : public SystemWorld {
 public:
  using SystemWorld::SystemWorld;
  Status check_disk() override {
    if (looks_++ > 0) return {};
    return fail(Code::kDiskFull, "100 MiB of disk are free, a step needs 1 GiB");
  }

 private:
  std::atomic<int> looks_ = 0;
};

TEST_F(EngineTest, S4_NoStepStartsOnAFullDiskAndTheRunGoesOnByItself) {
  const std::string run = create(kOneStep);
  NarrowDisk world(*launcher_, *loop_, store::StatePaths{root_});
  Engine engine({.paths = {root_}, .environment = {{"PATH", "/usr/bin:/bin"}}}, *loop_, *store_,
                world, random_);
  ASSERT_TRUE(engine.adopt(run, [&](const std::string&, const Engine::Ended&) { loop_->stop(); }));
  loop_->run();
  engine.abandon();
  runtime_->end();  // what is still posted knows the run, and with it this world
  EXPECT_EQ(status(run), "completed");
  const auto log = store_->events(run, {});
  ASSERT_TRUE(log);
  bool waited = false;
  for (const store::StoredEvent& event : *log) waited |= event.line.contains("run_wait_ended");
  EXPECT_TRUE(waited);
}

// A project that goes away between a step's set-up and its start, and comes back.
class DisappearingProject final : public SystemWorld {
 public:
  using SystemWorld::SystemWorld;
  Result<std::unique_ptr<Followed>> start_or_attach(const process::HostRequest& request,
                                                    uint64_t out_offset, uint64_t err_offset,
                                                    process::FollowHandlers handlers) override {
    process::HostRequest asked = request;
    if (starts_++ == 0) {
      asked.cwd = "/there-is-no-such-folder";
      is_away_ = true;
    }
    return SystemWorld::start_or_attach(asked, out_offset, err_offset, std::move(handlers));
  }
  Status check_disk() override {
    if (!is_away_.exchange(false)) return {};
    return fail(Code::kDiskError, "the project is not there");
  }

 private:
  int starts_ = 0;
  std::atomic<bool> is_away_ = false;
};

TEST_F(EngineTest, O11_AProjectThatGoesAwayBeforeTheStartInterruptsTheStep) {
  const std::string run = create(kOneStep);
  DisappearingProject world(*launcher_, *loop_, store::StatePaths{root_});
  Engine engine({.paths = {root_}, .environment = {{"PATH", "/usr/bin:/bin"}}}, *loop_, *store_,
                world, random_);
  ASSERT_TRUE(engine.adopt(run, [&](const std::string&, const Engine::Ended&) { loop_->stop(); }));
  loop_->run();
  engine.abandon();
  runtime_->end();  // what is still posted knows the run, and with it this world
  EXPECT_EQ(status(run), "completed");
  const auto log = store_->events(run, {});
  ASSERT_TRUE(log);
  const auto interrupted =
      std::ranges::find(*log, flow::Kind::kStepInterrupted, &store::StoredEvent::kind);
  ASSERT_NE(interrupted, log->end());
  EXPECT_TRUE(interrupted->line.contains("\"disk\"")) << interrupted->line;
}

// A disk that fails twice, while code that looks at it takes that for absence.
class FailingDisk final : public SystemWorld {
 public:
  using SystemWorld::SystemWorld;
  Result<workspace::Prepared> prepare_workspace(const workspace::Request& request) override {
    if (failures_++ >= 2) return SystemWorld::prepare_workspace(request);
    (void)errno_error(EIO, "cannot look at", "the worktree");
    return fail(Code::kConflict, "the worktree has lost its .git file");
  }

 private:
  std::atomic<int> failures_ = 0;
};

TEST_F(EngineTest, O11_WhatFailedBecauseTheDiskDidIsTriedAgain) {
  const std::string run = create(kOneStep);
  FailingDisk world(*launcher_, *loop_, store::StatePaths{root_});
  Engine engine({.paths = {root_}, .environment = {{"PATH", "/usr/bin:/bin"}}}, *loop_, *store_,
                world, random_);
  ASSERT_TRUE(engine.adopt(run, [&](const std::string&, const Engine::Ended&) { loop_->stop(); }));
  loop_->run();
  engine.abandon();
  runtime_->end();
  EXPECT_EQ(status(run), "completed");
}

// A disk that is full for a while during the first program of each step and purpose.
class ProgramsDisk final : public SystemWorld {
 public:
  using SystemWorld::SystemWorld;
  Result<std::unique_ptr<Followed>> start_or_attach(const process::HostRequest& request,
                                                    uint64_t out_offset, uint64_t err_offset,
                                                    process::FollowHandlers handlers) override {
    const std::string name = request.dir.filename().native();
    const bool is_first = !name.contains("again") && !name.contains("-w");
    if (is_first) {
      handlers.on_exit = [tell = handlers.on_exit, dir = request.dir](process::HostExit exit) {
        exit.disk_ran_out = true;
        EXPECT_TRUE(process::write_exit(dir, exit));  // as the host would have
        tell(exit);
      };
    }
    return SystemWorld::start_or_attach(request, out_offset, err_offset, std::move(handlers));
  }
};

/// The lines of the log of a run of `steps` in such a world.
class FullDiskEngineTest : public EngineTest {
 protected:
  std::string drive_with_full_disk(std::string_view steps) {
    run_ = create(steps);
    ProgramsDisk world(*launcher_, *loop_, store::StatePaths{root_});
    Engine engine({.paths = {root_}, .environment = {{"PATH", "/usr/bin:/bin"}}}, *loop_, *store_,
                  world, random_);
    EXPECT_TRUE(
        engine.adopt(run_, [&](const std::string&, const Engine::Ended&) { loop_->stop(); }));
    loop_->run();
    engine.abandon();
    runtime_->end();
    std::string lines;
    const auto log = store_->events(run_, {});
    for (const store::StoredEvent& event : *log) lines += event.line + "\n";
    return lines;
  }
  static size_t count(std::string_view text, std::string_view what) {
    size_t found = 0;
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
      ++found;
    }
    return found;
  }

  std::string run_;
};

// Fails the first time it is run in its workspace.
constexpr std::string_view kFailsOnce = "if [ ! -e tried ]; then touch tried; exit 3; fi";

TEST_F(FullDiskEngineTest, O11_AStepThatFailedWhileTheDiskWasFullRunsAgain) {
  const std::string log = drive_with_full_disk(
      fmt::format("  - {{id: a, type: command, script: \"{}\"}}\n", kFailsOnce));
  EXPECT_EQ(status(run_), "completed") << log;
  EXPECT_EQ(count(log, "\"step_interrupted\""), 1u) << log;
  EXPECT_EQ(count(log, "\"reason\":\"disk\""), 1u) << log;
  const auto details = store_->run(run_);
  ASSERT_TRUE(details);
  EXPECT_EQ(details->steps.at(0).attempt, 1);
  EXPECT_EQ(details->steps.at(0).interruptions, 0);
}

TEST_F(FullDiskEngineTest, O11_AnArtifactThatCouldNotBeWrittenIsMadeAgain) {
  const std::string log = drive_with_full_disk(
      "  - id: a\n    type: command\n"
      "    script: \"if [ -e tried ]; then echo made > made.txt; fi; touch tried\"\n"
      "    output_artifacts: [{name: made, path: made.txt, required: true}]\n");
  EXPECT_EQ(status(run_), "completed") << log;
  EXPECT_EQ(count(log, "\"step_interrupted\""), 1u) << log;
}

TEST_F(FullDiskEngineTest, O11_AContractThatFailedWhileTheDiskWasFullIsCheckedAgain) {
  const std::string log = drive_with_full_disk(
      fmt::format("  - id: a\n    type: command\n    script: \"true\"\n    handover:\n"
                  "      contract: {{type: test_suite, command: \"{}\", on_failure: fail}}\n",
                  kFailsOnce));
  EXPECT_EQ(status(run_), "completed") << log;
  EXPECT_EQ(count(log, "\"step_waiting\""), 1u) << log;
  EXPECT_EQ(count(log, "\"contract_failed\""), 0u) << log;
}

TEST_F(FullDiskEngineTest, O11_WhatMayBeMissingOfAStepThatCompletedIsSaid) {
  const std::string log = drive_with_full_disk(kOneStep);
  EXPECT_EQ(status(run_), "completed") << log;
  EXPECT_EQ(count(log, "may be missing"), 1u) << log;
}

// promise O8: a log that cannot be folded ends its own run, and nothing else.
TEST_F(EngineTest, O8_APoisonedRunIsQuarantinedAndOthersGoOn) {
  const std::string poisoned = create(kOneStep);
  const std::string healthy = create(kOneStep);
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

  const auto adopted = engine_->adopt(poisoned, {});
  ASSERT_FALSE(adopted);
  EXPECT_EQ(status(poisoned), "failed");
  const auto log = store_->events(poisoned, {.after = 2});
  ASSERT_TRUE(log);
  ASSERT_EQ(log->size(), 1u);
  EXPECT_EQ((*log)[0].kind, flow::Kind::kRunFailed);
  EXPECT_TRUE((*log)[0].line.contains("quarantined"));
  EXPECT_EQ(drive(healthy).status, flow::RunStatus::kCompleted);
}

TEST_F(EngineTest, AForkTakesOverWhatWasDone) {
  const std::string origin = create(
      "  - {id: a, type: command, script: \"true\"}\n"
      "  - {id: b, type: command, dependencies: [a], script: \"exit 1\"}\n");
  EXPECT_EQ(drive(origin).status, flow::RunStatus::kFailed);
  const auto fork = engine_->fork({.origin = origin, .actor = "test"});
  ASSERT_TRUE(fork) << full_message(fork.error());
  const auto details = store_->run(*fork);
  ASSERT_TRUE(details);
  EXPECT_EQ(details->steps.at(0).status, "completed");
  EXPECT_EQ(details->steps.at(1).status, "pending");
  EXPECT_EQ(details->row.origin_run_id, origin);
}

}  // namespace
}  // namespace wave::engine

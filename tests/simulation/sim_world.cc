#include "sim_world.h"

#include <fmt/core.h>

#include <fstream>
#include <regex>

namespace wave::sim {
namespace {

using engine::Followed;
using process::HostedState;
using process::HostExit;

// The output is told in pieces over the process's life, and its end after the last piece.
class SimFollowed final : public Followed, public std::enable_shared_from_this<SimFollowed> {
 public:
  SimFollowed(Machine& machine, SimLoop& loop, std::string folder, uint64_t offset,
              process::FollowHandlers handlers)
      : machine_(machine),
        loop_(loop),
        folder_(std::move(folder)),
        offset_(offset),
        handlers_(std::move(handlers)) {}

  void begin() { arm(loop_.clock().mono()); }
  void stop(bool force) override {
    Machine::Process& process = machine_.processes.at(folder_);
    const MonoTime now = loop_.clock().mono();
    if (process.host_lost || process.ends <= now) return;
    process.stopped = true;
    process.ends = std::min(process.ends, now + (force ? Millis(1) : Millis(200)));
    process.exit = {.exit_code = -1, .signal = force ? 9 : 15, .reason = "stopped"};
    process.output.resize(std::max<size_t>(offset_, printed(process, now)));
    arm(now);
  }
  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    arm(loop_.clock().mono());
  }
  void detach() {
    handlers_ = {};
    if (timer_ != 0) loop_.cancel_timer(std::exchange(timer_, 0));
  }

 private:
  static size_t printed(const Machine::Process& process, MonoTime now) {
    if (process.ends <= now || process.host_lost) return process.output.size();
    const auto all = process.ends - process.started;
    const auto gone = now - process.started;
    return static_cast<size_t>(
        static_cast<double>(process.output.size()) *
        (static_cast<double>(gone.count()) / static_cast<double>(all.count())));
  }

  void arm(MonoTime when) {
    if (timer_ != 0) loop_.cancel_timer(timer_);
    timer_ = loop_.call_at(when, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->look();
    });
  }

  void look() {
    timer_ = 0;
    if (paused_ || !handlers_.on_exit) return;
    const Machine::Process& process = machine_.processes.at(folder_);
    const MonoTime now = loop_.clock().mono();
    const size_t there = printed(process, now);
    if (there > offset_) {
      const std::string bytes = process.output.substr(offset_, there - offset_);
      const uint64_t at = std::exchange(offset_, there);
      handlers_.on_bytes(false, at, bytes);
      if (paused_ || !handlers_.on_exit) return;
    }
    if (process.host_lost || process.ends <= now) {
      const auto on_exit = std::exchange(handlers_.on_exit, nullptr);
      HostExit exit = process.exit;
      if (process.host_lost) exit = {.exit_code = -1, .reason = "host_lost"};
      exit.out_bytes = offset_;
      return on_exit(exit);
    }
    const auto rest = process.ends - now;
    arm(now + std::max<MonoTime::duration>(rest / 3, Millis(1)));
  }

  Machine& machine_;
  SimLoop& loop_;
  std::string folder_;
  uint64_t offset_;
  process::FollowHandlers handlers_;
  bool paused_ = false;
  Loop::TimerId timer_ = 0;
};

class Handle final : public Followed {
 public:
  explicit Handle(std::shared_ptr<SimFollowed> inner) : inner_(std::move(inner)) {}
  ~Handle() override { inner_->detach(); }
  void stop(bool force) override { inner_->stop(force); }
  void pause() override { inner_->pause(); }
  void resume() override { inner_->resume(); }

 private:
  std::shared_ptr<SimFollowed> inner_;
};

/// The name without what says that it is run again, for want of disk or after an interruption: it
/// ends as it would have the first time.
std::string without_repeat(const std::string& name) {
  static const std::regex repeat("\\.again-[0-9]+$|again-[0-9]+-|-w[0-9]+$");
  return std::regex_replace(name, repeat, "");
}

Machine::Process make_process(uint64_t seed, const std::string& name, MonoTime now) {
  SimRandom random(draw(seed, without_repeat(name)));
  Machine::Process process;
  process.name = name;
  process.started = now;
  process.ends = now + Millis(1 + random.below(4000));
  const uint64_t lines = random.below(12);
  for (uint64_t i = 0; i < lines; ++i) process.output += fmt::format("{} line {}.\n", name, i);
  const uint64_t fate = random.below(100);
  process.exit.duration = std::chrono::duration_cast<Millis>(process.ends - now);
  process.exit.exit_code = fate < 78 ? 0 : 1;
  if (fate >= 97) process.exit = {.exit_code = -1, .signal = 15, .reason = "timeout"};
  return process;
}

}  // namespace

void Machine::lose_power(MonoTime now) {
  for (auto& [folder, process] : processes) {
    if (process.ends > now) process.host_lost = true;
  }
}

size_t Machine::running(MonoTime now) const {
  return static_cast<size_t>(std::ranges::count_if(processes, [&](const auto& entry) {
    return !entry.second.host_lost && entry.second.ends > now;
  }));
}

HostedState SimWorld::inspect(const std::filesystem::path& dir) {
  const auto found = machine_.processes.find(dir.native());
  if (found == machine_.processes.end()) return HostedState::kNeverStarted;
  if (found->second.host_lost) return HostedState::kLost;
  return found->second.ends <= loop_.clock().mono() ? HostedState::kExited : HostedState::kRunning;
}

Result<std::unique_ptr<Followed>> SimWorld::start_or_attach(const process::HostRequest& request,
                                                            uint64_t out_offset, uint64_t,
                                                            process::FollowHandlers handlers) {
  const std::string folder = request.dir.native();
  const std::string name = request.dir.filename().native();
  auto found = machine_.processes.find(folder);
  if (found == machine_.processes.end()) {
    found =
        machine_.processes.emplace(folder, make_process(machine_.seed, name, loop_.clock().mono()))
            .first;
    ++found->second.starts;
    // What a contract's program checks is what an attempt left.
    found->second.is_attempt = request.env.contains("WAVE_IDEMPOTENCY_KEY");
    if (found->second.is_attempt) {
      machine_.last_launch[request.env.at("WAVE_STEP_ID")] = without_repeat(name);
    }
  }
  if (out_offset > found->second.output.size()) {
    machine_.broken.push_back(fmt::format("{}: followed from byte {} of {}", name, out_offset,
                                          found->second.output.size()));
  }
  auto followed =
      std::make_shared<SimFollowed>(machine_, loop_, folder, out_offset, std::move(handlers));
  followed->begin();
  return std::make_unique<Handle>(std::move(followed));
}

Result<workspace::Prepared> SimWorld::prepare_workspace(const workspace::Request& request) {
  const bool worktree = request.kind == model::Workspace::Kind::kWorktree;
  workspace::Prepared prepared;
  prepared.root = request.project / request.workspace_root / request.run_id /
                  (worktree ? "__wt_" + (request.branch.empty() ? request.step : request.branch)
                            : request.step);
  prepared.cwd = prepared.root;
  prepared.is_worktree = worktree;
  return prepared;
}

Result<workspace::InjectionResult> SimWorld::inject(
    const workspace::Prepared&, const std::vector<workspace::Injection>& artifacts) {
  for (const workspace::Injection& injection : artifacts) {
    std::error_code error;
    if (!std::filesystem::exists(injection.blob, error)) {
      machine_.broken.push_back("an injected artifact is not in the blob store: " + injection.name);
    }
  }
  return workspace::InjectionResult{};
}

Result<std::vector<workspace::CollectedFile>> SimWorld::collect(
    const workspace::Prepared& prepared, const std::string& step,
    const std::vector<workspace::Output>& outputs) {
  std::vector<workspace::CollectedFile> files;
  for (const workspace::Output& output : outputs) {
    const std::string launch = machine_.last_launch[step];
    workspace::CollectedFile file{.name = output.name,
                                  .path = machine_.files / (step + "-" + output.name)};
    file.missing = draw(machine_.seed, "missing:" + launch + output.name) % 10 == 0;
    if (!file.missing) std::ofstream(file.path) << launch << output.name;
    files.push_back(std::move(file));
  }
  (void)prepared;
  return files;
}

Result<std::optional<workspace::Checkpoint>> SimWorld::checkpoint(const workspace::Prepared&,
                                                                  const std::string& ref,
                                                                  const std::string&) {
  return workspace::Checkpoint{.ref = ref, .commit = "c0ffee", .tree = "tree"};
}

contract::Assessment SimWorld::evaluate(const contract::Context& context) {
  // A contract's verdict is on what the newest agent of any step left: the same when it is asked
  // again.
  std::string all;
  for (const auto& [step, launch] : machine_.last_launch) {
    if (context.workspace.filename() == step ||
        context.workspace.filename().native().starts_with("__wt_")) {
      all += launch + ";";
    }
  }
  const uint64_t fate =
      draw(machine_.seed, fmt::format("contract:{}:{}", all, context.contract->pos.line)) % 100;
  if (context.contract->type == "test_suite") {
    contract::Assessment assessment;
    assessment.job =
        contract::Job{.text = context.command, .dir = context.command_dir, .token = {}};
    return assessment;
  }
  contract::Verdict verdict;
  verdict.passed = fate < 75;
  verdict.evaluable = fate < 97;
  if (!verdict.passed) verdict.errors = {"simulated: it does not hold"};
  return {.verdict = std::move(verdict), .job = {}};
}

}  // namespace wave::sim

// Processes, workspaces and contracts that exist only in memory. What a process does depends on the
// seed and its folder's name alone; processes outlive the owner, and die with the machine.
#pragma once

#include <map>
#include <set>

#include "engine/world.h"
#include "sim_loop.h"
#include "sim_random.h"

namespace wave::sim {

/// What is outside of the server and survives its death.
struct Machine {
  struct Process {
    std::string name;    // its folder's
    std::string output;  // everything it will print
    MonoTime started{}, ends{};
    process::HostExit exit;
    bool stopped = false;  // asked to end
    bool host_lost = false;
    int starts = 0;
    bool is_attempt = false;  // not a contract's program, whose output no event holds
  };
  uint64_t seed = 0;
  std::map<std::string, Process> processes;        // by folder
  std::map<std::string, std::string> last_launch;  // step -> folder name of its newest agent
  std::filesystem::path files;                     // where artifacts' bytes really lie
  std::vector<std::string> broken;                 // laws that were broken
  uint64_t disk_looks = 0, disk_percent = 0;       // how many of a hundred looks find it full

  /// Power is lost: every process that still runs is gone without an exit.
  void lose_power(MonoTime now);
  [[nodiscard]] size_t running(MonoTime now) const;
};

class SimWorld final : public engine::World {
 public:
  SimWorld(Machine& machine, SimLoop& loop) : machine_(machine), loop_(loop) {}

  Result<std::unique_ptr<engine::Followed>> start_or_attach(
      const process::HostRequest& request, uint64_t out_offset, uint64_t err_offset,
      process::FollowHandlers handlers) override;
  process::HostedState inspect(const std::filesystem::path& dir) override;
  Status take_over(const std::filesystem::path&, const std::string&,
                   const std::stop_token&) override {
    return {};
  }
  Result<workspace::Prepared> prepare_workspace(const workspace::Request& request) override;
  Result<workspace::InjectionResult> inject(const workspace::Prepared&,
                                            const std::vector<workspace::Injection>&) override;
  Status clear_outputs(const workspace::Prepared&, const std::vector<workspace::Output>&) override {
    return {};
  }
  Result<std::vector<workspace::CollectedFile>> collect(
      const workspace::Prepared&, const std::string&,
      const std::vector<workspace::Output>&) override;
  Result<std::optional<workspace::Checkpoint>> checkpoint(const workspace::Prepared&,
                                                          const std::string& ref,
                                                          const std::string&) override;
  Status remove_locks(const workspace::Prepared&) override { return {}; }
  Status restore(const workspace::Prepared&, const std::string&) override { return {}; }
  Result<std::optional<std::string>> tree_id(const workspace::Prepared&) override {
    return std::optional<std::string>("tree");
  }
  Result<std::optional<std::string>> resolve(const workspace::Prepared&,
                                             const std::string& name) override {
    return std::optional<std::string>("object of " + name);
  }
  Result<std::string> diff_text(const workspace::Prepared&, const std::string&) override {
    return std::string("diff");
  }
  Status write_file(const std::filesystem::path&, const std::string&, const std::string&) override {
    return {};
  }
  contract::Assessment evaluate(const contract::Context& context) override;
  Status check_disk() override {
    const uint64_t look = machine_.disk_looks++;
    if (draw(machine_.seed, "disk:" + std::to_string(look)) % 100 >= machine_.disk_percent)
      return {};
    return fail(Code::kDiskFull, "63 MiB of disk are free, a step needs 1 GiB");
  }

 private:
  Machine& machine_;
  SimLoop& loop_;
};

}  // namespace wave::sim

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "agent/adapter.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/marked_processes.h"
#include "cli/style.h"
#include "model/project.h"
#include "process/host_life.h"
#include "process/hosted.h"
#include "process/proc_view.h"
#include "process/run_command.h"
#include "store/owner_lock.h"
#include "store/server_lock.h"
#include "workspace/workspace.h"

namespace wave::cli {
namespace {

/// "ok", "note" (good to know), "warning" (something may not work), "error" (runs will not work).
struct Finding {
  std::string name, category, status, message, fix;
};

class Doctor {
 public:
  explicit Doctor(Context& context) : context_(context) {}

  std::vector<Finding> examine() {
    check_manifest();
    check_git();
    check_adapters();
    check_state();
    check_disk();
    check_runs();
    check_processes();
    check_cgroup();
    tell_limits();
    return std::move(findings_);
  }

 private:
  void add(std::string name, std::string category, std::string status, std::string message,
           std::string fix = {}) {
    findings_.push_back({std::move(name), std::move(category), std::move(status),
                         std::move(message), std::move(fix)});
  }

  void check_manifest() {
    auto loaded =
        model::load_manifest(context_.files(), {.manifest_path = context_.manifest_path()});
    manifest_ = std::move(loaded.value);
    const model::Diagnostics all =
        model::validate_project(context_.files(), {.manifest_path = context_.manifest_path()});
    const auto errors =
        std::ranges::count(all, model::Severity::kError, &model::Diagnostic::severity);
    const auto unsupported =
        std::ranges::count(all, model::Severity::kUnsupported, &model::Diagnostic::severity);
    if (errors > 0) {
      add("manifest", "project", "error", fmt::format("the project has {} errors", errors),
          "wave validate (or wave init, in a new project)");
    } else if (unsupported > 0) {
      add("manifest", "project", "warning",
          fmt::format("{} things in it are not carried out by this version", unsupported),
          "wave validate names them");
    } else {
      add("manifest", "project", "ok", "the project validates");
    }
  }

  void check_git() {
    const std::string path = context_.variable("PATH").value_or("");
    if (!process::find_program("git", path)) {
      add("git", "project", "error", "git is not installed",
          "install it; worktrees, checkpoints and diffs need it");
      return;
    }
    const workspace::GitFacts facts = workspace::git_facts(context_.project());
    if (facts.is_bare) {
      add("git", "project", "warning",
          "this is a bare repository, without a checkout: steps with worktrees will fail",
          "run wave in a clone or a worktree of it: git worktree add ../work");
    } else if (!facts.is_repository) {
      add("git", "project", "warning", "this is no git repository: steps with worktrees will fail",
          "git init, then commit");
    } else if (facts.head.empty()) {
      add("git", "project", "warning", "the repository has no commit: worktrees need one",
          "git commit");
    } else {
      add("git", "project", "ok",
          fmt::format("on {}", facts.branch.empty() ? facts.head.substr(0, 12) : facts.branch));
    }
  }

  void check_adapters() {
    std::set<std::string> used;
    for (const auto& [name, persona] : manifest_.personas) used.insert(persona.adapter);
    for (const std::string& name : used) check_adapter(name);
  }

  void check_adapter(const std::string& name) {
    const agent::Adapter* adapter = agent::find_adapter(name);
    if (adapter == nullptr) {
      add("adapter " + name, "agents", "error",
          agent::is_known_elsewhere(name) ? "this version does not carry it out"
                                          : "there is no such adapter",
          "use another adapter for its personas");
      return;
    }
    std::string binary = adapter->info().binary;
    if (const auto configured = manifest_.adapters.find(name);
        configured != manifest_.adapters.end() && !configured->second.binary.empty()) {
      binary = configured->second.binary;
    }
    // The scripted adapter is wave itself, wherever it lies.
    if (binary.empty() || name == "scripted") {
      add("adapter " + name, "agents", "ok", "built in");
      return;
    }
    const auto found = process::find_program(binary, context_.variable("PATH").value_or(""));
    if (found) {
      add("adapter " + name, "agents", "ok", found->string());
    } else {
      add("adapter " + name, "agents", "error", binary + " is not in PATH",
          "install it, or name its full path as adapters." + name + ".binary");
    }
  }

  void check_state() {
    const fs::path state = context_.paths().state();
    std::error_code ignored;
    if (!fs::exists(state, ignored)) {
      add("state", "state", "ok", "nothing has been run here yet");
      return;
    }
    if (!fs::is_directory(state, ignored)) {
      add("state", "state", "error",
          state.string() + " is a file; wave's state needs a folder there", "move the file away");
      return;
    }
    if (is_network_filesystem(state)) {
      add("state", "state", "error", state.string() + " is on a network file system",
          "keep the project on a local disk");
      return;
    }
    struct stat facts{};
    if (::stat(state.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0) {
      add("state", "state", "warning", "others can read " + state.string(),
          "chmod 700 " + shell_quote(state.string()));
    }
    const auto store = context_.open_store(Access::kRead);
    if (store) {
      store_ = *store;
      add("database", "state", "ok", context_.paths().database().string());
    } else if (store.error().code == Code::kNotFound) {
      add("database", "state", "ok", "not created yet");
    } else if (store.error().reason == store::kStoreOlder) {
      add("database", "state", "warning", full_message(store.error()), store.error().hint);
    } else {
      add("database", "state", "error", full_message(store.error()), store.error().hint);
    }
  }

  void check_disk() {
    const Ground ground({context_.project(), context_.paths().state()});
    const auto room = ground.room();
    if (const Status takes = ground.check(); !takes) {
      add("disk", "machine", "error", full_message(takes.error()), takes.error().hint);
    } else if (room) {
      add("disk", "machine", "ok", format_size(static_cast<int64_t>(room->free_bytes)) + " free");
    }
  }

  void check_runs() {
    if (store_ == nullptr) return;
    const auto live = store_->live_runs();
    if (!live) {
      add("runs", "runs", "error", full_message(live.error()), live.error().hint);
      return;
    }
    if (const auto server = store::living_server(context_.paths())) {
      add("runs", "runs", "ok",
          fmt::format("{} live; the server (process {}) looks after them", live->size(),
                      server->pid));
      return check_agents(*live);
    }
    std::vector<std::string> orphans;
    for (const store::LiveRun& run : *live) {
      if (store::OwnerLock::is_held(context_.paths(), run.run_id)) continue;
      if (!flow::is_stopped(run.waiting_reason)) orphans.push_back(run.run_id);
    }
    if (orphans.empty()) {
      add("runs", "runs", "ok", fmt::format("{} live, none without an owner", live->size()));
    } else {
      add("runs", "runs", "warning", "without an owner: " + join(orphans, ", "),
          "wave resume " + orphans.front());
    }
    check_agents(*live);
  }

  /// Processes that carry an agent's marker and belong to no live run.
  void check_agents(const std::vector<store::LiveRun>& live) {
    std::set<std::string> known;
    for (const store::LiveRun& run : live) {
      std::error_code error;
      for (const fs::directory_entry& attempt :
           fs::directory_iterator(context_.paths().run(run.run_id), error)) {
        if (!attempt.is_directory(error)) continue;
        if (const auto meta = process::read_meta(attempt.path())) known.insert(meta->agent_id);
      }
    }
    std::vector<std::string> left;
    for (const auto& [agent, pids] : marked_processes()) {
      if (known.contains(agent)) continue;
      for (const int pid : pids) left.push_back(std::to_string(pid));
    }
    if (left.empty()) {
      add("agents", "runs", "ok", "no agent's process is left over");
    } else {
      add("agents", "runs", "warning",
          "processes of agents that belong to no live run of this project: " + join(left, ", "),
          "they may belong to another project; else: kill " + join(left, " "));
    }
  }

  /// wave recognizes its live processes by /proc, or by the locks that they hold.
  void check_processes() {
    using Kind = process::ProcView::Kind;
    const Kind kind = process::ProcView::now().kind();
    if (kind == Kind::kOwn) {
      add("processes", "machine", "ok", "/proc shows them");
      return;
    }
    std::error_code ignored;
    const fs::path state = context_.paths().state();
    const fs::path folder = fs::exists(state, ignored) ? state : context_.project();
    if (const auto able = process::check_supervision(folder); !able) {
      add("processes", "machine", "error", full_message(able.error()), able.error().hint);
    } else if (kind == Kind::kOuter) {
      add("processes", "machine", "note",
          "/proc belongs to an outer pid namespace: wave finds its processes there, other programs "
          "do not",
          "unshare --mount-proc, or: mount -t proc proc /proc");
    } else {
      add("processes", "machine", "warning",
          "/proc shows no processes: wave uses file locks to see which agents are running, but "
          "cannot find a process that leaves its agent's process group",
          "mount -t proc proc /proc");
    }
  }

  void check_cgroup() {
    const auto own = read_range("/proc/self/cgroup", 0, 65536);
    std::string folder;
    if (own) {
      for (const std::string& line : split(*own, '\n')) {
        if (line.starts_with("0::")) folder = "/sys/fs/cgroup" + line.substr(3);
      }
    }
    const bool writable = !folder.empty() &&
                          ::access((folder + "/cgroup.procs").c_str(), W_OK) == 0 &&
                          ::access(folder.c_str(), W_OK) == 0;
    if (writable) {
      add("cgroup", "machine", "ok", "agents get a cgroup of their own");
      return;
    }
    add("cgroup", "machine", "note",
        "no cgroup can be made here: processes that an agent started are found by the subreaper "
        "and "
        "by the WAVE_AGENT mark in their environment; one that cleared its environment and lost "
        "its "
        "host cannot be found",
        "run wave under systemd-run --user --scope -p Delegate=yes, where that exists");
  }

  void tell_limits() {
    add("self-decision", "limits", "note",
        "an agent that answers gates is recognised by WAVE_AGENT in its environment or above it; "
        "one "
        "that clears it and leaves its process tree, or asks another machine to do it, is not");
  }

  Context& context_;
  model::Manifest manifest_;
  store::Store* store_ = nullptr;
  std::vector<Finding> findings_;
};

Ink ink_of(const std::string& status) {
  if (status == "ok") return Ink::kGood;
  if (status == "error") return Ink::kBad;
  return status == "warning" ? Ink::kWait : Ink::kFaint;
}

}  // namespace

Result<int> run_doctor(Context& context, const DoctorOptions&) {
  const std::vector<Finding> findings = Doctor(context).examine();
  const auto errors = std::ranges::count(findings, "error", &Finding::status);
  const auto warnings = std::ranges::count(findings, "warning", &Finding::status);
  const std::string summary = fmt::format("{} errors, {} warnings", errors, warnings);
  if (context.json()) {
    json::array results;
    for (const Finding& finding : findings) {
      results.push_back(json::object{{"name", finding.name},
                                     {"category", finding.category},
                                     {"status", finding.status},
                                     {"message", finding.message},
                                     {"fix", finding.fix}});
    }
    context.print_json(json::object{{"results", std::move(results)}, {"summary", summary}});
    return errors > 0 ? 1 : 0;
  }
  const Style style(context.colors());
  for (const Finding& finding : findings) {
    if (context.quiet() && finding.status == "ok") continue;
    context.print(fmt::format("{}  {}: {}\n",
                              style.paint(ink_of(finding.status), fit_padded(finding.status, 7)),
                              finding.name, printable(finding.message)));
    if (!finding.fix.empty()) context.print("         " + printable(finding.fix) + "\n");
  }
  context.print(summary + "\n");
  return errors > 0 ? 1 : 0;
}

}  // namespace wave::cli

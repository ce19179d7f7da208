// The warm launcher: a small process forked at start, before any thread exists, that forks
// agent-hosts on request. A host forked from it is born in microseconds and inherits none of our
// descriptors.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace wave::process {

/// What a host is to start and keep. `dir` is the attempt's folder (StatePaths::attempt): the host
/// writes out, err (spools, mode 0600), meta (before the program starts) and exit (when all of it
/// has ended).
struct HostRequest {
  std::filesystem::path dir;
  std::string agent_id;           // becomes WAVE_AGENT in the environment: how strays are found
  std::vector<std::string> argv;  // argv[0] is searched in PATH of `env`
  std::map<std::string, std::string> env;  // the whole environment
  std::filesystem::path cwd;
  std::string stdin_text;            // written to <dir>/in and given as stdin; empty: /dev/null
  Millis timeout{0};                 // 0: none
  Millis grace{3'000};               // between SIGTERM and SIGKILL
  uint64_t max_output = 1ull << 30;  // of each spool; beyond it the host ends the program
  std::filesystem::path
      owner_lock;              // while nobody holds it for `unattended_limit`, the host ends the
  Millis unattended_limit{0};  // program; 0: never
  bool use_cgroup = true;      // a cgroup of its own, where cgroup v2 lets us make one
};

/// How a hosted program ended, as the host wrote it to <dir>/exit.
struct HostExit {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  /// exited, timeout, stopped (asked to), output_limit, unattended, spawn_failed, host_lost
  std::string reason = "exited";
  std::string message;      // spawn_failed: what exec said
  std::vector<int> leaked;  // processes that SIGKILL did not end
  Millis duration{0};       // of the program itself, without what it left behind
  uint64_t out_bytes = 0, err_bytes = 0;
  uint64_t limit = 0;  // output_limit: how much each spool may hold
  /// The disk of the spools had no room for a moment or longer: what the program printed meanwhile,
  /// or wrote elsewhere on that disk, may be missing.
  bool disk_ran_out = false;
};

/// What a host wrote to <dir>/meta: enough to find it again.
struct HostMeta {
  int host_pid = 0, pid = 0;
  uint64_t host_start_time = 0;  // clock ticks since boot, from /proc/<pid>/stat: tells reused pids
  uint64_t start_time = 0;       // the same of the program; 0 with pid 0: it could not be started
  std::string boot_id, agent_id;
  std::string cgroup;         // the folder of the agent's own cgroup v2; empty: it has none
  bool locked = false;        // the host holds a lock on its meta as long as it lives
  std::filesystem::path dir;  // the attempt's folder, where it was read; not written
  // What the host keeps, for those who follow it and find that it does not.
  Millis grace{3'000};
  Millis started{0};        // on the monotonic clock of this boot; 0: not known
  Millis deadline{0};       // on the same; 0: none
  uint64_t max_output = 0;  // 0: not known
};

/// One per process, created first thing in main. A second process stands by: a launcher that is
/// stopped, traced or killed is replaced by it, and the next one stands by then. Thread: any for
/// `launch`, which waits for the host's answer (a millisecond or so); the owner's for the rest. A
/// loop uses `LoopLaunch` (loop_launch.h), which never waits.
class Launcher {
 public:
  /// Forks the launcher and the one that stands by. Call before any thread is started.
  static Result<Launcher> start();
  Launcher(Launcher&&) noexcept;
  Launcher& operator=(Launcher&&) noexcept;
  ~Launcher();  // lets the launcher processes go; hosts live on

  /// Starts a host; returns when the host has written meta. A program that cannot be executed
  /// (missing, no such cwd) is no error of launch: it is an exit with reason spawn_failed, like
  /// every other end. An error means that nothing was started: kConflict (the folder has a meta:
  /// something was started in it before), kUsage and kLimit (the request), kIo, kDiskFull ... (the
  /// folder), kInterrupted (no launcher is left). After kTimeout (nobody answered) something may
  /// start in the folder later: `inspect` tells, and another launch in the same folder is safe.
  Result<HostMeta> launch(const HostRequest& request);

  /// The process that takes requests now; 0 when there is none. For tests.
  [[nodiscard]] int pid() const;

 private:
  friend class Launching;
  struct Impl;
  explicit Launcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wave::process

// The warm launcher: a small process forked at start, before any thread exists, that forks
// agent-hosts on request. A host forked from it is born in microseconds and inherits none of our
// descriptors.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
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
};

/// What a host wrote to <dir>/meta: enough to find it again.
struct HostMeta {
  int host_pid = 0, pid = 0;
  uint64_t host_start_time = 0;  // clock ticks since boot, from /proc/<pid>/stat: tells reused pids
  uint64_t start_time = 0;       // the same of the program; 0 with pid 0: it could not be started
  std::string boot_id, agent_id;
  std::string cgroup;  // the folder of the agent's own cgroup v2; empty: it has none
};

/// One per process, created first thing in main. Thread: any for `launch`, which waits for the
/// host's answer (a millisecond or so); the owner's for the rest.
class Launcher {
 public:
  /// Forks the launcher process. Call before any thread is started.
  static Result<Launcher> start();
  Launcher(Launcher&&) noexcept;
  Launcher& operator=(Launcher&&) noexcept;
  ~Launcher();  // lets the launcher process go; hosts live on

  /// Starts a host; returns when the host has written meta. A program that cannot be executed
  /// (missing, no such cwd) is no error of launch: it is an exit with reason spawn_failed, like
  /// every other end. An error means that nothing was started: kConflict (the folder has a meta:
  /// something was started in it before), kUsage and kLimit (the request), kIo, kDiskFull ... (the
  /// folder), kInterrupted (the launcher is gone); with kTimeout (no answer within 30 s) `inspect`
  /// tells whether it was.
  Result<HostMeta> launch(const HostRequest& request);

 private:
  explicit Launcher(UniqueFd socket, int pid) : socket_(std::move(socket)), pid_(pid) {}
  UniqueFd socket_;
  int pid_ = 0;
};

}  // namespace wave::process

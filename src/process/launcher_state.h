// The launcher processes of an owner: one that takes requests, one that stands by. The invariant:
// `generation` names the one that takes requests, and whoever finds it dead or deaf may replace it
// once, whoever else has found that too.
#pragma once

#include <mutex>
#include <vector>

#include "base/file.h"
#include "process/launcher.h"

namespace wave::process {

struct Launcher::Impl {
  struct Helper {
    UniqueFd socket;
    UniqueFd pid_pipe;  // of one that another launcher forked: tells its pid
    int pid = 0;        // our child, so that the number stays its own until we wait for it
  };

  /// Only before any thread exists.
  static Result<Helper> fork_one();

  struct Sent {
    uint64_t generation = 0;
    bool sent = false;  // false: the launcher's socket is full
  };

  /// Sends a request. kInterrupted: no launcher is left.
  Result<Sent> send(int request_file, int reply);
  /// A launcher has taken a request.
  void note_taken(uint64_t generation, MonoTime when);
  /// When the launcher last took a request, if it did.
  MonoTime last_taken(uint64_t generation);
  /// Lets a launcher go on that somebody has stopped. True when it is stopped.
  bool wake(uint64_t generation);
  /// Ends a launcher that does not answer; the other one takes its place.
  void replace(uint64_t generation);

  void promote_standby();  // these hold the lock already
  void ask_for_standby();
  static void learn_pid(Helper& helper);
  void let_go(Helper& helper);

  std::mutex mutex;
  uint64_t generation = 1;
  Helper active, standby;
  MonoTime taken_at{};     // by `active`
  std::vector<int> ended;  // to be waited for
};

}  // namespace wave::process

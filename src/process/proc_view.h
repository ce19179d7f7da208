// What the mounted /proc shows of us. It may be of our own pid namespace, of one around it (after
// `unshare --pid` without a new /proc), or show no processes at all. Pids of ours mean something
// else in a /proc of another namespace: everything that reads /proc goes through here.
#pragma once

#include <optional>
#include <string>

namespace wave::process {

class ProcView {
 public:
  enum class Kind {
    kOwn,    // its numbers are our pids
    kOuter,  // it is of a namespace around ours: the same processes under other numbers
    kNone    // it shows no processes, or only those of others
  };

  /// Looks at /proc as it is now.
  static ProcView now();

  [[nodiscard]] Kind kind() const { return kind_; }
  /// What /proc calls one of our processes; nothing when it does not show it.
  [[nodiscard]] std::optional<int> number_of(int pid) const;
  /// "/proc/<number>/<file>" of one of our processes; empty when it is not shown.
  [[nodiscard]] std::string path(int pid, const char* file) const;
  /// Our pid of the process that /proc calls `number`; nothing when it is not in our namespace.
  [[nodiscard]] std::optional<int> pid_of(int number) const;

 private:
  ProcView(Kind kind, size_t level) : kind_(kind), level_(level) {}
  Kind kind_;
  size_t level_;  // of our namespace, below that of /proc
};

}  // namespace wave::process

// For tests: a process held as a debugger holds it. SIGCONT does not let it go on.
#pragma once

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

namespace wave::process {

/// Held until the object goes, or it is killed.
class Traced {
 public:
  explicit Traced(int pid) : pid_(pid) {
    EXPECT_EQ(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr), 0);
    EXPECT_EQ(::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr), 0);
    EXPECT_EQ(::waitpid(pid, nullptr, __WALL), pid);
  }
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;
  ~Traced() {
    // If it has been killed, nobody else learns of its end before we have.
    if (::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr) != 0) ::waitpid(pid_, nullptr, __WALL);
  }

 private:
  int pid_;
};

}  // namespace wave::process

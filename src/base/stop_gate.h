// When this process may be suspended by its terminal.
//
// Ctrl-Z (SIGTSTP, also SIGTTIN and SIGTTOU) stops a process wherever it is, and one that stands in
// a transaction keeps the database from everybody else. Invariant: with the gate installed, the
// process does not stop by these signals while a NoStop lives; it stops as soon as none does, and
// none begins until it goes on. The signals are caught, so no thread has to block them. SIGSTOP
// cannot be caught: see docs/storage.md.
#pragma once

namespace wave {

/// Catches the stop signals that have their default effect. Call once, before threads. Programs
/// started from here get the default effect back.
void install_stop_gate();

/// While one lives, stop signals wait. Brief: the user waits as well. Not within another one.
/// Thread: any.
class NoStop {
 public:
  NoStop();
  ~NoStop();
  NoStop(const NoStop&) = delete;
  NoStop& operator=(const NoStop&) = delete;
};

}  // namespace wave

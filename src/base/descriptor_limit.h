// How many files this process may have open (RLIMIT_NOFILE).
//
// The soft limit is usually 1024 for the sake of programs that use select(2). This one does not, so
// it takes all that the hard limit allows; programs that it starts get back what it was started
// with. Programs started by the launcher never see the change, as the launcher is forked before.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace wave {

/// Raises the soft limit to the hard one. Once, before threads start.
void raise_descriptor_limit();
/// How many there may be now.
size_t descriptor_limit();
/// Gives a program that has just been started the limit from before raise_descriptor_limit.
void restore_descriptor_limit(pid_t child);

/// Puts the limit from before back for as long as it lives: for a program that looks at its limit
/// first thing. Only where no other thread opens files.
class FirstDescriptorLimit {
 public:
  FirstDescriptorLimit();
  ~FirstDescriptorLimit();
  FirstDescriptorLimit(const FirstDescriptorLimit&) = delete;
  FirstDescriptorLimit& operator=(const FirstDescriptorLimit&) = delete;

 private:
  size_t raised_;
};

}  // namespace wave

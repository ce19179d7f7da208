// What a failed system call means for the caller. This is the only place that sorts errno values:
// every module decides by the kind, never by errno, so that a shortage is never taken for absence.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace wave {

enum class SystemFault {
  kAbsent,  // what was named does not exist
  kDenied,  // permissions forbid it
  kScarce,  // the machine is short of descriptors, memory or processes: passes by itself
  kNoRoom,  // the disk, a quota or a limit on file size is used up: passes when room is made
  kBroken,  // storage fails, is read-only or went away: passes when it is repaired or mounted again
  kOther,
};

SystemFault system_fault(int err);
/// kNotFound, kPermissionDenied, kScarce, kDiskFull, kDiskError; kIo for anything else.
Code fault_code(SystemFault fault);
/// What to do about it; empty where only the context knows.
std::string_view fault_hint(SystemFault fault);
/// The same for other programs (git, sh), which report errno as English text (LC_ALL=C). Only the
/// faults of the machine: kScarce, kNoRoom, kBroken. Use it on a program's own complaints only: the
/// output of an agent may contain such words for its own reasons.
std::optional<SystemFault> fault_in_message(std::string_view text);

/// Whether the machine, and not what was asked for, is the reason (kScarce, kDiskFull, kDiskError):
/// wait and try again, or refuse new work as such; never an answer to "does it exist", never the
/// end of an accepted run.
bool is_shortage(Code code);
inline bool is_shortage(const Error& error) {
  return is_shortage(error.code);
}

/// Remembers `error` for the watches of this thread, if it is a shortage. errno_error does so
/// itself; call it where an error comes about in another way.
void note_shortage(const Error& error);

/// What this thread saw fail for a shortage since the watch was made. Much code rightly turns
/// "could not open it" into "there is none" and goes on; whoever acts on the outcome of such code
/// asks here first. Thread: the one that made it.
class ShortageWatch {
 public:
  ShortageWatch();
  /// The last one.
  [[nodiscard]] std::optional<Error> seen() const;
  /// The shortage, if there was one: it is the reason for whatever went wrong. Else `error`.
  [[nodiscard]] Error behind(Error error) const;

 private:
  uint64_t before_;
};

}  // namespace wave

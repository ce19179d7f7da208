#include "base/system_fault.h"

#include <array>
#include <cerrno>

namespace wave {
namespace {

struct FaultText {
  std::string_view text;
  SystemFault fault;
};

// The C library's words for the values below, and what git and sh say of themselves.
constexpr std::array kFaultTexts{
    FaultText{"Resource temporarily unavailable", SystemFault::kScarce},
    FaultText{"Too many open files", SystemFault::kScarce},  // EMFILE, and ENFILE "in system"
    FaultText{"Cannot allocate memory", SystemFault::kScarce},
    FaultText{"No buffer space available", SystemFault::kScarce},
    FaultText{"out of memory", SystemFault::kScarce},
    FaultText{"Out of memory", SystemFault::kScarce},
    FaultText{"unable to create thread", SystemFault::kScarce},
    FaultText{"cannot fork", SystemFault::kScarce},
    FaultText{"Cannot fork", SystemFault::kScarce},
    FaultText{"No space left on device", SystemFault::kNoRoom},
    FaultText{"Disk quota exceeded", SystemFault::kNoRoom},
    FaultText{"File too large", SystemFault::kNoRoom},
    FaultText{"Input/output error", SystemFault::kBroken},
    FaultText{"Read-only file system", SystemFault::kBroken},
    FaultText{"Stale file handle", SystemFault::kBroken},
    FaultText{"Transport endpoint is not connected", SystemFault::kBroken},
    FaultText{"Structure needs cleaning", SystemFault::kBroken},
};

// Per thread, since work does not change threads while it runs.
struct SeenShortages {
  uint64_t count = 0;
  Error last;
};
thread_local SeenShortages seen_here;

}  // namespace

SystemFault system_fault(int err) {
  switch (err) {
    case ENOENT:
      return SystemFault::kAbsent;
    case EACCES:
    case EPERM:
      return SystemFault::kDenied;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:  // fork, clone, mlock: a limit on processes or memory
      return SystemFault::kScarce;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:  // a limit on the size of files (RLIMIT_FSIZE)
      return SystemFault::kNoRoom;
    case EIO:
    case EROFS:
    case ESTALE:    // a network file system whose server restarted
    case ENODEV:    // its device was removed
    case ENOTCONN:  // a FUSE mount whose process ended
    case EUCLEAN:   // the file system found itself damaged
      return SystemFault::kBroken;
    default:
      return SystemFault::kOther;
  }
}

Code fault_code(SystemFault fault) {
  switch (fault) {
    case SystemFault::kAbsent:
      return Code::kNotFound;
    case SystemFault::kDenied:
      return Code::kPermissionDenied;
    case SystemFault::kScarce:
      return Code::kScarce;
    case SystemFault::kNoRoom:
      return Code::kDiskFull;
    case SystemFault::kBroken:
      return Code::kDiskError;
    case SystemFault::kOther:
      return Code::kIo;
  }
  return Code::kIo;
}

std::string_view fault_hint(SystemFault fault) {
  switch (fault) {
    case SystemFault::kScarce:
      return "the machine is short of file descriptors, memory or processes: free some or raise "
             "the limit (ulimit -n, ulimit -u), then try again";
    case SystemFault::kNoRoom:
      return "free disk space, then try again";
    case SystemFault::kBroken:
      return "check the disk and its mount (dmesg, mount), then try again";
    default:
      return {};
  }
}

std::optional<SystemFault> fault_in_message(std::string_view text) {
  for (const FaultText& known : kFaultTexts) {
    if (text.contains(known.text)) return known.fault;
  }
  return std::nullopt;
}

bool is_shortage(Code code) {
  return code == Code::kScarce || code == Code::kDiskFull || code == Code::kDiskError;
}

void note_shortage(const Error& error) {
  if (!is_shortage(error)) return;
  ++seen_here.count;
  seen_here.last = error;
}

ShortageWatch::ShortageWatch() : before_(seen_here.count) {}

std::optional<Error> ShortageWatch::seen() const {
  if (seen_here.count == before_) return std::nullopt;
  return seen_here.last;
}

Error ShortageWatch::behind(Error error) const {
  if (is_shortage(error)) return error;
  return seen().value_or(std::move(error));
}

}  // namespace wave

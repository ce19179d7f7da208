// The files of an attempt's folder (docs/storage.md): in, out, err, meta, exit. meta says that a
// program may have been started, and is created exactly once; exit says that all of it has ended.
#pragma once

#include <string>

#include "base/file.h"
#include "process/launcher.h"

namespace wave::process {

/// Asks a host that cannot be signalled to end its program: "term" or "now".
inline constexpr const char* kStopFile = "stop";
/// A byte of the spools, far beyond their end, that is locked by all who have inherited them.
inline constexpr off_t kSpoolLock = off_t{1} << 60;

/// How large meta and exit may be.
inline constexpr uint64_t kMaxAttemptFile = 1 << 20;

std::string encode_meta(const HostMeta& meta);
Result<HostMeta> decode_meta(std::string_view text);
std::string encode_exit(const HostExit& exit);
Result<HostExit> decode_exit(std::string_view text);

/// Creates <dir>/meta with all of its content at once. kConflict when there is one: of two hosts
/// that race for a folder, one wins.
Status create_meta(const fs::path& dir, const HostMeta& meta);
/// The same for a host: sets `meta.locked` if it could lock the file. The descriptor keeps the
/// lock, by which others see that the host lives. It is lost when the process closes any descriptor
/// of that file (fcntl(2)): open it nowhere else.
Result<UniqueFd> create_locked_meta(const fs::path& dir, HostMeta& meta);
/// Creates or replaces <dir>/exit so that no reader sees half of it. Not synced: a machine that
/// goes down interrupts the step anyway.
Status write_exit(const fs::path& dir, const HostExit& exit);

}  // namespace wave::process

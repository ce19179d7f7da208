#include "process/attempt_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/json.h"
#include "base/text.h"

namespace wave::process {
namespace {

constexpr int kVersion = 1;

/// A name that nobody else uses.
fs::path temporary_name(const fs::path& target) {
  fs::path temporary = target;
  temporary += fmt::format(".{}", ::getpid());
  return temporary;
}

/// A file to be moved into its place when it is complete.
Result<fs::path> write_beside(const fs::path& target, std::string_view text) {
  fs::path temporary = temporary_name(target);
  if (auto written = write_file(temporary, text, 0600); !written) {
    ::unlink(temporary.c_str());
    return fail(written.error());
  }
  return temporary;
}

/// Renames unless `to` exists; errno on failure.
bool move_exclusively(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // File systems without RENAME_NOREPLACE: link(2) refuses an existing name as well.
  if (::link(from.c_str(), to.c_str()) != 0) return false;
  ::unlink(from.c_str());
  return true;
}

/// Makes a complete file the folder's meta, if it has none.
Status take_meta(const fs::path& dir, const fs::path& temporary) {
  if (move_exclusively(temporary, dir / "meta")) return {};
  const int error = errno;
  ::unlink(temporary.c_str());
  if (error != EEXIST) return fail(errno_error(error, "cannot create", (dir / "meta").native()));
  return fail(Code::kConflict, fmt::format("something was started in {} before", dir.native()));
}

Result<json::object> parse_record(std::string_view text, std::string_view what) {
  WAVE_TRY(json::value value, parse_json(text, 8));
  if (!value.is_object()) {
    return fail(Code::kInternal, fmt::format("the {} of an attempt is not a JSON object", what));
  }
  const int64_t version = get_int(value.get_object(), "v");
  if (version != kVersion) {
    return fail(Code::kUnsupported,
                fmt::format("the {} of an attempt has version {}, and this wave reads version {}",
                            what, version, kVersion),
                "use the version of wave that started the run");
  }
  return std::move(value.get_object());
}

}  // namespace

std::string encode_meta(const HostMeta& meta) {
  return dump_json(json::object{{"v", kVersion},
                                {"host_pid", meta.host_pid},
                                {"host_start_time", meta.host_start_time},
                                {"pid", meta.pid},
                                {"start_time", meta.start_time},
                                {"boot_id", meta.boot_id},
                                {"agent_id", meta.agent_id},
                                {"cgroup", meta.cgroup},
                                {"locked", meta.locked},
                                {"grace_ms", meta.grace.count()},
                                {"started_ms", meta.started.count()},
                                {"deadline_ms", meta.deadline.count()},
                                {"max_output", meta.max_output}});
}

Result<HostMeta> decode_meta(std::string_view text) {
  WAVE_TRY(const json::object record, parse_record(text, "meta"));
  HostMeta meta;
  meta.host_pid = static_cast<int>(get_int(record, "host_pid"));
  meta.host_start_time = static_cast<uint64_t>(get_int(record, "host_start_time"));
  meta.pid = static_cast<int>(get_int(record, "pid"));
  meta.start_time = static_cast<uint64_t>(get_int(record, "start_time"));
  meta.boot_id = get_string(record, "boot_id");
  meta.agent_id = get_string(record, "agent_id");
  meta.cgroup = get_string(record, "cgroup");
  meta.locked = get_bool(record, "locked");
  meta.grace = Millis(get_int(record, "grace_ms", meta.grace.count()));
  meta.started = Millis(get_int(record, "started_ms"));
  meta.deadline = Millis(get_int(record, "deadline_ms"));
  meta.max_output = static_cast<uint64_t>(get_int(record, "max_output"));
  return meta;
}

std::string encode_exit(const HostExit& exit) {
  return dump_json(json::object{{"v", kVersion},
                                {"exit_code", exit.exit_code},
                                {"signal", exit.signal},
                                {"reason", exit.reason},
                                {"message", to_valid_utf8(exit.message)},
                                {"leaked", json::array(exit.leaked.begin(), exit.leaked.end())},
                                {"duration_ms", exit.duration.count()},
                                {"out_bytes", exit.out_bytes},
                                {"err_bytes", exit.err_bytes},
                                {"limit", exit.limit},
                                {"disk_ran_out", exit.disk_ran_out}});
}

Result<HostExit> decode_exit(std::string_view text) {
  WAVE_TRY(const json::object record, parse_record(text, "exit"));
  HostExit exit;
  exit.exit_code = static_cast<int>(get_int(record, "exit_code", -1));
  exit.signal = static_cast<int>(get_int(record, "signal"));
  exit.reason = get_string(record, "reason");
  exit.message = get_string(record, "message");
  for (const json::value& pid : get_array(record, "leaked")) {
    if (pid.is_int64()) exit.leaked.push_back(static_cast<int>(pid.get_int64()));
  }
  exit.duration = Millis(get_int(record, "duration_ms"));
  exit.out_bytes = static_cast<uint64_t>(get_int(record, "out_bytes"));
  exit.err_bytes = static_cast<uint64_t>(get_int(record, "err_bytes"));
  exit.limit = static_cast<uint64_t>(get_int(record, "limit"));
  exit.disk_ran_out = get_bool(record, "disk_ran_out");
  return exit;
}

Status create_meta(const fs::path& dir, const HostMeta& meta) {
  WAVE_TRY(const fs::path temporary, write_beside(dir / "meta", encode_meta(meta)));
  return take_meta(dir, temporary);
}

Result<UniqueFd> create_locked_meta(const fs::path& dir, HostMeta& meta) {
  const fs::path temporary = temporary_name(dir / "meta");
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
  WAVE_TRY(UniqueFd file, open_file(temporary, flags, 0600));
  // A record lock of fcntl(2): children do not inherit it, and whoever asks is told its holder.
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  meta.locked = ::fcntl(file.get(), F_SETLK, &lock) == 0;
  if (auto written = write_all(file.get(), encode_meta(meta)); !written) {
    ::unlink(temporary.c_str());
    return fail(written.error().wrapped("cannot write " + temporary.native()));
  }
  WAVE_CHECK(take_meta(dir, temporary));
  return file;
}

Status write_exit(const fs::path& dir, const HostExit& exit) {
  WAVE_TRY(const fs::path temporary, write_beside(dir / "exit", encode_exit(exit)));
  if (::rename(temporary.c_str(), (dir / "exit").c_str()) == 0) return {};
  const int error = errno;
  ::unlink(temporary.c_str());
  return fail(errno_error(error, "cannot create", (dir / "exit").native()));
}

}  // namespace wave::process

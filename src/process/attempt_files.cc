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

/// A file that nobody else writes, to be moved into its place when it is complete.
Result<fs::path> write_beside(const fs::path& target, std::string_view text) {
  fs::path temporary = target;
  temporary += fmt::format(".{}", ::getpid());
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
                                {"cgroup", meta.cgroup}});
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
                                {"err_bytes", exit.err_bytes}});
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
  return exit;
}

Status create_meta(const fs::path& dir, const HostMeta& meta) {
  WAVE_TRY(const fs::path temporary, write_beside(dir / "meta", encode_meta(meta)));
  if (move_exclusively(temporary, dir / "meta")) return {};
  const int error = errno;
  ::unlink(temporary.c_str());
  if (error != EEXIST) return fail(errno_error(error, "cannot create", (dir / "meta").native()));
  return fail(Code::kConflict, fmt::format("something was started in {} before", dir.native()));
}

Status write_exit(const fs::path& dir, const HostExit& exit) {
  WAVE_TRY(const fs::path temporary, write_beside(dir / "exit", encode_exit(exit)));
  if (::rename(temporary.c_str(), (dir / "exit").c_str()) == 0) return {};
  const int error = errno;
  ::unlink(temporary.c_str());
  return fail(errno_error(error, "cannot create", (dir / "exit").native()));
}

}  // namespace wave::process

#include "model/file_source.h"

#include <system_error>

#include "base/file.h"
#include "base/system_fault.h"
#include "base/text.h"

namespace wave::model {
namespace {

// One spelling per file, so that a recording holds each file once: no ".", no doubled slashes.
// kPathEscape for absolute paths and "..".
Result<std::string> normal_path(std::string_view path) {
  const auto refuse = [&] {
    return fail(Code::kPathEscape, fmt::format("\"{}\" leads out of the project", path),
                "use a path relative to the project, without \"..\"");
  };
  if (path.starts_with('/') || path.contains('\0')) return refuse();
  std::string normal;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse();
    if (!normal.empty()) normal += '/';
    normal += part;
  }
  return normal;
}

Status check_size(std::string_view path, uint64_t size) {
  if (size <= FileSource::kMaxBytes) return {};
  return fail(Code::kLimit, fmt::format("{} is larger than {} bytes", path, FileSource::kMaxBytes),
              "split the file");
}

std::unexpected<Error> not_found(std::string_view path) {
  return fail(Code::kNotFound, fmt::format("there is no file {}", path));
}

}  // namespace

Result<std::string> DiskSource::read(std::string_view path) const {
  WAVE_TRY(const std::string normal, normal_path(path));
  WAVE_TRY(const fs::path real, path_within(root_, normal));
  WAVE_TRY(const fs::file_type type, look_at(real));
  if (type == fs::file_type::not_found) return not_found(path);
  if (type == fs::file_type::directory) {
    return fail(Code::kNotFound, fmt::format("{} is a folder, not a file", path));
  }
  return read_file(real, kMaxBytes);
}

std::vector<std::string> DiskSource::list(std::string_view path) const {
  std::vector<std::string> names;
  const Result<std::string> normal = normal_path(path);
  if (!normal) return names;
  const Result<fs::path> real = path_within(root_, *normal);
  if (!real) return names;
  std::error_code error;
  fs::directory_iterator entries(*real, error);
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    std::error_code status_error;
    if (entries->is_regular_file(status_error)) names.push_back(entries->path().filename());
  }
  if (error) note_shortage(errno_error(error.value(), "cannot list", path));
  std::ranges::sort(names);
  return names;
}

Result<std::string> MemorySource::read(std::string_view path) const {
  WAVE_TRY(const std::string normal, normal_path(path));
  const auto found = files_.find(normal);
  if (found == files_.end()) return not_found(path);
  WAVE_CHECK(check_size(path, found->second.size()));
  return found->second;
}

std::vector<std::string> MemorySource::list(std::string_view path) const {
  std::vector<std::string> names;
  const Result<std::string> normal = normal_path(path);
  if (!normal) return names;
  const std::string prefix = normal->empty() ? "" : *normal + "/";
  for (auto at = files_.lower_bound(prefix); at != files_.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    const std::string_view rest = std::string_view(at->first).substr(prefix.size());
    if (!rest.contains('/')) names.emplace_back(rest);
  }
  return names;
}

Result<std::string> OverlaySource::read(std::string_view path) const {
  if (const auto found = files_.find(std::string(path)); found != files_.end()) {
    return found->second;
  }
  return inner_.read(path);
}

std::vector<std::string> OverlaySource::list(std::string_view path) const {
  std::vector<std::string> names = inner_.list(path);
  for (const auto& [file, text] : files_) {
    const size_t slash = file.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : file.substr(0, slash);
    if (folder == path) names.push_back(file.substr(slash == std::string::npos ? 0 : slash + 1));
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

Result<std::string> RecordingSource::read(std::string_view path) const {
  WAVE_TRY(std::string normal, normal_path(path));
  const std::lock_guard lock(mutex_);
  if (const auto found = files_.find(normal); found != files_.end()) return found->second;
  WAVE_TRY(std::string text, inner_.read(normal));
  return files_.emplace(std::move(normal), std::move(text)).first->second;
}

std::vector<std::string> RecordingSource::list(std::string_view path) const {
  return inner_.list(path);
}

std::map<std::string, std::string> RecordingSource::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

}  // namespace wave::model

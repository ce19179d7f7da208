#include "workspace/copy_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/system_fault.h"
#include "workspace/copy_file.h"
#include "workspace/list_folder.h"

namespace wave::workspace {
namespace {

constexpr off_t kMaxFile = off_t{10} << 20;
constexpr uint64_t kMaxFiles = 500'000;
constexpr uint64_t kMaxBytes = uint64_t{8} << 30;
constexpr int kMaxCopyDepth = 200;

// Never sources: what tools fetch or remember, and what belongs to wave and the agents.
constexpr std::array<std::string_view, 3> kOurs{".git", ".agents", ".claude"};
constexpr std::array<std::string_view, 15> kNever{
    "node_modules", ".cache", "__pycache__",   ".pytest_cache", ".mypy_cache",
    ".ruff_cache",  ".tox",   ".venv",         ".gradle",       ".next",
    ".nuxt",        ".turbo", ".parcel-cache", ".ccache",       ".nyc_output"};
// Sources or results, depending on the project: git knows.
constexpr std::array<std::string_view, 5> kMaybe{"build", "dist", "vendor", "coverage", "target"};

bool contains(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// A link in a loop, or one that may not be followed, is left out; a disk that fails is no answer.
Result<bool> link_fault(const std::error_code& error, const fs::path& link) {
  Error fault = errno_error(error.value(), "cannot follow", link.native());
  if (is_shortage(fault)) return fail(std::move(fault));
  return true;
}

Result<bool> leads_out(const fs::path& link, const fs::path& source) {
  std::error_code error;
  const fs::path text = fs::read_symlink(link, error);
  if (error) return link_fault(error, link);
  if (text.is_absolute()) return true;
  const fs::path real = fs::weakly_canonical(link.parent_path() / text, error);
  if (error) return link_fault(error, link);
  const fs::path inside = real.lexically_relative(source);
  return inside.empty() || *inside.begin() == "..";
}

class TreeCopy {
 public:
  explicit TreeCopy(const CopyRules& rules) : rules_(rules) {}

  Status folder(const fs::path& from, const fs::path& to, int depth) {
    if (depth > kMaxCopyDepth) {
      return fail(Code::kLimit,
                  fmt::format("{} is nested too deeply to be mounted", from.native()));
    }
    WAVE_TRY(const std::vector<fs::path> entries, list_folder(from));
    for (const fs::path& entry : entries) WAVE_CHECK(one(entry, to / entry.filename(), depth));
    return {};
  }

  [[nodiscard]] const CopyCount& count() const { return count_; }

 private:
  Status one(const fs::path& from, const fs::path& to, int depth) {
    if (rules_.stop.stop_requested()) return fail(Code::kInterrupted, "the copy was interrupted");
    struct stat info{};
    // Gone since it was listed: the project lives on while it is copied.
    if (::lstat(from.c_str(), &info) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return fail(errno_error(errno, "cannot look at", from.native()));
    }
    // Of any type: a `.git` file would make the copy a checkout of the user's own repository.
    if (contains(kOurs, from.filename().native())) return {};
    if (S_ISDIR(info.st_mode))
      return is_left_out(from) ? Status{} : sub_folder(from, to, info, depth);
    if (S_ISLNK(info.st_mode)) {
      WAVE_TRY(const bool out, leads_out(from, rules_.source));
      return out ? Status{} : link(from, to);
    }
    if (S_ISREG(info.st_mode)) return file(from, to);
    return {};
  }

  bool is_left_out(const fs::path& folder) const {
    const std::string name = folder.filename();
    if (contains(kNever, name) || folder == rules_.never) return true;
    if (!contains(kMaybe, name)) return false;
    return !rules_.is_source_folder(folder.lexically_relative(rules_.source));
  }

  Status sub_folder(const fs::path& from, const fs::path& to, const struct stat& info, int depth) {
    if (::mkdir(to.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail(errno_error(errno, "cannot create folder", to.native()));
    }
    WAVE_CHECK(folder(from, to, depth + 1));
    ::chmod(to.c_str(), (info.st_mode & 0777) | S_IRWXU);
    return {};
  }

  static Status link(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::remove(to, error);
    fs::copy_symlink(from, to, error);
    if (error) return fail(errno_error(error.value(), "cannot copy link", from.native()));
    return {};
  }

  Status file(const fs::path& from, const fs::path& to) {
    WAVE_TRY(const UniqueFd source, open_file(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    struct stat info{};
    if (::fstat(source.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    if (info.st_size > kMaxFile) {
      ++count_.too_large;
      return {};
    }
    ++count_.files;
    count_.bytes += static_cast<uint64_t>(info.st_size);
    if (count_.files > kMaxFiles || count_.bytes > kMaxBytes) {
      return fail(Code::kLimit,
                  fmt::format("{} is too large to be mounted", rules_.source.native()),
                  "mount a smaller folder, or use a worktree");
    }
    ::unlink(to.c_str());
    WAVE_TRY(const UniqueFd target, open_file(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW));
    WAVE_CHECK(copy_bytes(source.get(), target.get()));
    // Owner may write, so that a read-write mount is one; set-user-id bits do not come along.
    ::fchmod(target.get(), (info.st_mode & 0777) | S_IWUSR | S_IRUSR);
    const std::array<timespec, 2> times{info.st_atim, info.st_mtim};
    ::futimens(target.get(), times.data());
    return {};
  }

  const CopyRules& rules_;
  CopyCount count_;
};

}  // namespace

Result<CopyCount> copy_tree(const CopyRules& rules, const fs::path& target) {
  TreeCopy copy(rules);
  WAVE_CHECK(copy.folder(rules.source, target, 0));
  return copy.count();
}

Status make_read_only(const fs::path& folder, const std::set<fs::path>& except) {
  WAVE_TRY(const std::vector<fs::path> entries, list_folder(folder));
  for (const fs::path& entry : entries) {
    struct stat info{};
    if (except.contains(entry)) continue;
    if (::lstat(entry.c_str(), &info) != 0) {
      if (errno == ENOENT) continue;
      return fail(errno_error(errno, "cannot look at", entry.native()));
    }
    if (S_ISDIR(info.st_mode)) WAVE_CHECK(make_read_only(entry, except));
    if (S_ISREG(info.st_mode) && ::chmod(entry.c_str(), info.st_mode & 0555) != 0) {
      return fail(errno_error(errno, "cannot make read-only", entry.native()));
    }
  }
  if (::chmod(folder.c_str(), 0555) != 0) {
    return fail(errno_error(errno, "cannot make read-only", folder.native()));
  }
  return {};
}

}  // namespace wave::workspace

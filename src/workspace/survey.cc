#include "workspace/survey.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <unordered_set>

#include "base/text.h"
#include "workspace/beneath.h"
#include "workspace/index_file.h"

namespace wave::workspace {
namespace {

constexpr unsigned kRwx = 0777;
constexpr size_t kMaxEntries = 4'000'000;
constexpr size_t kMaxUnknown = 500'000;   // names that git neither tracks nor ignores as a whole
constexpr std::string_view kHere = "./";  // before a path that git would take for a pattern
constexpr unsigned kReadByAll = 0444;

struct CloseFolder {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

std::string joined(const std::string& folder, std::string_view name) {
  return folder.empty() ? std::string(name) : folder + "/" + std::string(name);
}

std::string id_bytes(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned char byte = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

// "<mode> <id> <stage>\t<path>" records; git-ls-files(1).
Result<std::unordered_map<std::string, Listed>> ask_for_index(const RawGit& git) {
  GitCall call = git.call({"ls-files", "-s", "-z"});
  call.max_output = kMaxListing;
  WAVE_TRY(const std::string output, git_output(call));
  std::unordered_map<std::string, Listed> files;
  for (const std::string& record : split(output, '\0')) {
    const size_t tab = record.find('\t');
    const std::vector<std::string> words = split(record.substr(0, tab), ' ');
    if (tab == std::string::npos || words.size() != 3) continue;
    Listed file{.id = id_bytes(words[1])};
    std::from_chars(words[0].data(), words[0].data() + words[0].size(), file.git_mode, 8);
    files.emplace(record.substr(tab + 1), std::move(file));
  }
  return files;
}

Result<std::unordered_map<std::string, Listed>> list_index(const RawGit& git) {
  std::unordered_map<std::string, Listed> files;
  WAVE_TRY(const auto read, read_index(git.index(), git.id_size(), [&](const IndexEntry& entry) {
             files.emplace(entry.path, Listed{.git_mode = entry.mode, .id = std::string(entry.id)});
           }));
  if (read) return files;
  return ask_for_index(git);
}

/// One walk. Guards: `unknown_` holds what no path of the index leads to, until git has said
/// whether it is ignored.
class Walk {
 public:
  Walk(const RawGit& git, const Beneath& top, const std::vector<std::string>& hidden, Survey& found)
      : git_(git), top_(top), hidden_(hidden.begin(), hidden.end()), found_(found) {}

  Status run() {
    note_folders();
    folders_.emplace_back();
    while (!folders_.empty() || !unknown_.empty()) {
      while (!folders_.empty()) {
        const std::string folder = std::move(folders_.back());
        folders_.pop_back();
        WAVE_CHECK(read(folder));
      }
      WAVE_CHECK(settle_unknown());
    }
    return {};
  }

 private:
  struct Unknown {
    std::string path;
    mode_t type;
  };

  void note_folders() {
    for (const auto& [path, file] : found_.files) {
      std::string_view folder = path;
      while (true) {
        const size_t slash = folder.rfind('/');
        if (slash == std::string_view::npos) break;
        folder = folder.substr(0, slash);
        if (!tracked_folders_.insert(folder).second) break;
      }
    }
  }

  void leave_out(const std::string& path, bool has_content) {
    if (hidden_.contains(path)) return;
    found_.kept.left_out.insert(path);
    found_.incomplete |= has_content;
  }

  Status read(const std::string& folder) {
    if (git_.repository().stop.stop_requested()) {
      return fail(Code::kInterrupted, "the look through the worktree was interrupted");
    }
    auto fd = top_.open_file(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct stat info{};
    if (!fd && is_shortage(fd.error())) return fail(fd.error());
    if (!fd || ::fstat(fd->get(), &info) != 0) {
      // It may have gone meanwhile; what is there and cannot be read is somebody's.
      if (!fd && fd.error().code != Code::kNotFound) leave_out(folder, true);
      return {};
    }
    const std::unique_ptr<DIR, CloseFolder> dir(::fdopendir(fd->get()));
    if (!dir) return fail(errno_error(errno, "cannot read folder", folder));
    const int number = fd->release();  // closed with the stream
    if (!folder.empty()) found_.folders.emplace(folder, info.st_mode & kRwx);
    bool empty = true;
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      empty = false;
      if (++entries_ > kMaxEntries) return fail(Code::kLimit, "the worktree has too many files");
      look_at(folder, entry->d_name, number);
    }
    if (empty && !folder.empty()) found_.kept.empty_folders.insert(folder);
    return {};
  }

  void look_at(const std::string& folder, const char* name, int in) {
    if (std::string_view(name) == ".git") {
      if (!folder.empty()) leave_out(joined(folder, name), true);
      return;
    }
    struct stat info{};
    if (::fstatat(in, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    std::string path = joined(folder, name);
    const auto listed = found_.files.find(path);
    if (listed != found_.files.end()) {
      if (listed->second.git_mode == kGitlink) return look_at_repository(path, in, name);
      if (!S_ISDIR(info.st_mode)) return look_at_file(path, listed->second, info, in, name);
    }
    if (S_ISDIR(info.st_mode) && tracked_folders_.contains(path)) {
      folders_.push_back(std::move(path));
      return;
    }
    if (unknown_.size() >= kMaxUnknown) {
      found_.kept.cut = found_.incomplete = true;
      return;
    }
    unknown_.push_back({std::move(path), info.st_mode});
  }

  // Its commit is in the tree; what it holds beyond that is not.
  void look_at_repository(const std::string& path, int in, const char* name) {
    if (::faccessat(in, fmt::format("{}/.git", name).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      leave_out(path, false);
    }
  }

  void look_at_file(const std::string& path, Listed& file, const struct stat& info, int in,
                    const char* name) {
    file.mode = info.st_mode & kRwx;
    if (S_ISLNK(info.st_mode)) return;
    if (!S_ISREG(info.st_mode)) return leave_out(path, false);
    file.size = info.st_size;
    const bool readable =
        (file.mode & kReadByAll) == kReadByAll || ::faccessat(in, name, R_OK, AT_EACCESS) == 0;
    if (!readable) leave_out(path, true);
  }

  Status settle_unknown() {
    if (unknown_.empty()) return {};
    const std::vector<Unknown> unknown = std::exchange(unknown_, {});
    WAVE_TRY(const auto ignored, ignored_of(unknown));
    for (const Unknown& one : unknown) {
      if (ignored.contains(one.path) || hidden_.contains(one.path)) continue;
      if (!S_ISDIR(one.type)) {
        leave_out(one.path, S_ISREG(one.type) || S_ISLNK(one.type));
        continue;
      }
      const auto inside = top_.stat(one.path + "/.git");
      if (inside && *inside) {
        leave_out(one.path, true);
      } else {
        folders_.push_back(one.path);
      }
    }
    return {};
  }

  Result<std::unordered_set<std::string>> ignored_of(const std::vector<Unknown>& unknown) const {
    GitCall call = git_.call({"check-ignore", "-z", "--stdin"});
    // None of them is in the index: git need not read it.
    call.environment["GIT_INDEX_FILE"] = git_.index().native() + "-none";
    call.max_output = kMaxListing;
    for (const Unknown& one : unknown) {
      call.input.append(kHere).append(one.path).push_back('\0');
    }
    WAVE_TRY(const auto result, run_git(call));
    if (result.exit_code > 1) return fail(git_error(call, result));  // 1: none is ignored
    std::unordered_set<std::string> ignored;
    for (const std::string& path : split(result.out, '\0')) {
      if (path.starts_with(kHere)) ignored.insert(path.substr(kHere.size()));
    }
    return ignored;
  }

  const RawGit& git_;
  const Beneath& top_;
  std::unordered_set<std::string> hidden_;
  Survey& found_;
  std::unordered_set<std::string_view> tracked_folders_;  // into the keys of found_.files
  std::vector<std::string> folders_;
  std::vector<Unknown> unknown_;
  size_t entries_ = 0;
};

/// Which of the modes seen is the usual one.
class Tally {
 public:
  void add(unsigned mode) { ++counts_[mode]; }
  [[nodiscard]] unsigned most(unsigned otherwise) const {
    const auto best =
        std::ranges::max_element(counts_, {}, [](const auto& one) { return one.second; });
    return best == counts_.end() ? otherwise : best->first;
  }

 private:
  std::map<unsigned, size_t> counts_;
};

void sum_up_modes(Survey& found) {
  Tally files, programs, folders;
  const auto counts = [](const Listed& file) { return file.size >= 0; };
  for (const auto& [path, file] : found.files) {
    if (counts(file)) (file.git_mode == kProgram ? programs : files).add(file.mode);
  }
  for (const auto& [path, mode] : found.folders) folders.add(mode);
  UsualModes& usual = found.kept.usual;
  usual = {files.most(usual.file), programs.most(usual.program), folders.most(usual.folder)};
  for (const auto& [path, file] : found.files) {
    if (counts(file) && file.mode != usual_mode(usual, file)) found.kept.modes[path] = file.mode;
  }
  for (const auto& [path, mode] : found.folders) {
    if (mode != usual.folder) found.kept.modes[path] = mode;
  }
}

}  // namespace

Result<Survey> survey(const RawGit& git, const std::vector<std::string>& hidden) {
  Survey found;
  WAVE_TRY(found.files, list_index(git));
  WAVE_TRY(const Beneath top, Beneath::open(git.repository().work_tree));
  WAVE_CHECK(Walk(git, top, hidden, found).run());
  sum_up_modes(found);
  return found;
}

}  // namespace wave::workspace

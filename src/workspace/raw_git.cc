#include "workspace/raw_git.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/text.h"
#include "workspace/copy_file.h"
#include "workspace/list_folder.h"
#include "workspace/remove_tree.h"

namespace wave::workspace {
namespace {

// $GIT_DIR/info/attributes goes before every other file of attributes; gitattributes(5).
constexpr std::string_view kNoConversion = "* -text -ident -filter -working-tree-encoding\n";
constexpr size_t kSha1Bytes = 20, kSha256Bytes = 32;

// A value of a configuration file; git-config(1).
std::string quoted(const std::string& value) {
  return "\"" + replace_all(replace_all(value, "\\", "\\\\"), "\"", "\\\"") + "\"";
}

constexpr std::string_view kAsItIs =
    "[core]\n\tautocrlf = false\n\tsafecrlf = false\n\tsymlinks = true\n\tsplitIndex = false\n"
    "\tsparseCheckoutCone = false\n[index]\n\tsparse = false\n";

// The user's own settings (compression, excludesFile ...), but for the format of the repository:
// that is said by this file alone, and HEAD and refs play no part here.
std::string config_text(const GitDir& repository, size_t id_size) {
  std::string text = "[core]\n\trepositoryformatversion = 1\n";
  if (id_size == kSha256Bytes) text += "[extensions]\n\tobjectformat = sha256\n";
  for (const fs::path& file :
       {repository.common_dir / "config", repository.git_dir / "config.worktree"}) {
    text += fmt::format("[include]\n\tpath = {}\n", quoted(file.native()));
  }
  text += kAsItIs;
  // A tracked file that is there counts, inside of the user's selection or not. It takes git a
  // second look at every file, so only where there is a selection.
  std::error_code ignored;
  const bool sparse = fs::exists(repository.git_dir / "info/sparse-checkout", ignored);
  return text.append(sparse ? "[core]\n\tsparseCheckout = true\n"
                            : "[core]\n\tsparseCheckout = false\n");
}

Status copy_index(const fs::path& from, const fs::path& to) {
  const auto source = open_file(from, O_RDONLY);
  // git takes an empty file for a broken index, and a missing one for an empty index.
  if (!source) return {};
  WAVE_TRY(const UniqueFd target, open_file(to, O_WRONLY | O_CREAT | O_EXCL, 0600));
  WAVE_CHECK(copy_bytes(source->get(), target.get()));
  // git looks again at what has changed in the moment in which the index was written, and knows
  // that moment by the time of the file ("racy git").
  struct stat info{};
  if (::fstat(source->get(), &info) != 0)
    return fail(errno_error(errno, "cannot look at", from.native()));
  const std::array<timespec, 2> times{info.st_atim, info.st_mtim};
  if (::futimens(target.get(), times.data()) == 0) return {};
  return fail(errno_error(errno, "cannot set the time of", to.native()));
}

// What an index in two files (core.splitIndex) refers to.
Status link_shared_indexes(const fs::path& from, const fs::path& to) {
  WAVE_TRY(const auto entries, list_folder(from));
  std::error_code error;
  for (const fs::path& entry : entries) {
    if (!entry.filename().native().starts_with("sharedindex.")) continue;
    fs::create_symlink(entry, to / entry.filename(), error);
    if (error) return fail(errno_error(error.value(), "cannot link", entry.native()));
  }
  return {};
}

}  // namespace

RawGit::RawGit(GitDir repository, fs::path folder)
    : repository_(std::move(repository)), folder_(std::move(folder)), id_size_(kSha1Bytes) {
  const auto head = read_head(repository_);
  if (head && head->commit.size() == 2 * kSha256Bytes) id_size_ = kSha256Bytes;
}

Result<RawGit> RawGit::beside(const GitDir& repository) {
  std::string name = repository.git_dir / (std::string(kRawGitPrefix) + "XXXXXX");
  if (::mkdtemp(name.data()) == nullptr) return fail(errno_error(errno, "cannot create", name));
  RawGit git(repository, name);
  WAVE_CHECK(git.fill());
  return git;
}

Status RawGit::fill() const {
  WAVE_CHECK(make_directories(folder_ / "refs"));
  WAVE_CHECK(make_directories(folder_ / "info"));
  WAVE_CHECK(write_file(folder_ / "HEAD", "ref: refs/heads/none\n"));
  WAVE_CHECK(write_file(folder_ / "config", config_text(repository_, id_size_)));
  WAVE_CHECK(write_file(folder_ / "info/attributes", kNoConversion));
  std::error_code error;
  fs::create_symlink(repository_.common_dir / "info/exclude", folder_ / "info/exclude", error);
  if (error) return fail(errno_error(error.value(), "cannot link", folder_.native()));
  WAVE_CHECK(link_shared_indexes(repository_.git_dir, folder_));
  return copy_index(repository_.git_dir / "index", folder_ / "index");
}

RawGit::~RawGit() {
  if (!folder_.empty()) (void)remove_tree(folder_);
}

GitCall RawGit::converting_call(std::vector<std::string> arguments) const {
  GitCall call = call_in(repository_, std::move(arguments));
  call.environment["GIT_INDEX_FILE"] = folder_ / "index";
  return call;
}

GitCall RawGit::call(std::vector<std::string> arguments) const {
  GitCall call = call_in(repository_, std::move(arguments));
  call.git_dir = folder_;
  call.environment["GIT_OBJECT_DIRECTORY"] = repository_.common_dir / "objects";
  call.environment["GIT_INDEX_FILE"] = folder_ / "index";
  // What an event is going to name must outlive a power failure.
  call.durable = true;
  return call;
}

void RawGit::unlock() const {
  ::unlink((folder_ / "index.lock").c_str());
}

}  // namespace wave::workspace

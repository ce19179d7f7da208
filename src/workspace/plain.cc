#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "workspace/kinds.h"

namespace wave::workspace {
namespace {

// The least that git takes for a repository: gitrepository-layout(5).
constexpr std::array kFolders{".agents", ".agents/output", ".agents/artifacts",
                              ".git",    ".git/objects",   ".git/refs"};
constexpr std::string_view kHead = "ref: refs/heads/main\n";
constexpr std::string_view kConfig =
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n";

Status make_folder(int parent, const char* name, const fs::path& workspace) {
  if (::mkdirat(parent, name, 0755) == 0 || errno == EEXIST) return {};
  return fail(errno_error(errno, "cannot create folder", (workspace / name).native()));
}

// Only where there is none: an agent may have made the repository its own. An empty one is what a
// power failure leaves.
Status write_missing(int parent, const char* name, std::string_view text,
                     const fs::path& workspace) {
  struct stat info{};
  if (::fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_size > 0) return {};
  const UniqueFd fd(
      ::openat(parent, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd.valid()) return fail(errno_error(errno, "cannot create", (workspace / name).native()));
  return write_all(fd.get(), text);
}

}  // namespace

Status furnish(const fs::path& workspace) {
  WAVE_TRY(const UniqueFd folder, open_file(workspace, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  for (const char* name : kFolders) WAVE_CHECK(make_folder(folder.get(), name, workspace));
  WAVE_CHECK(write_missing(folder.get(), ".git/config", kConfig, workspace));
  // Last: without it git does not take the folder for a repository.
  return write_missing(folder.get(), ".git/HEAD", kHead, workspace);
}

Result<Prepared> prepare_plain(const Request& request, const RunFolder& run) {
  Prepared prepared;
  prepared.root = run.workspace(request.step);
  prepared.cwd = prepared.root;
  prepared.created = ::mkdir(prepared.root.c_str(), 0755) == 0;
  if (!prepared.created && errno != EEXIST) {
    return fail(errno_error(errno, "cannot create folder", prepared.root.native()));
  }
  WAVE_CHECK(furnish(prepared.root));
  return prepared;
}

}  // namespace wave::workspace

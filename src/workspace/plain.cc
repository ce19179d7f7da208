#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "workspace/beneath.h"
#include "workspace/kinds.h"

namespace wave::workspace {
namespace {

// The least that git takes for a repository: gitrepository-layout(5). Every command step pays for
// each of these, so there is nothing more.
constexpr std::array kFolders{".agents/output", ".git/objects", ".git/refs"};
constexpr std::string_view kHead = "ref: refs/heads/main\n";

}  // namespace

Status furnish(const fs::path& workspace) {
  // Kept below the folder, as an agent may have been here before and left links.
  WAVE_TRY(const Beneath folder, Beneath::open(workspace));
  for (const char* name : kFolders) WAVE_CHECK(folder.make_directories(name));
  // Last: without it git does not take the folder for a repository. Only where there is none, as an
  // agent may have made the repository its own; an empty one is what a power failure leaves.
  WAVE_TRY(const auto head, folder.stat(".git/HEAD"));
  if (head && head->st_size > 0) return {};
  return folder.place_text(".git/HEAD", kHead);
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

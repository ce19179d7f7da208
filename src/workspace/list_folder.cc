#include "workspace/list_folder.h"

#include "base/file.h"

namespace wave::workspace {

Result<std::vector<fs::path>> list_folder(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  while (!error && at != fs::directory_iterator()) {
    entries.push_back(at->path());
    at.increment(error);
  }
  if (error) return fail(errno_error(error.value(), "cannot read folder", folder.native()));
  return entries;
}

}  // namespace wave::workspace

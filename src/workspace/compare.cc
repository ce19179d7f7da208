// What a name stands for in a worktree, and how its content differs from that.
#include "base/text.h"
#include "workspace/git.h"
#include "workspace/kinds.h"

namespace wave::workspace {

Result<std::optional<std::string>> resolve(const Prepared& workspace, const std::string& name) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) return std::nullopt;
  WAVE_TRY(const auto result, run_git(call_in(*repository, {"rev-parse", "--verify", "--quiet",
                                                            "--end-of-options", name})));
  if (result.exit_code != 0) return std::nullopt;
  return std::string(trim(result.out));
}

Result<std::string> diff_text(const Prepared& workspace, const std::string& since,
                              size_t max_bytes) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) return std::string();
  WAVE_TRY(const std::string now, tree_to_compare(*repository));
  GitCall call = call_in(
      *repository, {"diff", "--no-color", "--no-ext-diff", "--no-textconv", "-M", since, now});
  call.max_output = max_bytes + 1;
  WAVE_TRY(const auto result, run_git(call));
  if (result.exit_code != 0) return fail(git_error(call, result));
  return excerpt(result.out, max_bytes);
}

}  // namespace wave::workspace

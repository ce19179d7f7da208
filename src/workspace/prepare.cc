#include "base/log.h"
#include "base/text.h"
#include "workspace/kinds.h"

namespace wave::workspace {

using Kind = model::Workspace::Kind;

Result<Prepared> prepare_ref(const Request& request) {
  WAVE_TRY(const fs::path root, path_within(request.project, request.workspace_root.native()));
  WAVE_TRY(const fs::path workspace, path_within(request.project, request.ref_workspace));
  const fs::path inside = workspace.lexically_relative(root);
  if (request.ref_workspace.empty() || inside.empty() || *inside.begin() == ".." || inside == ".") {
    return fail(Code::kPathEscape, fmt::format("\"{}\" is not a workspace in {}",
                                               request.ref_workspace, root.native()));
  }
  WAVE_TRY(const fs::file_type found, look_at(workspace));
  if (found != fs::file_type::directory) {
    return fail(Code::kConflict,
                fmt::format("step {} works in the workspace {}, which does not exist", request.step,
                            request.ref_workspace),
                "make the step depend on the one whose workspace it uses");
  }
  Prepared prepared;
  prepared.root = workspace;
  prepared.cwd = workspace;
  const fs::path top = worktree_top(workspace);
  const auto ready = RunFolder::around(top).ready(top.filename());
  if (ready && !ready->cwd.empty()) {
    WAVE_TRY(prepared.cwd, path_within(workspace, ready->cwd));
  }
  WAVE_TRY(const fs::file_type link, look_at_link(top / ".git"));
  prepared.is_worktree = link == fs::file_type::regular;
  if (!prepared.is_worktree) return prepared;
  WAVE_TRY(const auto repository, repository_of(prepared));
  if (const auto head = read_head(*repository)) {
    prepared.branch = head->branch;
    prepared.head = head->commit;
  }
  return prepared;
}

// Before the run's first workspace is there: its empty repository would make the user's own `git
// add` fail ("does not have a commit checked out"). Once a run, as every command step passes here.
Status open_run_folder(const Request& request, const RunFolder& run) {
  WAVE_TRY(const fs::file_type found, look_at(run.path()));
  if (found == fs::file_type::directory) return {};
  if (auto excluded = exclude_workspaces(request.project, request.workspace_root); !excluded) {
    log::warning("wave's folders show up in git: {}", full_message(excluded.error()));
  }
  return make_directories(run.path());
}

namespace {

Result<Prepared> prepare_kind(const Request& request) {
  if (!is_safe_name(request.step)) {
    return fail(Code::kUsage,
                fmt::format("\"{}\" cannot be a step's folder", excerpt(request.step, 80)),
                "use letters, digits, '-', '_' and '.' in step ids");
  }
  if (request.kind == Kind::kRef) return prepare_ref(request);
  WAVE_TRY(const RunFolder run,
           RunFolder::locate(request.project, request.workspace_root, request.run_id));
  WAVE_CHECK(open_run_folder(request, run));
  switch (request.kind) {
    case Kind::kMount:
      return prepare_mount(request, run);
    case Kind::kWorktree:
      return prepare_worktree(request, run);
    default:
      return prepare_plain(request, run);
  }
}

}  // namespace

Result<Prepared> prepare(const Request& request) {
  WAVE_TRY(Prepared prepared, prepare_kind(request));
  prepared.stop = request.stop;
  return prepared;
}

}  // namespace wave::workspace

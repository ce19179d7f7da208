#include "workspace/worktree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_lock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "workspace/beneath.h"
#include "workspace/git.h"
#include "workspace/kinds.h"
#include "workspace/remove_tree.h"

namespace wave::workspace {
namespace {

constexpr size_t kMaxWords = 45;
constexpr size_t kHashDigits = 8;
constexpr Millis kWorktreeLockTimeout{120'000};

/// What is asked for, with defaults filled in.
struct Wish {
  std::string name;    // folder
  std::string branch;  // empty: detached
  std::string base;
};

Wish wish_of(const Request& request) {
  Wish wish;
  wish.base = request.base;
  wish.branch = request.branch;
  if (wish.branch.empty() && wish.base.empty()) {
    wish.branch = fmt::format("wave/{}/{}", request.run_id, request.step);
  }
  wish.name = worktree_name(request.run_id, request.step, wish.branch, wish.base);
  return wish;
}

// git-check-ref-format(1), as far as a wrong name could do harm; git has the last word.
Status check_branch_name(const std::string& branch) {
  const bool bad = branch.starts_with('-') || branch.starts_with('/') || branch.ends_with('/') ||
                   branch.contains("..") || branch.contains("//") || branch.contains("@{") ||
                   branch.ends_with(".lock") || branch.ends_with('.') || branch == "HEAD" ||
                   branch.size() > 200 || std::ranges::any_of(branch, [](char c) {
                     return static_cast<unsigned char>(c) <= ' ' || c == 0x7F ||
                            std::string_view("~^:?*[\\").contains(c);
                   });
  if (!bad) return {};
  return fail(Code::kUsage, fmt::format("\"{}\" is not a branch name", excerpt(branch, 200)),
              "use letters, digits, '-', '_', '.' and '/'");
}

Result<std::string> resolve_commit(const GitDir& repository, const std::string& revision) {
  if (revision.starts_with('-')) return std::string();
  GitCall call = call_in(
      repository, {"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
  WAVE_TRY(const auto result, run_git(call));
  if (result.exit_code == 0) return std::string(trim(result.out));
  if (fault_in_message(result.err)) return fail(git_error(call, result));
  return std::string();
}

// The base as written, else the remote's branch of that name: in a fresh clone `main` may only
// exist there.
Result<std::string> resolve_base(const GitDir& repository, const std::string& base) {
  for (const std::string& name : {base, "refs/remotes/origin/" + base}) {
    WAVE_TRY(std::string commit, resolve_commit(repository, name));
    if (!commit.empty()) return commit;
  }
  return fail(Code::kNotFound,
              fmt::format("the base \"{}\" is no branch or commit of {}", base,
                          repository.work_tree.native()),
              "correct workspace.base, or fetch the branch");
}

Result<GitDir> repository_for(const Request& request) {
  const ShortageWatch watch;
  auto repository = find_git_dir(request.project);
  const fs::path bare = repository ? fs::path() : find_bare_repository(request.project);
  if (auto shortage = watch.seen(); shortage && !repository) return fail(*std::move(shortage));
  if (!bare.empty()) {
    return fail(
        Code::kConflict,
        fmt::format("step {} wants a git worktree, and {} is a bare repository, which has no "
                    "checkout for a project",
                    request.step, bare.native()),
        "run wave in a clone or a worktree of it: git worktree add ../work");
  }
  if (!repository) {
    return fail(Code::kConflict,
                fmt::format("step {} wants a git worktree, and {} is not in a git repository",
                            request.step, request.project.native()),
                "git init && git add -A && git commit -m 'First commit'; or use another "
                "workspace type");
  }
  repository->stop = request.stop;
  return *repository;
}

Status require_commit(const GitDir& repository) {
  const ShortageWatch watch;
  const auto head = read_head(repository);
  if (head && !head->commit.empty()) return {};
  WAVE_TRY(const std::string commit, resolve_commit(repository, "HEAD"));
  if (!commit.empty()) return {};
  if (auto shortage = watch.seen()) return fail(*std::move(shortage));
  return fail(Code::kConflict,
              fmt::format("{} has no commit yet, so there is nothing to check out",
                          repository.work_tree.native()),
              "git add -A && git commit -m 'First commit'");
}

bool has_registration(const GitDir& repository, const fs::path& path) {
  return std::ranges::any_of(registrations(repository),
                             [&](const Registration& one) { return one.path == path; });
}

// Somebody deleted workspaces by hand: what git still believes would block their branches. Only
// ours, and none that is being made right now (git locks those).
void forget_deleted(const GitDir& repository, const fs::path& workspaces) {
  for (const Registration& one : registrations(repository)) {
    const fs::path inside = one.path.lexically_relative(workspaces);
    const bool ours = !inside.empty() && *inside.begin() != ".." && inside != ".";
    if (!ours || one.locked) continue;
    const auto found = look_at(one.path);
    if (!found || *found != fs::file_type::not_found) continue;
    if (auto removed = remove_worktree(repository, one.path); !removed) {
      log::warning("{}", full_message(removed.error()));
    }
  }
}

Error add_error(const GitCall& call, const process::CommandResult& result, const Wish& wish) {
  const Error error = git_error(call, result);
  if (!result.err.contains("already checked out") && !result.err.contains("already used by")) {
    return error;
  }
  std::string where;
  if (const size_t at = result.err.find(" at '"); at != std::string::npos) {
    where = std::string(trim(result.err.substr(at + 5)));
    if (where.ends_with('\'')) where.pop_back();
  }
  Error conflict(Code::kConflict,
                 fmt::format("the branch {} is checked out in {}", wish.branch, where),
                 "switch that checkout to another branch, `wave clean` the run it belongs to, or "
                 "give the step a branch of its own (branch: \"{{ pipeline_id }}\")");
  return conflict;
}

/// `git worktree add`, without the files; whether it made the branch.
Result<bool> add_worktree(const GitDir& repository, const Wish& wish, const fs::path& path) {
  std::vector<std::string> arguments{"worktree", "add", "--quiet", "--no-checkout"};
  bool creates = false;
  if (wish.branch.empty()) {
    WAVE_TRY(const std::string commit, resolve_base(repository, wish.base));
    arguments.insert(arguments.end(), {"--detach", "--", path.native(), commit});
  } else {
    WAVE_TRY(const std::string tip, resolve_commit(repository, "refs/heads/" + wish.branch));
    creates = tip.empty();
    if (!creates) {
      arguments.insert(arguments.end(), {"--", path.native(), wish.branch});
    } else {
      std::string start = "HEAD";
      if (!wish.base.empty()) {
        WAVE_TRY(start, resolve_base(repository, wish.base));
      }
      arguments.insert(arguments.end(),
                       {"--no-track", "-b", wish.branch, "--", path.native(), start});
    }
  }
  GitCall call = call_in(repository, arguments);
  call.run_folder = path.parent_path();
  WAVE_TRY(const UniqueFd lock, lock_worktrees(repository));
  call.lock = lock.get();
  WAVE_TRY(const auto result, run_git(call));
  if (result.exit_code != 0) return fail(add_error(call, result, wish));
  return creates;
}

// The other half of `git worktree add`, as git does it. Large trees take long, and other steps need
// not wait for them.
Status check_out(const GitDir& worktree) {
  WAVE_TRY(
      const std::string ignored,
      git_output(call_in(worktree, {"reset", "--quiet", "--hard", "--no-recurse-submodules"})));
  return {};
}

// Instruction files that wave is going to write over tracked ones: git must not see the change.
Status hide_tracked(const GitDir& worktree, const std::vector<std::string>& files) {
  if (files.empty()) return {};
  GitCall list = call_in(worktree, {"--literal-pathspecs", "ls-files", "-z", "--"});
  list.arguments.insert(list.arguments.end(), files.begin(), files.end());
  WAVE_TRY(const std::string tracked, git_output(list));
  if (tracked.empty()) return {};
  GitCall hide = call_in(worktree, {"update-index", "--skip-worktree", "-z", "--stdin"});
  hide.input = tracked;
  WAVE_TRY(const std::string ignored, git_output(hide));
  return {};
}

// An agent may have deleted `.git` or written over it; the registration still knows where it
// belongs. A repository that it made in its place is its work, and nothing that we may delete.
Status repair_link(const GitDir& repository, const fs::path& path) {
  const ShortageWatch watch;
  const auto found = git_dir_at(path);
  if (found && found->common_dir == repository.common_dir) return {};
  WAVE_TRY(const fs::file_type type, look_at_link(path / ".git"));
  if (type == fs::file_type::directory) {
    return fail(Code::kConflict,
                fmt::format("{} has become a repository of its own", path.native()),
                "rename the .git folder in it, then resume the run");
  }
  for (const Registration& one : registrations(repository)) {
    if (one.path != path) continue;
    if (auto shortage = watch.seen()) return fail(*std::move(shortage));
    ::unlink((path / ".git").c_str());
    return write_file(path / ".git", fmt::format("gitdir: {}\n", one.admin_dir.native()));
  }
  return {};
}

Status check_same_base(const GitDir& worktree, const Wish& wish, const Ready& ready) {
  if (wish.branch.empty() || wish.base.empty() || wish.base == ready.base) return {};
  WAVE_TRY(const std::string commit, resolve_base(worktree, wish.base));
  WAVE_TRY(const auto result,
           run_git(call_in(worktree, {"merge-base", "--is-ancestor", commit, "HEAD"})));
  if (result.exit_code == 0) return {};
  return fail(Code::kConflict,
              fmt::format("the branch {} was started from {}, and this step wants the base {}",
                          wish.branch, ready.base.empty() ? "HEAD" : ready.base, wish.base),
              "give the base at the first step that uses the branch, or use another branch");
}

Result<Prepared> describe(const Request& request, const GitDir& repository, const fs::path& path) {
  Prepared prepared;
  prepared.is_worktree = true;
  std::error_code error;
  const fs::path project = fs::canonical(request.project, error);
  const fs::path inside = project.lexically_relative(repository.work_tree);
  prepared.root = error || inside.empty() || inside == "." ? path : path / inside;
  prepared.cwd = prepared.root;
  const ShortageWatch watch;
  const auto worktree = git_dir_at(path);
  if (auto shortage = watch.seen(); shortage && !worktree) return fail(*std::move(shortage));
  if (!worktree) {
    return fail(Code::kConflict, fmt::format("{} is no worktree any more", path.native()),
                "wave clean the run, then start it again");
  }
  if (const auto head = read_head(*worktree)) {
    prepared.branch = head->branch;
    prepared.head = head->commit;
  } else {
    WAVE_TRY(prepared.head, resolve_commit(*worktree, "HEAD"));
  }
  return prepared;
}

// Outputs and inputs of steps; a project in a subfolder may not exist at the base.
Status furnish_worktree(const Prepared& prepared, const fs::path& top) {
  WAVE_TRY(const Beneath folder, Beneath::open(top));
  return folder.make_directories(
      (prepared.root / ".agents/output").lexically_relative(top).native());
}

Status make_worktree(const Request& request, const GitDir& repository, const Wish& wish,
                     const RunFolder& run, const fs::path& path) {
  WAVE_CHECK(require_commit(repository));
  // Left by a crash, before anybody could work in it.
  WAVE_TRY(const fs::file_type left, look_at_link(path));
  if (left != fs::file_type::not_found || has_registration(repository, path)) {
    WAVE_CHECK(remove_worktree(repository, path));
  }
  forget_deleted(repository, run.path().parent_path());
  // A crash between this and the ready file forgets that the branch is ours: unless it is said
  // before.
  Ready ready{"", wish.branch, wish.base, false, request.copy_in};
  const std::string promise = wish.name + ".branch";
  const bool made_before = run.ready(promise).has_value();
  if (!wish.branch.empty() && !made_before) {
    WAVE_TRY(const std::string tip, resolve_commit(repository, "refs/heads/" + wish.branch));
    if (tip.empty()) {
      ready.created_branch = true;
      WAVE_CHECK(run.mark_ready(promise, ready));
    }
  }
  ready.created_branch |= made_before;
  WAVE_TRY(const bool created, add_worktree(repository, wish, path));
  ready.created_branch |= created;
  const ShortageWatch watch;
  auto worktree = git_dir_at(path);
  if (auto shortage = watch.seen(); shortage && !worktree) return fail(*std::move(shortage));
  if (!worktree) {
    return fail(Code::kConflict, fmt::format("{} vanished while it was made", path.native()),
                "try again");
  }
  worktree->stop = repository.stop;
  WAVE_CHECK(check_out(*worktree));
  WAVE_CHECK(hide_tracked(*worktree, request.copy_in));
  if (const auto fd = open_file(path, O_RDONLY)) ::syncfs(fd->get());
  return run.mark_ready(wish.name, ready);
}

}  // namespace

std::string worktree_name(const std::string& run_id, const std::string& step,
                          const std::string& branch, const std::string& base) {
  const std::string own = "wave/" + run_id + "/";
  const std::string key = branch.empty() ? fmt::format("detached\n{}\n{}", step, base) : branch;
  std::string words = branch.empty() ? step : branch;
  if (words.starts_with(own)) words.erase(0, own.size());
  for (char& c : words) {
    if (!is_safe_name(std::string(1, c)) && c != '.' && c != '_') c = '-';
  }
  return fmt::format("__wt_{}-{}", words.substr(0, kMaxWords),
                     sha256_hex(key).substr(0, kHashDigits));
}

bool is_worktree_name(std::string_view folder) {
  return folder.starts_with("__wt_");
}

Result<UniqueFd> lock_worktrees(const GitDir& repository) {
  // Not "*.lock": in a repository those are git's, and mean that something is under way or broken.
  const fs::path path = repository.common_dir / "wave-worktrees";
  WAVE_TRY(UniqueFd file, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  WAVE_CHECK(lock_exclusively(file, kWorktreeLockTimeout, path, repository.stop));
  return file;
}

Status remove_worktree(const GitDir& repository, const fs::path& path) {
  WAVE_CHECK(remove_tree(path, repository.stop));
  WAVE_TRY(const UniqueFd lock, lock_worktrees(repository));
  if (!has_registration(repository, path)) return {};
  // Twice "force": also when the crash left git's own lock on it.
  GitCall call =
      call_in(repository, {"worktree", "remove", "--force", "--force", "--", path.native()});
  call.run_folder = path.parent_path();
  call.lock = lock.get();
  WAVE_TRY(const auto result, run_git(call));
  if (result.exit_code == 0) return {};
  // git refuses one that a killed git left unfinished. What it would remove is this folder.
  for (const Registration& one : registrations(repository)) {
    if (one.path == path) WAVE_CHECK(remove_tree(one.admin_dir));
  }
  return {};
}

Result<Prepared> prepare_worktree(const Request& request, const RunFolder& run) {
  const Wish wish = wish_of(request);
  if (!wish.branch.empty()) WAVE_CHECK(check_branch_name(wish.branch));
  WAVE_TRY(const GitDir repository, repository_for(request));
  const fs::path path = run.workspace(wish.name);
  WAVE_TRY(const UniqueFd lock, run.lock(wish.name, request.stop));
  const ShortageWatch watch;
  const std::optional<Ready> ready = run.ready(wish.name);
  WAVE_TRY(const fs::file_type type, look_at_link(path));
  const bool found = ready && type == fs::file_type::directory;
  // What is not found is made anew, over what an agent may have done there.
  if (auto shortage = watch.seen()) return fail(*std::move(shortage));
  if (found) WAVE_CHECK(repair_link(repository, path));
  if (!found) {
    WAVE_CHECK(run.clear_ready(wish.name));
    WAVE_CHECK(make_worktree(request, repository, wish, run, path));
  }
  WAVE_TRY(Prepared prepared, describe(request, repository, path));
  if (found) WAVE_CHECK(check_same_base(git_dir_at(path).value_or(repository), wish, *ready));
  WAVE_CHECK(furnish_worktree(prepared, path));
  prepared.created = !found;
  return prepared;
}

fs::path worktree_top(const fs::path& workspace) {
  for (fs::path at = workspace; at.has_relative_path(); at = at.parent_path()) {
    if (is_worktree_name(at.filename().native())) return at;
  }
  return workspace;
}

Result<std::optional<GitDir>> repository_of(const Prepared& workspace) {
  const fs::path top = worktree_top(workspace.root);
  WAVE_TRY(const fs::file_type link, look_at_link(top / ".git"));
  const bool linked = link == fs::file_type::regular;
  if (!workspace.is_worktree && !linked) return std::nullopt;
  const ShortageWatch watch;
  auto repository = git_dir_at(top);
  if (auto shortage = watch.seen(); shortage && !repository) return fail(*std::move(shortage));
  if (!repository) {
    return fail(Code::kConflict, fmt::format("{} has lost its .git file", top.native()),
                "prepare the workspace again, or clean the run");
  }
  repository->stop = workspace.stop;
  return repository;
}

}  // namespace wave::workspace

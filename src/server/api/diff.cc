#include "base/text.h"
#include "flow/event.h"
#include "server/api/handlers.h"
#include "server/api/run_json.h"
#include "workspace/workspace.h"

namespace wave::server::api {
namespace {

constexpr size_t kMostFiles = 3000;
constexpr size_t kMostContent = 1 << 20;

/// A worktree of a run: where it began, and the last checkpoint in it.
struct Worktree {
  std::string path, branch, base, head;
};

Result<std::vector<Worktree>> worktrees_of(store::Store& store, const store::RunDetails& details) {
  std::vector<Worktree> trees;
  std::map<std::string, std::string> path_of;  // by step
  uint64_t after = 0;
  while (true) {
    WAVE_TRY(const auto page,
             store.events(details.row.run_id, {.after = after, .folded_only = true}));
    if (page.empty()) return trees;
    after = page.back().seq;
    for (const store::StoredEvent& stored : page) {
      const bool created = stored.kind == flow::Kind::kWorkspaceCreated;
      if (!created && stored.kind != flow::Kind::kCheckpointCreated) continue;
      WAVE_TRY(const flow::Event event, flow::decode(stored.line));
      if (created) {
        const std::string path(get_string(event.data, "path"));
        path_of[event.step] = path;
        const std::string base(get_string(event.data, "base"));
        if (base.empty() || std::ranges::find(trees, path, &Worktree::path) != trees.end())
          continue;
        trees.push_back({path, std::string(get_string(event.data, "branch")), base, {}});
        continue;
      }
      const std::string commit(get_string(event.data, "commit"));
      const auto tree = std::ranges::find(trees, path_of[event.step], &Worktree::path);
      if (!commit.empty() && tree != trees.end()) tree->head = commit;
    }
  }
}

/// The worktree that is asked for, or why there is none.
struct Chosen {
  std::optional<Worktree> tree;
  std::string why_not;
};

Result<Chosen> choose(const Call& call, const store::RunDetails& details) {
  WAVE_TRY(const std::vector<Worktree> trees, worktrees_of(call.services.store, details));
  std::string path;
  if (const std::string step = call.text("step");
      !step.empty() && call.path.contains("step") == 0) {
    WAVE_CHECK(check_step(details, step));
    path = std::ranges::find(details.steps, step, &flow::StepRow::step)->workspace;
    if (path.empty()) return Chosen{{}, "the step has no workspace yet"};
  }
  const Worktree* chosen = nullptr;
  for (const Worktree& tree : trees) {
    if (!path.empty() && tree.path != path) continue;
    if (chosen == nullptr || !tree.head.empty()) chosen = &tree;
  }
  if (chosen == nullptr) return Chosen{{}, "nothing of this ran in a git worktree"};
  if (chosen->head.empty()) return Chosen{{}, "there is no checkpoint yet"};
  return Chosen{*chosen, {}};
}

json::object change_json(const workspace::FileDiff& file) {
  return {{"path", file.path},
          {"status", file.status},
          {"old_path", text_or_null(file.old_path)},
          {"additions", file.additions},
          {"deletions", file.deletions},
          {"binary", file.binary}};
}

}  // namespace

Result<http::Response> list_changes(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  WAVE_TRY(Chosen chosen, choose(call, details));
  std::vector<workspace::FileDiff> files;
  if (chosen.tree) {
    auto compared = workspace::diff(call.services.paths.project, chosen.tree->base,
                                    chosen.tree->head, call.services.ending);
    if (compared) {
      files = *std::move(compared);
    } else {
      chosen = {{}, "git cannot compare: " + full_message(compared.error())};
    }
  }
  const Worktree tree = chosen.tree.value_or(Worktree{});
  json::array list;
  int additions = 0, deletions = 0;
  for (const workspace::FileDiff& file : files) {
    additions += file.additions;
    deletions += file.deletions;
    if (list.size() < kMostFiles) list.push_back(change_json(file));
  }
  const bool more = files.size() > list.size();
  return json_response(json::object{{"files", std::move(list)},
                                    {"next_cursor", nullptr},
                                    {"has_more", more},
                                    {"available", chosen.tree.has_value()},
                                    {"message", text_or_null(chosen.why_not)},
                                    {"base", text_or_null(tree.base)},
                                    {"head", text_or_null(tree.head)},
                                    {"branch", text_or_null(tree.branch)},
                                    {"total_files", files.size()},
                                    {"total_additions", additions},
                                    {"total_deletions", deletions}});
}

Result<http::Response> get_change(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  WAVE_TRY(const Chosen chosen, choose(call, details));
  const std::string path = call.path.at("path");
  const Error unchanged(
      Code::kNotFound, fmt::format("run {} changed no file '{}'", details.row.run_id, path),
      chosen.tree ? "GET /api/runs/{id}/diff lists what it changed" : chosen.why_not);
  if (!chosen.tree) return fail(unchanged);
  const fs::path& project = call.services.paths.project;
  WAVE_TRY(const auto files,
           workspace::diff(project, chosen.tree->base, chosen.tree->head, call.services.ending));
  const auto file = std::ranges::find(files, path, &workspace::FileDiff::path);
  if (file == files.end()) return fail(unchanged);
  std::string content;
  if (!file->binary) {
    WAVE_TRY(content, workspace::file_diff(project, chosen.tree->base, chosen.tree->head, *file,
                                           call.services.ending));
  }
  const size_t size = content.size();
  content = to_valid_utf8(call.services.redactor.redact(content));
  json::object answer = change_json(*file);
  answer["truncated"] = content.size() > kMostContent;
  answer["content"] = utf8_prefix(content, kMostContent);
  answer["size"] = size;
  return json_response(answer);
}

}  // namespace wave::server::api

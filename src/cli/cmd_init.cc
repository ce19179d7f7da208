#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/init_files.h"
#include "model/project.h"
#include "workspace/workspace.h"

namespace wave::cli {
namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

std::vector<std::string> existing(const fs::path& root, const std::vector<InitFile>& files) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const InitFile& file : files) {
    if (fs::exists(root / file.path, ignored)) paths.push_back(file.path);
  }
  return paths;
}

Status write_one(const fs::path& root, const InitFile& file) {
  // Links that lead out of the project are not followed.
  WAVE_TRY(const fs::path path, path_within(root, file.path));
  WAVE_CHECK(make_directories(path.parent_path()));
  return write_file(path, file.text);
}

}  // namespace

Result<int> run_init(Context& context, const InitOptions& options) {
  const fs::path& root = context.project();
  const Flavour* flavour = detect_flavour(names_in(root));
  std::string name = root.filename().string();
  if (name.empty()) name = "project";
  const std::vector<InitFile> files =
      init_files({.name = name, .flavour = flavour, .adapter = options.adapter});

  const std::vector<std::string> there = existing(root, files);
  if (!there.empty() && !options.force) {
    return fail(Code::kConflict, "this project has some of the files already: " + join(there, ", "),
                "wave init --force replaces them");
  }
  if (!there.empty() && !options.yes) {
    WAVE_TRY(const bool agreed, ask(fmt::format("Replace {} files?", there.size()), "--yes"));
    if (!agreed) return fail(Code::kCancelled, "nothing was written");
  }
  for (const InitFile& file : files) WAVE_CHECK(write_one(root, file));
  const workspace::GitFacts git = workspace::git_facts(root);
  if (git.is_repository) WAVE_CHECK(workspace::exclude_from_git(root));

  // What was written has to validate; if not, it is our mistake, and better said now.
  const model::Diagnostics diagnostics = model::validate_project(context.files());
  if (model::has_errors(diagnostics)) {
    const auto first =
        std::ranges::find(diagnostics, model::Severity::kError, &model::Diagnostic::severity);
    return fail(
        Error(first->code, "the project does not validate: " + first->message, "see: wave validate")
            .at(first->pos));
  }
  if (context.json()) {
    json::array written;
    for (const InitFile& file : files) written.emplace_back(file.path);
    context.print_json(json::object{{"project", root.string()},
                                    {"flavour", flavour == nullptr ? "" : flavour->name},
                                    {"adapter", options.adapter},
                                    {"files", std::move(written)}});
    return 0;
  }
  context.print(fmt::format("wrote wave.yaml and {} files below .agents\n", files.size() - 1));
  if (flavour == nullptr) {
    context.note("no build system was recognised: name the test command in wave.yaml\n");
  } else {
    context.note(fmt::format("this is a {} project; its tests: {}\n", flavour->name,
                             flavour->test.empty() ? "not known" : flavour->test));
  }
  if (!git.is_repository) {
    context.note("this is no git repository, and the pipelines work on branches: git init\n");
  }
  context.note("next:  wave doctor\n       wave run implement \"what you want changed\"\n");
  return 0;
}

}  // namespace wave::cli

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/style.h"

namespace wave::cli {
namespace {

/// What an agent named becomes a file name: separators and hidden files do not survive.
std::string file_name(const std::string& name) {
  std::string safe;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    safe += plain ? c : '_';
  }
  if (safe.empty() || safe.front() == '.') safe.insert(0, "_");
  return safe.substr(0, 120);
}

/// The artifact's name with the ending its file had.
std::string export_name(const flow::Artifact& artifact) {
  const std::string ending = fs::path(artifact.path).extension().string();
  const std::string name = file_name(artifact.name);
  return name.ends_with(ending) ? name : name + file_name(ending).substr(ending.empty() ? 0 : 1);
}

Status export_one(store::Store& store, const fs::path& folder, const flow::Artifact& artifact) {
  const fs::path target = folder / file_name(artifact.step) / export_name(artifact);
  WAVE_CHECK(make_directories(target.parent_path()));
  std::error_code error;
  fs::copy_file(store.blob_path(artifact.sha256), target, fs::copy_options::overwrite_existing,
                error);
  if (error) {
    return fail(Code::kIo, fmt::format("cannot copy {}/{} to {}: {}", artifact.step, artifact.name,
                                       target.string(), error.message()));
  }
  return {};
}

}  // namespace

Result<int> run_artifacts(Context& context, const ArtifactsOptions& options) {
  WAVE_TRY(const std::string run_id, context.resolve_run(options.run));
  WAVE_TRY(store::Store * store, context.open_store(Access::kRead));
  WAVE_TRY(const store::RunDetails details, store->run(run_id));
  std::vector<flow::Artifact> artifacts;
  for (const flow::Artifact& artifact : details.artifacts) {
    if (options.step.empty() || artifact.step == options.step) artifacts.push_back(artifact);
  }
  if (!options.step.empty() && artifacts.empty()) {
    return fail(Code::kNotFound,
                fmt::format("step '{}' of run {} has no artifact", options.step, run_id),
                "see: wave artifacts " + run_id);
  }
  if (!options.export_dir.empty()) {
    for (const flow::Artifact& artifact : artifacts) {
      WAVE_CHECK(export_one(*store, options.export_dir, artifact));
    }
  }
  if (context.json()) {
    json::array list;
    for (const flow::Artifact& artifact : artifacts) {
      std::error_code ignored;
      list.push_back(
          json::object{{"step", artifact.step},
                       {"name", artifact.name},
                       {"type", artifact.type},
                       {"size_bytes", artifact.size},
                       {"path", artifact.path},
                       {"exists", fs::exists(context.project() / artifact.path, ignored)},
                       {"sha256", artifact.sha256}});
    }
    context.print_json(json::object{{"run_id", run_id}, {"artifacts", std::move(list)}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"STEP", "NAME", "TYPE", "SIZE", "PATH"}};
  for (const flow::Artifact& artifact : artifacts) {
    rows.push_back({artifact.step, printable(artifact.name), artifact.type,
                    format_size(artifact.size), printable(artifact.path)});
  }
  context.print(artifacts.empty() ? "run " + run_id + " has no artifact\n" : table(rows));
  if (!options.export_dir.empty()) {
    context.note(fmt::format("{} copied to {}\n", artifacts.size(), options.export_dir));
  }
  return 0;
}

}  // namespace wave::cli

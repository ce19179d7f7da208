#include "server/demo/demo_project.h"

#include <fmt/core.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "server/demo/demo_files.h"
#include "workspace/git.h"

namespace wave::server {
namespace {

Result<fs::path> fresh_folder(const fs::path& temporary) {
  std::string name = (temporary / "wave-demo-XXXXXX").native();
  if (::mkdtemp(name.data()) == nullptr) {
    return fail(Code::kIo,
                fmt::format("no folder for the demo can be made in {}", temporary.native()),
                "name one with --demo-folder");
  }
  return fs::path(name);
}

Status claim_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    return fail(Code::kIo, fmt::format("the folder {} cannot be made", folder.native()),
                "name another with --demo-folder");
  }
  if (fs::is_empty(folder, error)) return {};
  return fail(Code::kConflict, fmt::format("{} is not empty", folder.native()),
              "name a new folder; a demo that is there already is served by: wave serve -C " +
                  folder.native());
}

Status write_files(const fs::path& folder) {
  for (const DemoFile& file : demo_files()) {
    const fs::path path = folder / file.path;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    const bool is_program = file.content.starts_with("#!");
    WAVE_CHECK(write_file(path, file.content, is_program ? 0755 : 0644));
  }
  return {};
}

/// The pipeline works on branches: it needs a repository with a commit.
Status make_repository(const fs::path& folder) {
  const auto git = [&folder](std::vector<std::string> arguments) -> Status {
    WAVE_TRY([[maybe_unused]] const std::string said,
             workspace::git_output({.work_tree = folder, .arguments = std::move(arguments)}));
    return {};
  };
  WAVE_CHECK(git({"init", "-q", "-b", "main"}));
  WAVE_CHECK(git({"add", "-A"}));
  return git({"-c", "user.name=demo", "-c", "user.email=demo@localhost", "commit", "-q", "-m",
              "greet says hello"});
}

}  // namespace

Result<DemoProject> DemoProject::write(const fs::path& folder, const fs::path& temporary) {
  const bool is_kept = !folder.empty();
  fs::path place = folder;
  if (is_kept) {
    WAVE_CHECK(claim_folder(folder));
  } else {
    WAVE_TRY(place, fresh_folder(temporary));
  }
  std::error_code ignored;
  DemoProject project(fs::canonical(place, ignored), is_kept);
  WAVE_CHECK(write_files(project.folder()));
  WAVE_CHECK(make_repository(project.folder()));
  return project;
}

DemoProject::DemoProject(DemoProject&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), is_kept_(other.is_kept_) {}

DemoProject::~DemoProject() {
  if (folder_.empty() || is_kept_) return;
  std::error_code error;
  fs::remove_all(folder_, error);
  if (error) log::warning("the demo's folder {} was not removed", folder_.native());
}

}  // namespace wave::server

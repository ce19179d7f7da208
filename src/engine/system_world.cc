#include "engine/system_world.h"

#include "engine/hosted_process.h"

namespace wave::engine {
namespace {

constexpr size_t kMaxDiffText = 200 << 10;

bool may_live(const fs::path& launch_folder) {
  const auto state = process::inspect(launch_folder);
  if (!state || *state == process::HostedState::kRunning) return true;
  if (*state != process::HostedState::kLost) return false;
  const auto meta = process::read_meta(launch_folder);
  return !meta || process::may_have_strays(*meta) || !process::find_strays(meta->agent_id).empty();
}

// Whether a program of the run may be at work. Where that cannot be told, one may.
bool has_live_program(const fs::path& run_folder) {
  std::error_code error;
  for (fs::directory_iterator at(run_folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->is_directory(error) && may_live(at->path())) return true;
  }
  return static_cast<bool>(error);
}

std::vector<fs::path> folders_of(const store::StatePaths& paths) {
  return {paths.project / ".agents", paths.project, paths.state()};
}

}  // namespace

SystemWorld::SystemWorld(process::Launcher& launcher, Loop& loop, const store::StatePaths& paths)
    : launcher_(launcher), loop_(loop), paths_(paths), ground_(folders_of(paths)), hub_(loop) {}

Result<std::unique_ptr<Followed>> SystemWorld::start_or_attach(const process::HostRequest& request,
                                                               uint64_t out_offset,
                                                               uint64_t err_offset,
                                                               process::FollowHandlers handlers) {
  return HostedProcess::start(loop_, launcher_, hub_, paths_.state(), request, out_offset,
                              err_offset, std::move(handlers));
}

process::HostedState SystemWorld::inspect(const std::filesystem::path& dir) {
  const auto state = process::inspect(dir);
  // What cannot be looked at may live: it is never started a second time.
  return state ? *state : process::HostedState::kRunning;
}

Status SystemWorld::take_over(const fs::path& workspace_root, const std::string& run_id,
                              const std::stop_token& stop) {
  return workspace::take_over(
      paths_.project, workspace_root, run_id, [&] { return has_live_program(paths_.run(run_id)); },
      stop);
}

Result<workspace::Prepared> SystemWorld::prepare_workspace(const workspace::Request& request) {
  // What is not mounted must not be made anew in its place.
  WAVE_CHECK(ground_.check_present());
  return workspace::prepare(request);
}

Result<workspace::InjectionResult> SystemWorld::inject(
    const workspace::Prepared& workspace, const std::vector<workspace::Injection>& artifacts) {
  return workspace::inject(workspace, artifacts);
}

Status SystemWorld::clear_outputs(const workspace::Prepared& workspace,
                                  const std::vector<workspace::Output>& outputs) {
  return workspace::clear_outputs(workspace, outputs);
}

Result<std::vector<workspace::CollectedFile>> SystemWorld::collect(
    const workspace::Prepared& workspace, const std::string& step,
    const std::vector<workspace::Output>& outputs) {
  return workspace::collect(workspace, step, outputs);
}

Result<std::optional<workspace::Checkpoint>> SystemWorld::checkpoint(
    const workspace::Prepared& workspace, const std::string& ref, const std::string& message) {
  return workspace::checkpoint(workspace, ref, message);
}

Status SystemWorld::remove_locks(const workspace::Prepared& workspace) {
  return workspace::remove_locks(workspace);
}

Status SystemWorld::restore(const workspace::Prepared& workspace, const std::string& commit) {
  return workspace::restore(workspace, commit);
}

Result<std::optional<std::string>> SystemWorld::tree_id(const workspace::Prepared& workspace) {
  return workspace::tree_id(workspace);
}

Result<std::optional<std::string>> SystemWorld::resolve(const workspace::Prepared& workspace,
                                                        const std::string& name) {
  return workspace::resolve(workspace, name);
}

Result<std::string> SystemWorld::diff_text(const workspace::Prepared& workspace,
                                           const std::string& since) {
  return workspace::diff_text(workspace, since, kMaxDiffText);
}

Status SystemWorld::write_file(const std::filesystem::path& folder, const std::string& path,
                               const std::string& text) {
  WAVE_CHECK(ground_.check_present());
  WAVE_TRY(const fs::path full, path_within(folder, path));
  WAVE_CHECK(make_directories(full.parent_path()));
  return wave::write_file(full, text);
}

contract::Assessment SystemWorld::evaluate(const contract::Context& context) {
  return contract::evaluate(context);
}

Status SystemWorld::check_disk() {
  return ground_.check();
}

}  // namespace wave::engine

#include "engine/launch.h"

namespace wave::engine {

fs::path launch_folder(const RunContext& run, const std::string& name) {
  return run.paths.run(run.run_id) / name;
}

bool launch_may_pass(const Error& error) {
  return error.code == Code::kTimeout || error.code == Code::kInterrupted ||
         error.code == Code::kScarce;
}

process::HostRequest launched(const RunContext& run, const std::string& name) {
  process::HostRequest host;
  host.dir = launch_folder(run, name);
  return host;
}

Result<process::HostRequest> launch(const RunContext& run, Launch what) {
  for (const auto& [path, text] : what.plan.files) {
    WAVE_CHECK(run.world.write_file(what.files, path, text));
  }
  const model::RuntimeConfig& runtime = run.manifest().runtime;
  process::HostRequest host = launched(run, what.name);
  host.agent_id = run.run_id + "/" + what.name;
  host.argv = std::move(what.plan.argv);
  host.env = std::move(what.plan.env);
  host.env["WAVE_RUN_ID"] = run.run_id;
  if (!what.step.empty()) host.env["WAVE_STEP_ID"] = what.step;
  host.cwd = std::move(what.cwd);
  host.stdin_text = std::move(what.plan.stdin_text);
  host.timeout = what.timeout;
  host.grace = runtime.timeouts.process_grace;
  host.max_output = runtime.max_output_size;
  host.owner_lock = run.paths.owner_lock(run.run_id);
  host.unattended_limit = runtime.unattended_limit;
  return host;
}

}  // namespace wave::engine

#include "engine/run_context.h"

#include <fmt/core.h>

#include <cassert>

namespace wave::engine {

Status Inheritance::settle(World& world, const std::filesystem::path& workspace_root,
                           const std::string& run_id, const std::stop_token& stop) {
  if (settled_) return {};
  const std::scoped_lock lock(mutex_);
  if (settled_) return {};
  WAVE_CHECK(world.take_over(workspace_root, run_id, stop));
  settled_ = true;
  return {};
}

const model::Step& RunContext::step(const std::string& id) const {
  const model::Step* found = program.project.pipeline.find(id);
  assert(found != nullptr && "decide() names steps of its own pipeline only");
  return *found;
}

std::string RunContext::file(const std::string& path) const {
  const auto found = snapshot.files.find(path);
  return found == snapshot.files.end() ? std::string() : found->second;
}

std::string LaunchName::text() const {
  std::string name = fmt::format("{}.{}.{}", step, visit, attempt);
  return purpose.empty() ? name : name + "." + purpose;
}

Millis step_timeout(const RunContext& run, const model::Step& step) {
  if (step.timeout) return *step.timeout;
  if (run.state.options.timeout) return *run.state.options.timeout;
  const model::RuntimeConfig& runtime = run.manifest().runtime;
  if (runtime.default_timeout_minutes > 0)
    return std::chrono::minutes(runtime.default_timeout_minutes);
  return runtime.timeouts.step_default;
}

}  // namespace wave::engine

#include "flow/program.h"

#include <re2/re2.h>

#include <array>

#include "base/re2_text.h"

namespace wave::flow {
namespace {

constexpr std::array<std::string_view, 10> kHookEvents{
    "run_start",   "run_completed", "run_failed",         "step_start",       "step_completed",
    "step_failed", "step_retrying", "contract_validated", "artifact_created", "workspace_created"};

/// Everything reachable from `start` over `edges`, without `start`, in declaration order.
std::vector<int> reachable(const std::vector<std::vector<int>>& edges, int start) {
  std::vector<char> seen(edges.size(), 0);
  std::vector<int> open{start};
  seen[static_cast<size_t>(start)] = 1;
  while (!open.empty()) {
    const int at = open.back();
    open.pop_back();
    for (const int next : edges[static_cast<size_t>(at)]) {
      if (seen[static_cast<size_t>(next)] != 0) continue;
      seen[static_cast<size_t>(next)] = 1;
      open.push_back(next);
    }
  }
  seen[static_cast<size_t>(start)] = 0;
  std::vector<int> found;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (seen[i] != 0) found.push_back(static_cast<int>(i));
  }
  return found;
}

/// The text of a template without placeholders, else nothing.
std::string literal_text(const model::Template& text) {
  std::string literal;
  for (const auto& part : text.parts) {
    const auto* piece = std::get_if<std::string>(&part);
    if (piece == nullptr) return {};
    literal += *piece;
  }
  return literal;
}

/// A matcher that does not compile is refused when the project is loaded. Should one come this far,
/// the hook runs everywhere rather than nowhere: it may be what stands in the way of harm.
bool matches(const model::Hook& hook, std::string_view step) {
  if (hook.matcher.empty()) return true;
  const RE2 pattern(hook.matcher, RE2::Quiet);
  return !pattern.ok() || RE2::PartialMatch(re2_text(step), pattern);
}

}  // namespace

std::string_view hook_event_name(model::Hook::Event event) {
  return kHookEvents[static_cast<size_t>(event)];
}

Program::Program(model::Project loaded) : project(std::move(loaded)) {
  link_steps();
  match_hooks();
}

void Program::link_steps() {
  const size_t count = steps().size();
  dependencies.resize(count);
  dependents.resize(count);
  personas.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    index_.emplace(steps()[i].id, static_cast<int>(i));
    personas.push_back(literal_text(steps()[i].persona));
  }
  for (size_t i = 0; i < count; ++i) {
    for (const std::string& id : steps()[i].dependencies) {
      // What does not exist is refused at load; here it is a step that waits for itself, so that
      // the run ends with an error that names it instead of running too early.
      const int found = index_of(id);
      const int dependency = found < 0 ? static_cast<int>(i) : found;
      dependencies[i].push_back(dependency);
      dependents[static_cast<size_t>(dependency)].push_back(static_cast<int>(i));
    }
  }
}

void Program::match_hooks() {
  std::vector<const model::Hook*> all;
  for (const model::Hook& hook : project.manifest.hooks) all.push_back(&hook);
  for (const model::Hook& hook : project.pipeline.hooks) all.push_back(&hook);
  if (all.empty()) return;
  const size_t rows = steps().size() + 1;
  hook_table_.resize(kHookEvents.size() * rows);
  for (size_t h = 0; h < all.size(); ++h) {
    for (size_t row = 0; row < rows; ++row) {
      const std::string_view step = row == 0 ? std::string_view() : steps()[row - 1].id;
      if (!matches(*all[h], step)) continue;
      hook_table_[static_cast<size_t>(all[h]->event) * rows + row].push_back(static_cast<int>(h));
    }
  }
}

std::vector<int> Program::descendants(int step) const {
  return reachable(dependents, step);
}
std::vector<int> Program::ancestors(int step) const {
  return reachable(dependencies, step);
}

int Program::index_of(std::string_view id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? -1 : found->second;
}

std::vector<const model::Hook*> Program::hooks(model::Hook::Event event,
                                               std::string_view step) const {
  std::vector<const model::Hook*> found;
  const int index = step.empty() ? -1 : index_of(step);
  if (hook_table_.empty() || (index < 0 && !step.empty())) return found;
  const auto& manifest_hooks = project.manifest.hooks;
  for (const int h : hook_row(event, index)) {
    const auto at = static_cast<size_t>(h);
    found.push_back(at < manifest_hooks.size()
                        ? &manifest_hooks[at]
                        : &project.pipeline.hooks[at - manifest_hooks.size()]);
  }
  return found;
}

}  // namespace wave::flow

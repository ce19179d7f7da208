// Claude Code, non-interactive.
//
// The prompt goes in on stdin and the system prompt in a file, so that neither stands in argv. An
// agent with restricted permissions is started with only the tools it may use, in a mode that
// denies instead of asking, without the project's settings (their hooks and rules could widen what
// it may do; an earlier agent could have written them) and with wave's guard asked before each use
// of a tool (guard.h).
#pragma once

#include "agent/adapter.h"

namespace wave::agent {

class ClaudeAdapter final : public Adapter {
 public:
  [[nodiscard]] const AdapterInfo& info() const override;
  [[nodiscard]] Status check(const model::EffectivePermissions& permissions) const override;
  [[nodiscard]] Result<LaunchPlan> plan(const AgentRequest& request) const override;
  [[nodiscard]] std::unique_ptr<OutputParser> parser() const override;
};

/// The part of the command line that limits what the agent may do. `root`: Claude Code refuses to
/// skip its permission checks for root, so there every tool is allowed by name instead.
std::vector<std::string> claude_permission_arguments(const model::EffectivePermissions& permissions,
                                                     const std::string& guard, bool root);

}  // namespace wave::agent

// What adapters share when they make a launch plan: files in the workspace, the running program,
// variables.
#pragma once

#include "agent/adapter.h"
#include "agent/file_access.h"

namespace wave::agent {

/// `.agents/agent/<step>.<extension>`: in a folder of wave's own, one per step, because steps may
/// share a workspace. The workspace keeps this folder out of git.
std::string agent_file(const AgentRequest& request, std::string_view extension);

/// The running wave: WAVE_SELF of `own` where that is set (tests), else /proc/self/exe.
Result<std::string> self_program(const std::map<std::string, std::string>& own);

/// Where the agent's file tools may go.
FileRoots file_roots(const AgentRequest& request);

/// Adds the step's variables to an agent's environment, except what would be a credential of wave
/// (promise G10).
void add_variables(const std::map<std::string, std::string>& variables,
                   std::map<std::string, std::string>& env);

}  // namespace wave::agent

// The files an adapter puts into a workspace, and the program that is running.
#pragma once

#include "agent/adapter.h"

namespace wave::agent {

/// `.agents/agent/<step>.<extension>`: in a folder of wave's own, one per step, because steps may
/// share a workspace. The workspace keeps this folder out of git.
std::string agent_file(const AgentRequest& request, std::string_view extension);

/// The running wave: WAVE_SELF of `own` where that is set (tests), else /proc/self/exe.
Result<std::string> self_program(const std::map<std::string, std::string>& own);

}  // namespace wave::agent

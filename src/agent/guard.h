// The guard: a small program that Claude Code asks before each use of a tool (its PreToolUse hook).
// It applies wave's patterns exactly, argument patterns included, whatever the settings of the
// machine, the project or an earlier agent say. It is wave itself: `wave __permit <rules>`.
#pragma once

#include <string>

#include "agent/file_access.h"
#include "base/result.h"
#include "model/permissions.h"

namespace wave::agent {

/// The shell command that asks the guard. It fails closed: when the guard cannot run, or fails, the
/// tool is blocked (exit code 2). The rules stand in the command itself, where no agent can edit
/// them.
std::string guard_command(const std::string& program,
                          const model::EffectivePermissions& permissions, const FileRoots& roots);

/// The answer for one request of the hook: the empty string when there is nothing against it, else
/// the hook's JSON that denies it.
Result<std::string> guard_answer(std::string_view rules, std::string_view request);

/// `wave __permit <rules>`: request on stdin, answer on stdout. Exit code 0, or 2 when it could not
/// tell.
int guard_main(int argc, char** argv);

}  // namespace wave::agent

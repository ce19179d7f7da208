#include "agent/adapter.h"
#include "agent/claude_adapter.h"
#include "agent/command_adapter.h"
#include "agent/scripted_adapter.h"

namespace wave::agent {

std::vector<const Adapter*> all_adapters() {
  static const ClaudeAdapter claude;
  static const ScriptedAdapter scripted;
  static const CommandAdapter command;
  return {&claude, &scripted, &command};
}

const Adapter* find_adapter(std::string_view name) {
  for (const Adapter* adapter : all_adapters()) {
    if (adapter->info().name == name) return adapter;
  }
  return nullptr;
}

bool is_known_elsewhere(std::string_view name) {
  return name == "codex" || name == "gemini" || name == "opencode" || name == "browser";
}

}  // namespace wave::agent

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

std::string program_of(const AdapterInfo& info, const model::Manifest& manifest) {
  // The scripted adapter is wave itself, whatever its configuration says.
  if (info.name == "scripted") return info.binary;
  const auto configured = manifest.adapters.find(info.name);
  const bool has_own = configured != manifest.adapters.end() && !configured->second.binary.empty();
  return has_own ? configured->second.binary : info.binary;
}

}  // namespace wave::agent

#include "agent/permit.h"

#include <system_error>

#include "base/text.h"

namespace wave::agent {
namespace {

namespace fs = std::filesystem;

std::string inside(const fs::path& path, const fs::path& root) {
  const std::string text = path.lexically_relative(root).string();
  return text.empty() || text == ".." || text.starts_with("../") ? std::string() : text;
}

void add_path(const fs::path& path, const fs::path& root, std::vector<std::string>& names) {
  if (std::string relative = inside(path, root); !relative.empty()) {
    names.push_back("./" + relative);
    names.push_back(std::move(relative));
  }
  names.push_back(path.string());
}

fs::path resolve_links(const fs::path& path) {
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(path, error);
  return error ? path : resolved;
}

void describe_path(std::string_view text, const fs::path& workspace, ToolUse& use) {
  const fs::path path = (workspace / fs::path(text)).lexically_normal();
  add_path(path, workspace, use.arguments);
  add_path(resolve_links(path), resolve_links(workspace), use.resolved);
}

std::string host_of(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  std::string_view host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#\\"));
  if (const size_t user = host.rfind('@'); user != std::string_view::npos) {
    host.remove_prefix(user + 1);
  }
  return to_lower(host.substr(0, host.find(':')));
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& tool,
                 const std::vector<std::string>& arguments) {
  for (const auto& pattern : patterns) {
    // `Bash(git:*)` is another way to write `Bash(git)` and `Bash(git *)`.
    std::vector<std::string> forms{pattern};
    if (pattern.ends_with(":*)")) {
      const std::string stem = pattern.substr(0, pattern.size() - 3);
      forms = {stem + ")", stem + " *)"};
    }
    for (const auto& form : forms) {
      if (arguments.empty() && model::permission_matches(form, tool, "")) return true;
      for (const auto& argument : arguments) {
        if (model::permission_matches(form, tool, argument)) return true;
      }
    }
  }
  return false;
}

}  // namespace

Result<ToolPattern> parse_tool_pattern(std::string_view pattern) {
  const auto malformed = [&](std::string_view why) {
    return fail(Code::kInvalidManifest,
                fmt::format("the permission '{}' {}", excerpt(pattern, 100), why),
                "write Tool, Tool(argument pattern) or *");
  };
  ToolPattern parsed;
  for (const char c : pattern) {
    if (static_cast<unsigned char>(c) < 0x20) return malformed("contains a control character");
  }
  const size_t open = pattern.find('(');
  parsed.name = trim(pattern.substr(0, open));
  if (parsed.name.empty()) return malformed("names no tool");
  if (parsed.name.find_first_of(" ,)") != std::string::npos) return malformed("is not one tool");
  if (open == std::string_view::npos) return parsed;
  if (!pattern.ends_with(')')) return malformed("has no closing parenthesis");
  parsed.argument = pattern.substr(open + 1, pattern.size() - open - 2);
  if (parsed.argument.empty()) return malformed("has an empty argument pattern");
  parsed.has_argument = parsed.argument != "*" && parsed.argument != "**";
  return parsed;
}

bool is_unrestricted(const model::EffectivePermissions& permissions) {
  if (!permissions.denied.empty()) return false;
  return permissions.allowed.empty() ||
         std::ranges::find(permissions.allowed, "*") != permissions.allowed.end();
}

ToolUse describe_use(std::string_view tool, const json::object& input, const fs::path& workspace) {
  ToolUse use;
  use.tool = tool;
  for (const auto key : {"file_path", "notebook_path", "path"}) {
    const auto path = get_string(input, key);
    if (path.empty()) continue;
    describe_path(path, workspace, use);
    return use;
  }
  for (const auto key : {"command", "url", "query", "subagent_type", "skill"}) {
    const auto value = get_string(input, key);
    if (value.empty()) continue;
    use.arguments.emplace_back(value);
    if (std::string_view(key) == "url") {
      if (std::string host = host_of(value); !host.empty()) {
        use.arguments.push_back("domain:" + host);
      }
    }
    break;
  }
  use.resolved = use.arguments;
  return use;
}

std::string refusal(const model::EffectivePermissions& permissions, const ToolUse& use) {
  const std::string& shown = use.arguments.empty() ? use.tool : use.arguments.back();
  if (matches_any(permissions.denied, use.tool, use.arguments) ||
      matches_any(permissions.denied, use.tool, use.resolved)) {
    return fmt::format("{} is denied here ({})", use.tool, excerpt(shown, 200));
  }
  if (permissions.allowed.empty() || matches_any(permissions.allowed, use.tool, use.resolved)) {
    return {};
  }
  return fmt::format("{} is not among what is allowed here ({})", use.tool, excerpt(shown, 200));
}

}  // namespace wave::agent

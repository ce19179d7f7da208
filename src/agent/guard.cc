#include "agent/guard.h"

#include <unistd.h>

#include <cstdio>

#include "agent/permit.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace wave::agent {
namespace {

constexpr size_t kMaxRequest = 64 << 20;  // a tool's input can be a whole file
constexpr int kBlocked = 2;

Result<std::string> read_all(int fd) {
  std::string text;
  char buffer[64 << 10];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count == 0) return text;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "cannot read the request"));
    if (text.size() + static_cast<size_t>(count) > kMaxRequest) {
      return fail(Code::kLimit, "the request is too large");
    }
    text.append(buffer, static_cast<size_t>(count));
  }
}

}  // namespace

std::string guard_command(const std::string& program,
                          const model::EffectivePermissions& permissions, const FileRoots& roots) {
  json::object rules = to_json(roots);
  rules["allowed"] = to_array(permissions.allowed);
  rules["denied"] = to_array(permissions.denied);
  return fmt::format("{} __permit {} || exit {}", shell_quote(program),
                     shell_quote(dump_json(rules)), kBlocked);
}

Result<std::string> guard_answer(std::string_view rules, std::string_view request) {
  WAVE_TRY(const json::value rules_value, parse_json(rules));
  auto parsed = parse_json(request);
  if (!parsed) parsed = parse_json(to_valid_utf8(request));
  WAVE_TRY(const json::value request_value, std::move(parsed));
  if (!rules_value.is_object() || !request_value.is_object()) {
    return fail(Code::kUsage, "rules and request have to be JSON objects");
  }
  const auto& rules_object = rules_value.as_object();
  const auto& use_object = request_value.as_object();
  const auto tool = get_string(use_object, "tool_name");
  if (tool.empty()) return fail(Code::kUsage, "the request names no tool");
  const model::EffectivePermissions permissions{get_strings(rules_object, "allowed"),
                                                get_strings(rules_object, "denied")};
  const json::object& input = get_object(use_object, "tool_input");
  const FileRoots roots = file_roots_from_json(rules_object);
  std::string why = refusal(permissions, describe_use(tool, input, roots.workspace));
  if (why.empty()) why = file_refusal(permissions, tool, input, roots);
  if (why.empty()) return std::string();
  return dump_json(
      json::object{{"hookSpecificOutput", json::object{{"hookEventName", "PreToolUse"},
                                                       {"permissionDecision", "deny"},
                                                       {"permissionDecisionReason", why}}}});
}

int guard_main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: wave __permit <rules>\n", stderr);
    return kBlocked;
  }
  auto request = read_all(STDIN_FILENO);
  if (!request) {
    std::fprintf(stderr, "%s\n", request.error().message.c_str());
    return kBlocked;
  }
  const auto answer = guard_answer(argv[2], *request);
  if (!answer) {
    std::fprintf(stderr, "%s\n", answer.error().message.c_str());
    return kBlocked;
  }
  if (!answer->empty() && !write_all(STDOUT_FILENO, *answer + "\n")) return kBlocked;
  return 0;
}

}  // namespace wave::agent

// A project with a server that asks for tokens, and people who have some.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {

inline const std::string kSecret = "0123456789abcdef0123456789abcdef0123456789abcdef";
inline constexpr std::string_view kJwt =
    "server:\n  auth:\n    mode: jwt\n    jwt_secret: ${WAVE_JWT_SECRET}\n";

struct Team {
  Project project;
  std::map<std::string, std::string> environment{{"WAVE_JWT_SECRET", kSecret}};

  explicit Team(std::string_view manifest = kJwt) {
    project.manifest_append(manifest);
    project.pipeline("quick", "  - {id: only, type: command, script: \"true\"}\n");
    project.pipeline("slow", "  - {id: wait, type: command, script: \"sleep 60\"}\n");
  }
  [[nodiscard]] Exit cli(std::vector<std::string> arguments) const {
    return wave(project, std::move(arguments), environment);
  }
  /// {token, id}
  [[nodiscard]] json::object token(const std::string& role, const std::string& expires = "1h",
                                   const std::string& subject = "ada") const {
    const Exit made = cli(
        {"token", "create", "--subject", subject, "--role", role, "--expires", expires, "--json"});
    EXPECT_EQ(made.code, 0) << made.err;
    return parsed(made.out).as_object();
  }
  static std::map<std::string, std::string> bearer(const json::object& token) {
    return {{"authorization", "Bearer " + std::string(get_string(token, "token"))}};
  }
};

inline std::string text(const json::object& object, std::string_view key) {
  return std::string(get_string(object, key));
}

}  // namespace wave::test

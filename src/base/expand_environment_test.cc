#include "base/expand_environment.h"

#include <gtest/gtest.h>

namespace wave {
namespace {

TEST(Expansion, ReplacesVariablesAndNamesTheMissingOne) {
  const std::map<std::string, std::string> environment{{"SECRET", "s3"}, {"EMPTY", ""}};
  EXPECT_EQ(expand_environment("a${SECRET}b${EMPTY}$$c$d", environment, "k"), "as3b$c$d");
  const auto missing = expand_environment("${NOPE}", environment, "server.auth.jwt_secret");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().message.contains("server.auth.jwt_secret"));
  EXPECT_TRUE(missing.error().message.contains("NOPE"));
  EXPECT_FALSE(expand_environment("${SECRET", environment, "k"));
}

}  // namespace
}  // namespace wave

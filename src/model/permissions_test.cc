#include "model/permissions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace wave::model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Permissions allow(std::vector<std::string> tools, std::vector<std::string> deny = {}) {
  return {std::move(tools), std::move(deny), true};
}

EffectivePermissions effective(const Permissions& adapter, const Permissions& persona,
                               const Permissions& step) {
  AdapterConfig a;
  a.default_permissions = adapter;
  Persona p;
  p.permissions = persona;
  return effective_permissions(a, p, step);
}

TEST(Permissions, PatternsMatch) {
  EXPECT_TRUE(permission_matches("*", "Bash", "rm -rf /"));
  EXPECT_TRUE(permission_matches("Bash", "Bash", "anything"));
  EXPECT_TRUE(permission_matches("Bash(*)", "Bash", ""));
  EXPECT_TRUE(permission_matches("Bash(git log*)", "Bash", "git log a/b"));  // no path: * is all
  EXPECT_FALSE(permission_matches("Bash(git log*)", "Bash", "git push"));
  EXPECT_TRUE(permission_matches("Read(src/*)", "Read", "src/a.cc"));
  EXPECT_FALSE(permission_matches("Read(src/*)", "Read", "src/x/a.cc"));
  EXPECT_TRUE(permission_matches("Read(src/**)", "Read", "src/x/a.cc"));
  EXPECT_TRUE(permission_matches("Write(a?.[ch])", "Write", "ab.c"));
  EXPECT_FALSE(permission_matches("Write(a?.[!ch])", "Write", "ab.c"));
  EXPECT_TRUE(permission_matches("mcp__*", "mcp__x__y", ""));
  EXPECT_FALSE(permission_matches("Read", "ReadAll", ""));
}

TEST(Permissions, CoveringIsSound) {
  EXPECT_TRUE(permission_covers("*", "Bash(git *)"));
  EXPECT_TRUE(permission_covers("Bash", "Bash(git *)"));
  EXPECT_FALSE(permission_covers("Bash(git *)", "Bash"));
  EXPECT_TRUE(permission_covers("Bash(git *)", "Bash(git log *)"));
  EXPECT_FALSE(permission_covers("Bash(git log *)", "Bash(git *)"));
  EXPECT_TRUE(permission_covers("Read(src/**)", "Read(src/*)"));
  EXPECT_FALSE(permission_covers("Read(src/*)", "Read(src/**)"));
  EXPECT_TRUE(permission_covers("Read(*)", "Read"));
  EXPECT_FALSE(permission_covers("Read", "*"));
  EXPECT_TRUE(permission_covers("R*", "Read(x)"));
  EXPECT_FALSE(permission_covers("*(x)", "Read"));
}

// Whenever one pattern is said to cover another, it matches everything the other matches.
TEST(Permissions, CoveringHoldsForRandomPatterns) {
  std::mt19937 random(1);
  const auto glob = [&] {
    static const std::vector<std::string> pieces = {"a", "b",    "/",    "*",   "**",
                                                    "?", "[ab]", "[!a]", "[a/]"};
    std::string text;
    for (size_t i = random() % 5; i > 0; --i) text += pieces[random() % pieces.size()];
    return text;
  };
  const std::vector<std::string> tools = {"Read", "Bash", "*", "R*", "?ead"};
  int covered = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string outer = tools[random() % tools.size()] + "(" + glob() + ")";
    const std::string inner = tools[random() % tools.size()] + "(" + glob() + ")";
    if (!permission_covers(outer, inner)) continue;
    ++covered;
    for (int i = 0; i < 30; ++i) {
      std::string argument;
      for (size_t k = random() % 5; k > 0; --k) argument += "ab/c"[random() % 4];
      for (const char* tool : {"Read", "Bash", "Rx"}) {
        if (permission_matches(inner, tool, argument)) {
          ASSERT_TRUE(permission_matches(outer, tool, argument))
              << outer << " covers " << inner << " but not " << tool << "(" << argument << ")";
        }
      }
    }
  }
  EXPECT_GT(covered, 500);
}

TEST(Permissions, ThePersonasListReplacesTheAdapters) {
  EXPECT_THAT(effective(allow({"Read", "Write", "Bash"}), allow({"Read"}), {}).allowed,
              ElementsAre("Read"));
  EXPECT_THAT(effective(allow({"Read", "Bash"}), {}, {}).allowed, ElementsAre("Read", "Bash"));
  EXPECT_THAT(effective({}, {}, {}).allowed, IsEmpty());
  EXPECT_THAT(effective({}, {}, {}).denied, IsEmpty());
}

TEST(Permissions, AStepNarrowsAndNeverWidens) {
  EXPECT_THAT(
      effective({}, allow({"Read", "Bash(git *)"}), allow({"Bash(git log *)", "Write"})).allowed,
      ElementsAre("Bash(git log *)"));
  EXPECT_THAT(effective({}, allow({"Read", "Bash(git *)"}), allow({"*"})).allowed,
              ElementsAre("Read", "Bash(git *)"));
  EXPECT_THAT(effective({}, {}, allow({"Read"})).allowed, ElementsAre("Read"));
}

TEST(Permissions, NothingLeftIsNotEverything) {
  const EffectivePermissions none = effective({}, allow({"Read"}), allow({"Write"}));
  EXPECT_THAT(none.allowed, IsEmpty());
  EXPECT_THAT(none.denied, ElementsAre("*"));
  EXPECT_THAT(effective({}, allow({}), {}).denied, ElementsAre("*"));
}

TEST(Permissions, DeniesAddUp) {
  EXPECT_THAT(effective(allow({"*"}, {"A"}), allow({"*"}, {"B", "A"}), allow({"*"}, {"C"})).denied,
              ElementsAre("C", "B", "A"));
}

}  // namespace
}  // namespace wave::model

#include "engine/project_loading.h"

#include <gtest/gtest.h>

namespace wave::engine {
namespace {

std::string fact(const json::object& facts, std::string_view name) {
  return std::string(get_string(facts, name));
}

TEST(ForgeFacts, AreReadFromAnyFormOfRemote) {
  for (const char* url :
       {"git@github.com:acme/rocket.git", "https://github.com/acme/rocket.git",
        "ssh://git@github.com/acme/rocket", "https://user@github.com/acme/rocket"}) {
    const json::object facts = forge_facts(url, "");
    EXPECT_EQ(fact(facts, "type"), "github") << url;
    EXPECT_EQ(fact(facts, "host"), "github.com") << url;
    EXPECT_EQ(fact(facts, "owner"), "acme") << url;
    EXPECT_EQ(fact(facts, "repo"), "rocket") << url;
    EXPECT_EQ(fact(facts, "cli_tool"), "gh") << url;
  }
}

TEST(ForgeFacts, AreLocalWithoutARemote) {
  const json::object facts = forge_facts("", "");
  EXPECT_EQ(fact(facts, "type"), "local");
  EXPECT_EQ(fact(facts, "owner"), "");
  EXPECT_EQ(fact(forge_facts("/srv/git/rocket", ""), "type"), "local");
}

TEST(ForgeFacts, TheManifestOverridesTheType) {
  EXPECT_EQ(fact(forge_facts("https://code.example/a/b", "gitlab"), "cli_tool"), "glab");
}

TEST(ForgeFacts, ARemoteBringsNoShellCodeAlong) {
  const json::object facts = forge_facts("https://github.com/a$(reboot)/`b`;c", "");
  EXPECT_EQ(fact(facts, "owner"), "areboot");
  EXPECT_EQ(fact(facts, "repo"), "bc");
}

}  // namespace
}  // namespace wave::engine

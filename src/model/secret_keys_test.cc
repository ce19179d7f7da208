#include "model/secret_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wave::model {
namespace {

using ::testing::ElementsAre;

TEST(SecretKeys, NamesSayIt) {
  for (const char* name :
       {"jwt_secret", "secret", "Password", "db_passwd", "api_key", "token", "access_token",
        "DEPLOY_KEY", "GITHUB_TOKEN", "TOKEN_FOR_CI", "credentials"}) {
    EXPECT_TRUE(is_secret_key(name)) << name;
  }
  for (const char* name : {"key", "keys", "jwt_keys", "token_budget", "max_tokens", "token_scopes",
                           "KEYBOARD", "tokens", "monkey"}) {
    EXPECT_FALSE(is_secret_key(name)) << name;
  }
}

TEST(SecretKeys, ValuesAreFoundWhereverTheyStand) {
  Diagnostics diagnostics;
  const yaml::Document document = yaml::parse(
      "server: {auth: {jwt_secret: one}, tls: {key: server.key}}\n"
      "hooks: [{env: {API_TOKEN: two, NAME: x}}]\n"
      "secrets: {a: three, b: [four]}\n"
      "password:\n",
      "wave.yaml", Code::kInvalidManifest, diagnostics);
  ASSERT_TRUE(document.root);
  EXPECT_THAT(written_secrets(*document.root), ElementsAre("one", "two", "three", "four"));
}

}  // namespace
}  // namespace wave::model

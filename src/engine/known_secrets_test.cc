#include "engine/known_secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wave::engine {
namespace {

using ::testing::UnorderedElementsAre;

TEST(KnownSecrets, EnvironmentAndManifestTogether) {
  model::Manifest manifest;
  manifest.secrets = {"written-out", "${HIDDEN}", "$BARE", "${NOT_SET}", "pre-${HIDDEN}"};
  const std::map<std::string, std::string> environment{
      {"API_KEY", "from-the-environment"}, {"HIDDEN", "hidden-value"}, {"BARE", "bare-value"}};
  EXPECT_THAT(
      known_secrets(manifest, environment),
      UnorderedElementsAre("from-the-environment", "written-out", "written-out", "hidden-value",
                           "bare-value", "pre-hidden-value", "pre-${HIDDEN}"));
}

}  // namespace
}  // namespace wave::engine

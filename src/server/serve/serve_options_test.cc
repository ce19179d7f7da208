#include "server/serve/serve_options.h"

#include <gtest/gtest.h>

namespace wave::server {
namespace {

using Environment = std::map<std::string, std::string>;

TEST(Bind, TakesHostsPortsAndBoth) {
  struct Case {
    std::string text, host;
    int port;
  };
  for (const Case& expected : {Case{"0.0.0.0:9090", "0.0.0.0", 9090},
                               {"[::1]:80", "::1", 80},
                               {"::1", "::1", 8080},
                               {":7000", "127.0.0.1", 7000},
                               {"localhost", "localhost", 8080},
                               {"[::]", "::", 8080}}) {
    std::string host = "127.0.0.1";
    uint16_t port = 8080;
    ASSERT_TRUE(parse_bind(expected.text, host, port)) << expected.text;
    EXPECT_EQ(host, expected.host);
    EXPECT_EQ(port, expected.port);
  }
}

TEST(Bind, RefusesWhatIsNoAddress) {
  for (const std::string text :
       {"host:", "host:http", "host:70000", "[::1", "[::1]x", "a b:1", "http://x"}) {
    std::string host;
    uint16_t port = 0;
    EXPECT_FALSE(parse_bind(text, host, port)) << text;
  }
}

TEST(Settings, TheDemoListensOnThisMachineOnly) {
  EXPECT_TRUE(resolve_settings({.demo = true}, {}, {}));
  EXPECT_TRUE(resolve_settings({.bind = "[::1]:0", .demo = true}, {}, {}));
  const auto flag = resolve_settings({.bind = "0.0.0.0", .demo = true}, {}, {});
  ASSERT_FALSE(flag);
  EXPECT_EQ(flag.error().code, Code::kUsage);
  EXPECT_TRUE(flag.error().message.contains("--demo"));
  EXPECT_FALSE(resolve_settings({.demo = true}, {{"WAVE_BIND", "192.0.2.1:8080"}}, {}));
}

TEST(Settings, FlagsWinOverEnvironmentOverManifest) {
  model::Manifest manifest;
  manifest.server.emplace();
  manifest.server->bind = "${HOST}:1000";
  manifest.server->max_concurrent = 2;
  Environment environment{{"HOST", "127.0.0.9"}};
  auto settings = resolve_settings({}, environment, manifest);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->host, "127.0.0.9");
  EXPECT_EQ(settings->port, 1000);
  EXPECT_EQ(settings->max_concurrent, 2);

  environment["WAVE_PORT"] = "1001";
  environment["WAVE_MAX_CONCURRENT"] = "3";
  EXPECT_EQ(resolve_settings({}, environment, manifest)->port, 1001);
  settings = resolve_settings({.port = 1002, .max_concurrent = 4}, environment, manifest);
  EXPECT_EQ(settings->port, 1002);
  EXPECT_EQ(settings->max_concurrent, 4);
}

TEST(Settings, RefusesWhatCannotBe) {
  model::Manifest manifest;
  EXPECT_FALSE(resolve_settings({.port = 70000}, {}, manifest));
  EXPECT_FALSE(resolve_settings({.max_concurrent = 0}, {}, manifest));
  EXPECT_FALSE(resolve_settings({}, {{"WAVE_PORT", "many"}}, manifest));
  manifest.server.emplace();
  manifest.server->max_concurrent = 0;
  EXPECT_EQ(resolve_settings({}, {}, manifest).error().code, Code::kInvalidManifest);
}

TEST(Loopback, IsWhatOnlyThisMachineReaches) {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.example.org"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace wave::server

#include "http/client_key.h"

#include <gtest/gtest.h>

namespace wave::http {
namespace {

TEST(ClientKey, OfIpv6ANetworkIsOneClient) {
  EXPECT_EQ(client_key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(client_key("2001:db8:1:2::ffff"), client_key("2001:db8:1:2:3:4:5:6"));
  EXPECT_NE(client_key("2001:db8:1:3::1"), client_key("2001:db8:1:2::1"));
  EXPECT_EQ(client_key("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(client_key("::1"), "::1");
  EXPECT_EQ(client_key("unknown"), "unknown");
}

}  // namespace
}  // namespace wave::http

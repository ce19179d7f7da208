#include "contract/json_equal.h"

#include <gtest/gtest.h>

namespace wave::contract {
namespace {

json::value parsed(std::string_view text) {
  return parse_json(text).value();
}

bool equal(std::string_view left, std::string_view right) {
  uint64_t steps = 0;
  const json::value a = parsed(left);
  const json::value b = parsed(right);
  const bool same = json_equal(a, b, steps);
  EXPECT_GT(steps, 0U);
  if (same) EXPECT_EQ(json_hash(a, steps), json_hash(b, steps)) << left << " " << right;
  return same;
}

TEST(JsonEqual, NumbersAreComparedByValue) {
  EXPECT_TRUE(equal("1", "1.0"));
  EXPECT_TRUE(equal("-0.0", "0"));
  EXPECT_TRUE(equal("18446744073709551615", "18446744073709551615"));
  EXPECT_TRUE(equal("1e3", "1000"));
  EXPECT_FALSE(equal("-1", "18446744073709551615"));
  EXPECT_FALSE(equal("9007199254740993", "9007199254740992.0"));
  EXPECT_FALSE(equal("9223372036854775807", "9223372036854775808.0"));
  EXPECT_FALSE(equal("1", "true"));
  EXPECT_FALSE(equal("0", "false"));
  EXPECT_FALSE(equal("0", "null"));
}

TEST(JsonEqual, MembersHaveNoOrderAndItemsHave) {
  EXPECT_TRUE(equal(R"({"a":1,"b":[2,{"c":null}]})", R"({"b":[2.0,{"c":null}],"a":1})"));
  EXPECT_FALSE(equal("[1,2]", "[2,1]"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"a":1,"b":1})"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"b":1})"));
}

TEST(JsonEqual, ComparesIntegersAndDoublesWithoutRounding) {
  EXPECT_TRUE(compare_numbers(parsed("9007199254740992.0"), parsed("9007199254740993")) < 0);
  EXPECT_TRUE(compare_numbers(parsed("9007199254740993"), parsed("9007199254740992.0")) > 0);
  EXPECT_TRUE(compare_numbers(parsed("-9223372036854775808"), parsed("-9223372036854775807")) < 0);
  EXPECT_TRUE(compare_numbers(parsed("-1.5"), parsed("-1")) < 0);
  EXPECT_TRUE(compare_numbers(parsed("-1"), parsed("-1.5")) > 0);
  EXPECT_TRUE(compare_numbers(parsed("18446744073709551615"), parsed("1e300")) < 0);
  EXPECT_TRUE(compare_numbers(parsed("-9223372036854775808"), parsed("-1e300")) > 0);
  EXPECT_TRUE(compare_numbers(parsed("1e400"), parsed("18446744073709551615")) > 0);
}

TEST(JsonEqual, KnowsWholeNumbers) {
  for (std::string_view whole : {"1", "1.0", "-0.0", "1e300", "123456789012345678901234567890"}) {
    EXPECT_TRUE(is_integer(parsed(whole))) << whole;
  }
  for (std::string_view other : {"1.5", "1e-3", "1e400"}) {
    EXPECT_FALSE(is_integer(parsed(other))) << other;
  }
}

TEST(JsonEqual, CountsMultiplesInDecimals) {
  const auto multiple = [](std::string_view number, std::string_view divisor) {
    return is_multiple_of(parsed(number), parsed(divisor));
  };
  EXPECT_TRUE(multiple("0.0075", "0.0001"));
  EXPECT_TRUE(multiple("19.99", "0.01"));
  EXPECT_TRUE(multiple("4.35", "0.05"));
  EXPECT_TRUE(multiple("1e308", "0.5"));
  EXPECT_TRUE(multiple("0", "7"));
  EXPECT_TRUE(multiple("-21", "7"));
  EXPECT_TRUE(multiple("9223372036854775806", "2"));
  EXPECT_TRUE(multiple("12391239123", "1e-8"));
  EXPECT_TRUE(multiple("4.5", "1.5"));
  EXPECT_FALSE(multiple("0.00751", "0.0001"));
  EXPECT_FALSE(multiple("9223372036854775807", "2"));
  EXPECT_FALSE(multiple("1e308", "0.123456789"));
  EXPECT_FALSE(multiple("35", "1.5"));
  EXPECT_FALSE(multiple("1e-30", "1e30"));
}

}  // namespace
}  // namespace wave::contract

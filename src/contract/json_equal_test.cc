#include "contract/json_equal.h"

#include <gtest/gtest.h>

namespace wave::contract {
namespace {

json::value value_of(std::string_view text) {
  return parse_json(text).value();
}

bool equal(std::string_view left, std::string_view right) {
  uint64_t steps = 0;
  const json::value a = value_of(left);
  const json::value b = value_of(right);
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
  EXPECT_TRUE(compare_numbers(value_of("9007199254740992.0"), value_of("9007199254740993")) < 0);
  EXPECT_TRUE(compare_numbers(value_of("9007199254740993"), value_of("9007199254740992.0")) > 0);
  EXPECT_TRUE(compare_numbers(value_of("-9223372036854775808"), value_of("-9223372036854775807")) <
              0);
  EXPECT_TRUE(compare_numbers(value_of("-1.5"), value_of("-1")) < 0);
  EXPECT_TRUE(compare_numbers(value_of("-1"), value_of("-1.5")) > 0);
  EXPECT_TRUE(compare_numbers(value_of("18446744073709551615"), value_of("1e300")) < 0);
  EXPECT_TRUE(compare_numbers(value_of("-9223372036854775808"), value_of("-1e300")) > 0);
  EXPECT_TRUE(compare_numbers(value_of("1e400"), value_of("18446744073709551615")) > 0);
}

TEST(JsonEqual, KnowsWholeNumbers) {
  for (std::string_view whole : {"1", "1.0", "-0.0", "1e300", "123456789012345678901234567890"}) {
    EXPECT_TRUE(is_integer(value_of(whole))) << whole;
  }
  for (std::string_view other : {"1.5", "1e-3", "1e400"}) {
    EXPECT_FALSE(is_integer(value_of(other))) << other;
  }
}

TEST(JsonEqual, CountsMultiplesInDecimals) {
  const auto multiple = [](std::string_view number, std::string_view divisor) {
    return is_multiple_of(value_of(number), value_of(divisor));
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

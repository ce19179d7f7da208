#include "contract/ecma_regex.h"

#include <gtest/gtest.h>

namespace wave::contract {
namespace {

bool found(std::string_view pattern, std::string_view text) {
  const auto regex = EcmaRegex::compile(pattern);
  EXPECT_TRUE(regex) << (regex ? "" : regex.error().message);
  uint64_t steps = 0;
  return regex && regex->search(text, steps).value();
}

TEST(EcmaRegex, IsNotAnchoredAndKnowsBothEnds) {
  EXPECT_TRUE(found("b", "abc"));
  EXPECT_FALSE(found("^b", "a\nb"));
  EXPECT_TRUE(found("^abc$", "abc"));
  EXPECT_FALSE(found("^abc$", "abc\n"));
}

TEST(EcmaRegex, ClassesAreAsciiAndSpacesAreUnicode) {
  EXPECT_FALSE(found("^\\d$", "\u07c0"));
  EXPECT_FALSE(found("^\\w$", "é"));
  EXPECT_TRUE(found("^\\W$", "é"));
  EXPECT_TRUE(found("^[\\W]$", "é"));
  EXPECT_TRUE(found("^\\s$", "\u00a0"));
  EXPECT_TRUE(found("^[^\\S]$", "\u2003"));
  EXPECT_FALSE(found("^\\S$", "\ufeff"));
  EXPECT_FALSE(found("^.$", "\u2028"));
  EXPECT_TRUE(found("^.$", "\U0001f432"));
  EXPECT_TRUE(found("^[[a]+$", "[a["));
  EXPECT_TRUE(found("^[^]$", "\n"));
  EXPECT_FALSE(found("[]", "a"));
}

TEST(EcmaRegex, KnowsItsEscapes) {
  EXPECT_TRUE(found("^\\cC$", "\x03"));
  EXPECT_TRUE(found("^\\u00e9\\x41\\0$", std::string_view("éA\0", 4)));
  EXPECT_TRUE(found("^\\ud83d\\udc32*$", "\U0001f432\U0001f432"));
  EXPECT_TRUE(found("^\\u{1f432}$", "\U0001f432"));
  EXPECT_TRUE(found("^\\p{Letter}\\P{Nd}\\p{Script=Greek}$", "éxα"));
  EXPECT_TRUE(found("^\\/\\-\\@$", "/-@"));
}

TEST(EcmaRegex, LookAroundAndReferencesWork) {
  EXPECT_TRUE(found("^(?!tmp)\\w+$", "file"));
  EXPECT_FALSE(found("^(?!tmp)\\w+$", "tmp1"));
  EXPECT_TRUE(found("(?<=a)b", "ab"));
  EXPECT_TRUE(found("^(a|b)\\1$", "aa"));
  EXPECT_FALSE(found("^(a|b)\\1$", "ab"));
  EXPECT_TRUE(found("^(?<x>a)\\k<x>$", "aa"));
  EXPECT_TRUE(found("^x{1001}$", std::string(1001, 'x')));
}

TEST(EcmaRegex, AWrongPatternSaysWhere) {
  for (std::string_view pattern :
       {"(", "[a", "\\", "a**", "\\Z", "\\a", "(?z)", "\\u12", "\\p{Nope}", "\\c1", "(?<=a*)b",
        "\\1", "x{2,1}", "\\ud83d", "[\\1]"}) {
    const auto regex = EcmaRegex::compile(pattern);
    ASSERT_FALSE(regex) << pattern;
    EXPECT_EQ(regex.error().code, Code::kUsage);
    EXPECT_NE(regex.error().message.find(pattern), std::string::npos) << regex.error().message;
  }
  EXPECT_FALSE(EcmaRegex::compile(std::string(70'000, 'a')));
}

TEST(EcmaRegex, AHostilePatternIsGivenUp) {
  uint64_t steps = 0;
  const auto linear = EcmaRegex::compile("^(a+)+$");
  EXPECT_EQ(linear->search(std::string(100'000, 'a') + "!", steps).value(), false);
  const auto exponential = EcmaRegex::compile("^(?=x|a)(a+)+\\1$");
  const auto answer = exponential->search(std::string(5'000, 'a') + "!", steps);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kLimit);
  EXPECT_GT(steps, 10'000U);
  // Long texts that need much backtracking, but not without end, are matched.
  const auto patient = EcmaRegex::compile("^(?!x)(?:[a-z]-)*$");
  std::string chain;
  for (int i = 0; i < 20'000; ++i) chain += "a-";
  EXPECT_EQ(patient->search(chain, steps).value(), true);
}

}  // namespace
}  // namespace wave::contract

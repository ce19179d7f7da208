#include "cli/gate_input.h"

#include <gtest/gtest.h>

namespace wave::cli {
namespace {

GateView gate(const std::string& id, bool freeform, bool choices = true) {
  GateView view;
  view.gate_id = id;
  view.step = id;
  view.freeform = freeform;
  if (choices) view.choices = {{"y", "Yes"}, {"rework", "Again"}};
  return view;
}

std::optional<GateAnswer> type(GateInput& input, const std::vector<GateView>& gates,
                               std::string_view keys) {
  std::optional<GateAnswer> answer;
  for (const char key : keys) {
    EXPECT_FALSE(answer.has_value()) << "answered too early";
    answer = input.on_key({key}, gates);
  }
  return answer;
}

TEST(GateInput, AKeyAnswers) {
  GateInput input;
  const auto answer = type(input, {gate("g", false)}, "Y");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->choice, "y");
  EXPECT_EQ(answer->gate_id, "g");
}

TEST(GateInput, LongKeysAreReachedByNumber) {
  GateInput input;
  EXPECT_EQ(type(input, {gate("g", false)}, "2").value_or(GateAnswer{}).choice, "rework");
  EXPECT_FALSE(type(input, {gate("g", false)}, "139x\n").has_value()) << "1 is y, which has a key";
}

TEST(GateInput, FreeTextIsTypedAndSent) {
  GateInput input;
  const auto answer = type(input, {gate("g", true)},
                           "2ab\x7f\xc3\xa9\x7f"
                           "c d\n");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->choice, "rework");
  EXPECT_EQ(answer->text, "ac d");
}

TEST(GateInput, EscapeGoesBack) {
  GateInput input;
  const std::vector<GateView> gates{gate("g", true)};
  EXPECT_FALSE(type(input, gates, "yabc\x1b").has_value());
  EXPECT_FALSE(input.typing());
  EXPECT_EQ(type(input, gates, "2\n").value_or(GateAnswer{}).choice, "rework");
}

TEST(GateInput, AStaleKeyNeverDecidesAnotherGate) {
  GateInput input;
  EXPECT_FALSE(type(input, {gate("first", true)}, "yhalf a text").has_value());
  const std::vector<GateView> next{gate("second", true)};
  EXPECT_FALSE(type(input, next, "\n").has_value());
  EXPECT_EQ(type(input, next, "y!\n").value_or(GateAnswer{}).text, "!");
}

TEST(GateInput, TabChoosesAmongGates) {
  GateInput input;
  const std::vector<GateView> gates{gate("a", false), gate("b", false)};
  EXPECT_EQ(type(input, gates, "\ty").value_or(GateAnswer{}).gate_id, "b");
}

TEST(GateInput, WithoutChoicesEnterOrTextPasses) {
  GateInput input;
  EXPECT_EQ(type(input, {gate("g", false, false)}, "\n").value_or(GateAnswer{}).gate_id, "g");
  GateInput typed;
  EXPECT_EQ(type(typed, {gate("g", true, false)}, "ok\n").value_or(GateAnswer{}).text, "ok");
  GateInput nothing;
  EXPECT_FALSE(type(nothing, {}, "y\n").has_value());
}

TEST(GateInput, WhatIsPastedIsTextAndDecidesNothing) {
  const std::vector<GateView> plain{gate("g1", false)};
  GateInput input;
  EXPECT_FALSE(input.on_key({'y', true}, plain));
  const std::vector<GateView> freeform{gate("g2", true)};
  EXPECT_FALSE(input.on_key({'y'}, freeform));
  for (const char byte : std::string("a\nb")) EXPECT_FALSE(input.on_key({byte, true}, freeform));
  const auto answer = input.on_key({'\n'}, freeform);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "ab");
}

}  // namespace
}  // namespace wave::cli

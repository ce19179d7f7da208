#include "contract/json_recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "contract/json_tokens.h"

namespace wave::contract {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kNone = RecoveryLevel::kNone;
constexpr auto kConservative = RecoveryLevel::kConservative;
constexpr auto kProgressive = RecoveryLevel::kProgressive;
constexpr auto kAggressive = RecoveryLevel::kAggressive;

/// The recovered JSON on one line, or "-".
std::string recovered(std::string_view text, RecoveryLevel level) {
  const auto result = recover_json(text, level);
  return result ? dump_json(result->value) : "-";
}

std::vector<std::string> applied(std::string_view text, RecoveryLevel level) {
  const auto result = recover_json(text, level);
  return result ? result->applied : std::vector<std::string>{"(failed)"};
}

TEST(JsonRecovery, PlainJsonIsLeftAlone) {
  for (std::string_view text :
       {R"({"a":[1,2,{"b":"// no comment, }"}]})", "[]", "null", "\"x\"", " {\"a\" : 1 }\n"}) {
    for (RecoveryLevel level : {kNone, kConservative, kProgressive, kAggressive}) {
      const auto result = recover_json(text, level);
      ASSERT_TRUE(result) << text;
      EXPECT_THAT(result->applied, IsEmpty());
      EXPECT_EQ(result->value, parse_json(text).value());
    }
  }
}

TEST(JsonRecovery, NothingIsTriedWhenItIsOff) {
  EXPECT_EQ(recovered("```json\n{}\n```", kNone), "-");
  EXPECT_EQ(recovered("{\"a\":1,}", kNone), "-");
}

TEST(JsonRecovery, FindsTheJsonInWhatIsAroundIt) {
  EXPECT_EQ(recovered("Here's the result:\n{\"a\":1}", kConservative), R"({"a":1})");
  EXPECT_THAT(applied("Here's the result:\n{\"a\":1}", kConservative),
              ElementsAre("removed_preamble"));
  EXPECT_EQ(recovered("It's {\"a\":1}. That's it, see [1].", kConservative), R"({"a":1})");
  EXPECT_THAT(applied("It's {\"a\":1}. Done.", kConservative), ElementsAre("extracted_balanced"));
  EXPECT_EQ(recovered("Sure!\n```json\n{\"a\": \"x ``` y\"}\n```\nBye", kConservative),
            R"({"a":"x ``` y"})");
  EXPECT_EQ(recovered("```\n\"just text\"\n```", kConservative), R"("just text")");
  EXPECT_THAT(applied("```\n\"just text\"\n```", kConservative), ElementsAre("removed_fences"));
  EXPECT_EQ(recovered("Use {curly} ones, like {\"a\":1}", kProgressive), R"({"a":1})");
}

TEST(JsonRecovery, RemovesDecorationOnlyOutsideOfStrings) {
  constexpr std::string_view kText = R"({
    // a comment, with "quotes" and {braces}
    "url": "http://x/y",   /* another */
    "text": "keep , ] and // and /* this */ , }",
    "list": [1, 2, ],
  })";
  const auto result = recover_json(kText, kConservative);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->value, parse_json(R"({"url":"http://x/y",
      "text":"keep , ] and // and /* this */ , }","list":[1,2]})")
                               .value());
  EXPECT_THAT(result->applied, ElementsAre("removed_comments", "removed_trailing_commas"));
  EXPECT_EQ(recovered("\ufeff{\"a\":\u00a01}", kConservative), R"({"a":1})");
}

TEST(JsonRecovery, ProgressiveReadsOtherLanguages) {
  EXPECT_EQ(recovered("{a: 1, $b_c: 'it\\'s \"x\"', \"d\": True, e: None}", kProgressive),
            R"({"a":1,"$b_c":"it's \"x\"","d":true,"e":null})");
  EXPECT_EQ(recovered("[1 2 {\"a\":1} {\"b\":2}]", kProgressive), R"([1,2,{"a":1},{"b":2}])");
  EXPECT_EQ(recovered("{\"a\":1\n\"b\":2}", kProgressive), R"({"a":1,"b":2})");
  EXPECT_EQ(recovered("{\"a\":\"line\nbreak\"}", kProgressive), R"({"a":"line\nbreak"})");
  EXPECT_EQ(recovered("{a: 1}", kConservative), "-");
  EXPECT_THAT(applied("{a: 'x'}", kProgressive),
              ElementsAre("quoted_bare_keys", "replaced_single_quotes"));
}

TEST(JsonRecovery, TruncatedDataIsCompletedOnlyWhenAskedFor) {
  for (std::string_view text :
       {R"({"items":[{"id":1},{"id":2)", R"({"items":[{"id":1},{"id":2},)", R"({"a":1,"b":"tex)",
        R"({"a":1,"b":)", R"({"a":1,)", R"([{"id":1},{"id":2})", "```json\n{\"a\":[{\"b\":1}\n```",
        R"(Done: {"a":{"b":1})", R"({"done":true}{"rest":)"}) {
    EXPECT_EQ(recovered(text, kConservative), "-") << text;
    if (text.find("}{") != std::string_view::npos) continue;
    EXPECT_EQ(recovered(text, kProgressive), "-") << text;
    const auto result = recover_json(text, kAggressive);
    if (text.starts_with('{') || text.starts_with('[')) {
      ASSERT_TRUE(result) << text;
      EXPECT_THAT(result->applied, Contains("closed_open_brackets")) << text;
    }
  }
  EXPECT_EQ(recovered(R"({"items":[{"id":1},{"id":2)", kAggressive),
            R"({"items":[{"id":1},{"id":2}]})");
  EXPECT_EQ(recovered(R"({"a":1,"b":"tex\)", kAggressive), R"({"a":1,"b":"tex"})");
  EXPECT_EQ(recovered(R"({"a":1,"b":"t\u00)", kAggressive), R"({"a":1,"b":"t"})");
  EXPECT_EQ(recovered(R"({"a":1,"b")", kAggressive), R"({"a":1})");
}

// A closer too many means that something within was cut out: the rest must not be dropped unseen.
TEST(JsonRecovery, DamagedDataIsNotExtractedAtConservative) {
  EXPECT_EQ(recovered(R"({"a":{"b":1}},"c":2})", kConservative), "-");
  EXPECT_EQ(recovered(R"({"a":1} {"b":2})", kConservative), "-");
  EXPECT_EQ(recovered(R"(first {"a":1} then {"b":2,"c":3})", kProgressive), R"({"b":2,"c":3})");
  EXPECT_THAT(applied(R"(first {"a":1} then {"b":2,"c":3})", kProgressive),
              ElementsAre("chose_largest"));
}

// Upstream stops after ten strategies, so that its last two never run.
TEST(JsonRecovery, TheLastAggressiveRepairsRunToo) {
  EXPECT_THAT(applied(R"({"a": , "b": 1,, "c": [1,,2]})", kAggressive),
              Contains("inferred_missing_values"));
  EXPECT_EQ(recovered(R"({"a": , "b": 1,, "c": [1,,2]})", kAggressive),
            R"({"a":null,"b":1,"c":[1,2]})");
  EXPECT_THAT(applied(R"({"a": [1, 2}, "b": 1})", kAggressive), Contains("reconstructed"));
  EXPECT_EQ(recovered(R"({"a": @1})", kAggressive), R"({"a":1})");
}

TEST(JsonRecovery, AnErrorSaysWhereThePlainTextStopped) {
  const auto result = recover_json("{\"a\": @@@}", kConservative);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("line 1"), std::string::npos) << result.error().message;
  EXPECT_FALSE(result.error().hint.empty());
  EXPECT_EQ(recovered("no JSON here at all", kAggressive), "-");
  EXPECT_EQ(recovered("", kAggressive), "-");
}

TEST(JsonRecovery, RecognisesErrorWrappers) {
  const auto wrapper = [](std::string_view text) {
    return is_error_wrapper(parse_json(text).value());
  };
  EXPECT_TRUE(wrapper(R"({"error_type":"x","raw_output":"{}","attempts":1})"));
  EXPECT_FALSE(wrapper(R"({"error_type":"x","raw_output":"{}"})"));
  EXPECT_FALSE(wrapper(R"({"error_type":"","raw_output":"{}","attempts":1})"));
  EXPECT_FALSE(wrapper(R"({"error_type":"x","raw_output":"","attempts":1})"));
  EXPECT_FALSE(wrapper(R"({"error_type":"x","step_id":"a","attempts":1})"));
  EXPECT_FALSE(wrapper("[1]"));
}

// --- Whatever comes in ---

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  json::value value(int depth) {
    switch (pick(depth <= 0 ? 5 : 7)) {
      case 0:
        return nullptr;
      case 1:
        return pick(2) == 0;
      case 2:
        return static_cast<int64_t>(pick(1000)) - 500;
      case 3:
      case 4:
        return json::value(std::string_view(kTexts[pick(kTexts.size())]));
      case 5: {
        json::array array;
        for (size_t i = pick(4); i > 0; --i) array.push_back(value(depth - 1));
        return array;
      }
      default: {
        json::object object;
        for (size_t i = pick(4); i > 0; --i) object[kTexts[pick(kTexts.size())]] = value(depth - 1);
        return object;
      }
    }
  }

  void mutate(std::string& text) {
    const size_t at = pick(text.size() + 1);
    switch (pick(4)) {
      case 0:
        text.erase(at, pick(5));
        break;
      case 1:
        text.insert(at, kPieces[pick(kPieces.size())]);
        break;
      case 2:
        text.resize(at);
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(pick(256));
    }
  }

 private:
  size_t pick(size_t count) { return static_cast<size_t>(random_() % count); }

  static constexpr std::array kTexts{"a",    "key",       "it's",        "a,]",
                                     "// x", "/* y */",   "{\"z\":[",    "\\",
                                     "\"",   "```json\n", "\u00e9\u2028"};
  static constexpr std::array kPieces{"{",    "}",    "[",      "]",    ",",   ":",     "\"",
                                      "'",    "//",   "/*",     "*/",   "\\",  "```\n", "\n",
                                      "true", "None", "\u00a0", "\xff", "key:"};
  std::mt19937_64 random_;
};

TEST(JsonRecovery, RandomMutationsNeverBreakIt) {
  size_t recoveries = 0;
  for (uint64_t seed = 0; seed < 6'000; ++seed) {
    Mutator mutator(seed);
    const json::value original = mutator.value(4);
    std::string text = dump_json(original);
    for (RecoveryLevel level : {kConservative, kAggressive}) {
      const auto untouched = recover_json(text, level);
      ASSERT_TRUE(untouched) << text;
      ASSERT_TRUE(untouched->applied.empty() && untouched->value == original) << text;
    }
    for (int i = 0; i < 4; ++i) {
      mutator.mutate(text);
      ASSERT_EQ(join_tokens(read_tokens(text)), text);
      for (RecoveryLevel level : {kConservative, kProgressive, kAggressive}) {
        const auto result = recover_json(text, level);
        if (!result) continue;
        ASSERT_EQ(result->applied.empty(), parse_json(text).has_value()) << text;
        recoveries += result->applied.empty() ? 0 : 1;
      }
    }
  }
  EXPECT_GT(recoveries, 1'000U);
}

// Cutting a document anywhere must not give another document at the mild levels.
TEST(JsonRecovery, NoPrefixOfADocumentPasses) {
  constexpr std::string_view kText =
      R"({"items":[{"id":1,"t":"a } b"},{"id":2,"t":"c ] d"}],"more":{"x":[1,2,{"y":[]}]},"z":"end"})";
  for (size_t cut = 0; cut < kText.size(); ++cut) {
    EXPECT_EQ(recovered(kText.substr(0, cut), kConservative), "-") << cut;
    EXPECT_EQ(recovered(kText.substr(0, cut), kProgressive), "-") << cut;
  }
}

TEST(JsonRecovery, HostileTextsTakeLinearTime) {
  const auto repeated = [](std::string_view piece) {
    std::string text;
    while (text.size() < 200'000) text += piece;
    return text;
  };
  // Quadratic work on any of these would take minutes.
  for (std::string_view piece : {"[", "{\"a\":", "'\\", "\\'", "/*", "['\\']", "{}", "```\n",
                                 "\"\\", "}", "[1]x", ",", "a:"}) {
    const auto result = recover_json("x" + repeated(piece), kAggressive);
    if (result) EXPECT_FALSE(result->applied.empty());
  }
  EXPECT_EQ(recovered(std::string(2'000'000, ','), kAggressive), "-");
}

}  // namespace
}  // namespace wave::contract

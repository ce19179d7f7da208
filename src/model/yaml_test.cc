#include "model/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace wave::model::yaml {
namespace {

using testing::HasSubstr;

Document parse_text(const std::string& text, Diagnostics& diagnostics) {
  return parse(text, "f.yaml", Code::kInvalidPipeline, diagnostics);
}

Node value_of(const std::string& yaml) {
  Diagnostics diagnostics;
  Document document = parse_text("v: " + yaml, diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << yaml << ": " << to_text(diagnostics.front());
  return document.root ? *document.root->find("v") : Node{};
}

std::string error_of(const std::string& yaml) {
  Diagnostics diagnostics;
  const Document document = parse_text(yaml, diagnostics);
  EXPECT_FALSE(document.root);
  return diagnostics.empty() ? "" : to_text(diagnostics.front());
}

TEST(Yaml, EveryKeyAndScalarHasItsPlace) {
  Diagnostics diagnostics;
  const Document document = parse_text("a: 1\nb:\n  - x\n  - {c: \"ä\", d: y}\n", diagnostics);
  ASSERT_TRUE(document.root);
  EXPECT_EQ(document.locate("a"), (SourcePos{"f.yaml", 1, 4}));
  EXPECT_EQ(document.locate("b[0]"), (SourcePos{"f.yaml", 3, 5}));
  EXPECT_EQ(document.locate("b[1].c"), (SourcePos{"f.yaml", 4, 9}));
  EXPECT_EQ(document.locate("b[1].d"), (SourcePos{"f.yaml", 4, 17}));  // columns are characters
  EXPECT_EQ(document.locate("b"), (SourcePos{"f.yaml", 2, 1}));        // a mapping's key
  EXPECT_EQ(document.locate("b[1].nothing"), (SourcePos{"f.yaml", 4, 5}));
}

TEST(Yaml, KeysWithDotsAreFound) {
  Diagnostics diagnostics;
  const Document document = parse_text("cases:\n  a.b: x\n  a: {b: y}\n", diagnostics);
  EXPECT_EQ(document.locate("cases.a.b").line, 2);
}

TEST(Yaml, ScalarsAreTypedAsGoDoes) {
  EXPECT_TRUE(value_of("~").is_null());
  EXPECT_TRUE(value_of("null").is_null());
  EXPECT_TRUE(value_of("").is_null());
  EXPECT_FALSE(value_of("\"\"").is_null());
  EXPECT_EQ(value_of("true").as_bool(), true);
  EXPECT_EQ(value_of("yes").as_bool(), true);
  EXPECT_EQ(value_of("off").as_bool(), false);
  EXPECT_EQ(value_of("\"true\"").as_bool(), std::nullopt);
  EXPECT_EQ(value_of("12").as_int(), 12);
  EXPECT_EQ(value_of("-12").as_int(), -12);
  EXPECT_EQ(value_of("1_000").as_int(), 1000);
  EXPECT_EQ(value_of("0x1F").as_int(), 31);
  EXPECT_EQ(value_of("0o17").as_int(), 15);
  EXPECT_EQ(value_of("017").as_int(), 15);
  EXPECT_EQ(value_of("0b101").as_int(), 5);
  EXPECT_EQ(value_of("3.0").as_int(), 3);
  EXPECT_EQ(value_of("3.5").as_int(), std::nullopt);
  EXPECT_EQ(value_of("'12'").as_int(), std::nullopt);
  EXPECT_EQ(value_of("!!str 12").as_int(), std::nullopt);
  EXPECT_EQ(value_of("!!int \"12\"").as_int(), 12);
  EXPECT_EQ(value_of("99999999999999999999").as_int(), std::nullopt);
  EXPECT_EQ(value_of("1.5e3").as_double(), 1500);
  EXPECT_EQ(value_of("-.inf").as_double(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(value_of("1.2.3").as_double(), std::nullopt);
  EXPECT_EQ(value_of("10m").as_double(), std::nullopt);
  EXPECT_EQ(value_of("1.50").text, "1.50");  // as it is spelt
  EXPECT_EQ(value_of("[1]").type_name(), "a list");
}

TEST(Yaml, BlockScalarsKeepPlacesOfWhatIsInThem) {
  Diagnostics diagnostics;
  const Document document = parse_text(
      "a:\n  b: |\n    one {{ x }}\n\n      two {{ y }}\n  c: >-\n    folded\n    text {{ z }}\n"
      "  d: 'it''s {{ w }}'\n  e: plain {{ v }}\n  f: \"{{{ u }}\"\n",
      diagnostics);
  ASSERT_TRUE(document.root);
  const Node& a = *document.root->find("a");
  EXPECT_EQ(a.find("b")->text, "one {{ x }}\n\n  two {{ y }}\n");
  EXPECT_EQ(document.pos_of(*a.find("b"), "{{", 0), (SourcePos{"f.yaml", 3, 9}));
  EXPECT_EQ(document.pos_of(*a.find("b"), "{{", 1), (SourcePos{"f.yaml", 5, 11}));
  EXPECT_EQ(document.pos_of(*a.find("c"), "{{", 0), (SourcePos{"f.yaml", 8, 10}));
  EXPECT_EQ(document.pos_of(*a.find("d"), "{{", 0), (SourcePos{"f.yaml", 9, 13}));
  EXPECT_EQ(document.pos_of(*a.find("e"), "{{", 0), (SourcePos{"f.yaml", 10, 12}));
  EXPECT_EQ(document.pos_of(*a.find("f"), "{{", 0), (SourcePos{"f.yaml", 11, 8}));
  EXPECT_EQ(document.locate("a.b").line, 2);
}

TEST(Yaml, DuplicateKeysAreRefusedWithBothLines) {
  const std::string error = error_of("a: 1\nb: 2\na: 3\n");
  EXPECT_THAT(error, HasSubstr("f.yaml:3:1: error: the key \"a\" is there twice"));
  EXPECT_THAT(error, HasSubstr("line 1"));
}

TEST(Yaml, SyntaxErrorsHaveAPlace) {
  EXPECT_THAT(error_of("a: [1, 2\nb: 3\n"),
              testing::MatchesRegex("f.yaml:[0-9]+:[0-9]+: error: .+"));
  EXPECT_THAT(error_of("a: 'open\n"), testing::MatchesRegex("f.yaml:[0-9]+:[0-9]+: error: .+"));
  EXPECT_THAT(error_of("a: b: c\n"), testing::MatchesRegex("f.yaml:[0-9]+:[0-9]+: error: .+"));
  EXPECT_THAT(error_of("a: {{ input }}\n"), HasSubstr("quotes"));
}

TEST(Yaml, WhatIsNoTextIsRefused) {
  EXPECT_THAT(error_of(std::string("a: \x01\n")), HasSubstr("f.yaml:1:4: error: the byte 0x01"));
  EXPECT_THAT(error_of("ok: 1\na: \xff\n"), HasSubstr("f.yaml:2:4"));
  EXPECT_THAT(error_of(std::string("a: \0b", 5)), HasSubstr("0x00"));
  EXPECT_THAT(error_of(""), HasSubstr("empty"));
  EXPECT_THAT(error_of("# only a comment\n"), HasSubstr("empty"));
}

TEST(Yaml, OneDocumentOnly) {
  EXPECT_THAT(error_of("a: 1\n---\nb: 2\n"), HasSubstr("second YAML document"));
}

TEST(Yaml, AliasesAndMergesExpand) {
  Diagnostics diagnostics;
  const Document document = parse_text(
      "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\ncopy: *b\nlist:\n  <<: [*b, {z: 4}]\n",
      diagnostics);
  ASSERT_TRUE(document.root) << to_text(diagnostics.front());
  EXPECT_EQ(document.root->find("use")->find("x")->text, "1");
  EXPECT_EQ(document.root->find("use")->find("y")->text, "3");
  EXPECT_EQ(document.root->find("copy")->find("y")->text, "2");
  EXPECT_EQ(document.root->find("list")->find("z")->text, "4");
}

TEST(Yaml, AliasBombsAreStopped) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int k = 0; k < 10; ++k) bomb += fmt::format("{}*a{}", k ? ", " : "", i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(error_of(bomb), HasSubstr("aliases expanded"));
  const std::string long_text(1 << 20, 'x');
  std::string copies = "a: &a " + long_text + "\nb: [";
  for (int i = 0; i < 2000; ++i) copies += i ? ", *a" : "*a";
  EXPECT_THAT(error_of(copies + "]\n"), HasSubstr("aliases expanded"));
  EXPECT_THAT(error_of("a: &a [*a]\n"), HasSubstr("inside of what it refers to"));
  EXPECT_THAT(error_of("a: *nothing\n"), HasSubstr("*nothing"));
}

TEST(Yaml, DepthIsBounded) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += '[';
  EXPECT_THAT(error_of("a: " + deep), HasSubstr("f.yaml:1:"));
  std::string block;
  for (int i = 0; i < 200; ++i) block += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(error_of(block), HasSubstr("nested"));
}

TEST(Yaml, UnknownTagsAreRefused) {
  EXPECT_THAT(error_of("a: !secret x\n"), HasSubstr("tag"));
  EXPECT_THAT(error_of("a: !!binary aGk=\n"), HasSubstr("tag"));
}

TEST(Yaml, RandomBytesNeverCrash) {
  std::mt19937 random(7);
  const std::string alphabet = "ab:-[]{},\n \t'\"|>&*!#%@`?<0.~\\_";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const size_t length = random() % 60;
    for (size_t i = 0; i < length; ++i) {
      text += random() % 40 == 0 ? static_cast<char>(random() % 256)
                                 : alphabet[random() % alphabet.size()];
    }
    Diagnostics diagnostics;
    const Document document = parse_text(text, diagnostics);
    ASSERT_TRUE(document.root.has_value() != !diagnostics.empty()) << "round " << round << "\n"
                                                                   << text;
  }
}

TEST(Yaml, MutatedPipelinesNeverCrash) {
  const std::string seed =
      "kind: WavePipeline\nmetadata: {name: \"p\"}\nsteps:\n  - id: &x a\n    script: |\n      "
      "echo {{ "
      "input }}\n      done\n    dependencies: [*x, 'b']\n    <<: {type: >-\n command}\n";
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seed;
    const size_t edits = 1 + random() % 4;
    for (size_t i = 0; i < edits && !text.empty(); ++i) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.erase(at, 1 + random() % 8);
          break;
        case 1:
          text.insert(at, text.substr(random() % text.size(), random() % 12));
          break;
        default:
          text[at] = "\n -:[]{}&*'\"|>#"[random() % 14];
      }
    }
    Diagnostics diagnostics;
    const Document document = parse_text(text, diagnostics);
    ASSERT_TRUE(document.root.has_value() != !diagnostics.empty()) << "round " << round << "\n"
                                                                   << text;
  }
}

}  // namespace
}  // namespace wave::model::yaml

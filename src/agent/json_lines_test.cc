#include "agent/json_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace wave::agent {
namespace {

struct Line {
  std::string text;
  uint64_t offset, length;
  bool oversized;
  bool operator==(const Line&) const = default;
};

std::vector<Line> read_whole(std::string_view text) {
  std::vector<Line> lines;
  JsonLineReader reader;
  const auto sink = [&](const JsonLine& line) {
    lines.push_back({std::string(line.text), line.offset, line.length, line.oversized});
  };
  reader.feed(text, sink);
  reader.finish(sink);
  return lines;
}

// Cut at random places, with the state saved as text and restored into a new reader at each.
std::vector<Line> read_in_pieces(std::string_view text, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Line> lines;
  const auto sink = [&](const JsonLine& line) {
    lines.push_back({std::string(line.text), line.offset, line.length, line.oversized});
  };
  std::string state = dump_json(JsonLineReader().save());
  while (!text.empty()) {
    const size_t count = std::min<size_t>(text.size(), 1 + random() % 7);
    JsonLineReader reader;
    reader.restore(parse_json(state)->as_object());
    reader.feed(text.substr(0, count), sink);
    text.remove_prefix(count);
    state = dump_json(reader.save());
  }
  JsonLineReader reader;
  reader.restore(parse_json(state)->as_object());
  reader.finish(sink);
  return lines;
}

TEST(JsonLines, GivesOffsetsAndLengths) {
  const auto lines = read_whole("{\"a\":1}\n\n  \r\n{\"b\":\"ü\"}\r\nlast");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], (Line{"{\"a\":1}", 0, 7, false}));
  EXPECT_EQ(lines[1], (Line{"{\"b\":\"ü\"}", 13, 11, false}));
  EXPECT_EQ(lines[2], (Line{"last", 25, 4, false}));
}

TEST(JsonLines, EveryCutGivesTheSame) {
  const std::string text =
      "{\"a\":\"ü€😀\\\"\\\\\\u00e4\\ud83d\\ude00\"}\n{\"broken\":\"\xc3(\xff\\ud83d\\n\\ude00\"}"
      "\nno json "
      "\"open\n{\"z\":[1,2,{\"y\":null}]}";
  const auto whole = read_whole(text);
  ASSERT_EQ(whole.size(), 4u);
  for (uint32_t seed = 0; seed < 200; ++seed) ASSERT_EQ(read_in_pieces(text, seed), whole);
}

TEST(JsonLines, RepairsHalvesOfSurrogatePairs) {
  // JavaScript prints them so when it cut a text in the middle; no JSON parser of ours takes them.
  const auto lines = read_whole(R"({"a":"x\ud83d","b":"\ude00y","c":"\ud83d\ude00"})");
  const auto object = parse_json_line(lines[0].text);
  ASSERT_TRUE(object);
  EXPECT_EQ(get_string(*object, "a"), "x\uFFFD");
  EXPECT_EQ(get_string(*object, "b"), "\uFFFDy");
  EXPECT_EQ(get_string(*object, "c"), "\U0001F600");
}

TEST(JsonLines, ReadsBytesThatAreNotUtf8) {
  const auto object = parse_json_line("{\"a\":\"x\xff\"}");
  ASSERT_TRUE(object);
  EXPECT_EQ(get_string(*object, "a"), "x\uFFFD");
}

TEST(Promises, S4_LongStringsAreShortenedAndTheLineStaysJson) {
  for (const std::string unit : {"x", "ü", "😀", "\\\"", "\\u00e4", "\\ud83d\\ude00"}) {
    for (int shift = 0; shift < 4; ++shift) {
      std::string body(static_cast<size_t>(shift), 'a');
      while (body.size() < 3 * JsonLineReader::kMaxString) body += unit;
      const std::string text = R"({"type":"user","content":")" + body + R"(","is_error":true})";
      const auto lines = read_whole(text + "\n");
      ASSERT_EQ(lines.size(), 1u);
      EXPECT_EQ(lines[0].length, text.size());
      EXPECT_FALSE(lines[0].oversized);
      const auto object = parse_json_line(lines[0].text);
      ASSERT_TRUE(object) << unit << " " << object.error().message;
      EXPECT_TRUE(get_bool(*object, "is_error"));
      EXPECT_LE(get_string(*object, "content").size(), JsonLineReader::kMaxString);
      EXPECT_GE(lines[0].text.size(), JsonLineReader::kMaxString - 16);
    }
  }
}

TEST(Promises, S4_AnEndlessLineCostsBoundedMemory) {
  JsonLineReader reader;
  std::vector<Line> lines;
  const auto sink = [&](const JsonLine& line) {
    lines.push_back({std::string(line.text), line.offset, line.length, line.oversized});
  };
  // Short strings, so that shortening them does not help.
  const std::string chunk = []() {
    std::string text;
    while (text.size() < (1 << 20)) text += "\"short\",";
    return text;
  }();
  reader.feed("[", sink);
  for (int i = 0; i < 64; ++i) reader.feed(chunk, sink);
  EXPECT_LT(dump_json(reader.save()).size(), 3 * JsonLineReader::kMaxLine);
  reader.feed("1]\n{\"type\":\"result\"}\n", sink);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].oversized);
  EXPECT_EQ(lines[0].length, 64 * chunk.size() + 3);
  EXPECT_EQ(lines[1].text, "{\"type\":\"result\"}");
}

}  // namespace
}  // namespace wave::agent

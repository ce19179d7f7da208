#include "cli/terminal_keys.h"

#include <gmock/gmock.h>

#include <string>

namespace wave::cli {
namespace {

std::string typed(TerminalKeys& keys, std::string_view bytes) {
  std::string text;
  for (const Key& key : keys.read(bytes)) text += key.byte;
  return text;
}

constexpr std::string_view kSequences[] = {
    "\x1bOP",
    "\x1b[15~",
    "\x1b[1~",
    "\x1b[1;5C",
    "\x1by",
    "\x1b[2~",
    "\x1b[C",
    "\x1bO5P",
    "\x1b[<0;10;20M",
    "\x1b[<0;10;20m",
    "\x1b[32;10;20M",
    "\x1b[M y1",
    "\x1b[12;34R",
    "\x1b[[A",
    "\x1b[?1;2c",
    "\x1b]11;rgb:yyyy/1111/nnnn\a",
    "\x1bP1+r1y\x1b\\",
    "\x1b[200~",
    "\x1b[201~",
    "\x1b[I",
    "\x1b\x1b[A",
    "\x1b[>0;95;0c",
};

TEST(TerminalKeys, NoByteOfASequenceIsAKey) {
  for (const std::string_view sequence : kSequences) {
    TerminalKeys whole;
    EXPECT_EQ(typed(whole, "a" + std::string(sequence) + "z"), "az") << sequence.substr(1);
  }
}

TEST(TerminalKeys, AlsoWhenTheyArriveByteByByte) {
  for (const std::string_view sequence : kSequences) {
    TerminalKeys keys;
    std::string text;
    for (const char byte : sequence) text += typed(keys, std::string_view(&byte, 1));
    EXPECT_EQ(text + typed(keys, "z"), "z") << sequence.substr(1);
  }
}

TEST(TerminalKeys, AnEscapeAloneIsTheKey) {
  TerminalKeys keys;
  EXPECT_EQ(typed(keys, "a\x1b"), "a");
  ASSERT_TRUE(keys.is_undecided());
  EXPECT_EQ(keys.end_escape(), (Key{'\x1b', false}));
  EXPECT_FALSE(keys.is_undecided());
  EXPECT_EQ(typed(keys, "y"), "y");
}

TEST(TerminalKeys, WhatIsPastedSaysSo) {
  TerminalKeys keys;
  const auto read = keys.read("a\x1b[200~yes\n\x1b[201~b");
  EXPECT_THAT(read, testing::ElementsAre(Key{'a', false}, Key{'y', true}, Key{'e', true},
                                         Key{'s', true}, Key{'\n', true}, Key{'b', false}));
}

TEST(TerminalKeys, UtfEightAndControlKeysAreKeys) {
  TerminalKeys keys;
  EXPECT_EQ(typed(keys, "\t\n\x7f\xc3\xa9"), "\t\n\x7f\xc3\xa9");
}

TEST(TerminalKeys, ASequenceThatIsBrokenOffEnds) {
  TerminalKeys keys;
  EXPECT_EQ(typed(keys, "\x1b[12\x18y"), "y");
  EXPECT_EQ(typed(keys, "\x1b]never ends"), "");
  EXPECT_EQ(typed(keys, "\x18n"), "n");
}

}  // namespace
}  // namespace wave::cli

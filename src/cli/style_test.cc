#include "cli/style.h"

#include <gtest/gtest.h>

namespace wave::cli {
namespace {

TEST(Style, TextFromOutsideCannotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\x07\r\nc\td"), "a[2Jb c d");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31mb"),
            "a31mb");  // C1: CSI in one character
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "ab");  // right-to-left override
  EXPECT_EQ(printable("\xff"
                      "a"),
            "\xef\xbf\xbd"
            "a");  // not UTF-8
  EXPECT_EQ(printable_lines("a\nb\x1b"), "a\nb");
}

TEST(Style, WidthsAreColumns) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("日本"), 4);
  EXPECT_EQ(display_width("e\xcc\x81"), 1);
  EXPECT_EQ(display_width("\x1b[31mab\x1b[0m"), 2);
  EXPECT_EQ(display_width("✓"), 1);
}

TEST(Style, FitNeverPassesTheWidth) {
  EXPECT_EQ(fit("abcdef", 4), "abc…");
  EXPECT_EQ(fit("abcdef", 4, false), "a...");
  EXPECT_EQ(fit("日本語", 4), "日…");
  EXPECT_EQ(fit("abc", 3), "abc");
  EXPECT_EQ(fit("abc", 0), "");
  EXPECT_EQ(fit("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mab…\x1b[0m");
  EXPECT_EQ(fit_padded("ab", 4), "ab  ");
  for (int width = 0; width < 12; ++width) {
    EXPECT_LE(display_width(fit("a日b本c\xcc\x81语d", width)), width);
    EXPECT_LE(display_width(fit("a日b本c\xcc\x81语d", width, false)), width);
  }
}

TEST(Style, TablesLineUp) {
  EXPECT_EQ(table({{"a", "日本", "x"}, {"long", "b", ""}}), "a     日本  x\nlong  b\n");
}

TEST(Style, NumbersForPeople) {
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(4512), "4.5k");
  EXPECT_EQ(format_count(999'999), "1.0M");
  EXPECT_EQ(format_cost(0), "");
  EXPECT_EQ(format_cost(0.0123), "$0.0123");
  EXPECT_EQ(format_cost(12.345), "$12.35");
  EXPECT_EQ(format_size(17), "17 B");
  EXPECT_EQ(format_size(1536), "1.5 KB");
}

}  // namespace
}  // namespace wave::cli

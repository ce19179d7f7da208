#include "cli/style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.h"

namespace wave::cli {
namespace {

constexpr std::string_view kReset = "\x1b[0m";

std::string_view code_of(Ink ink) {
  switch (ink) {
    case Ink::kGood:
      return "\x1b[32m";
    case Ink::kBad:
      return "\x1b[1;31m";
    case Ink::kBusy:
      return "\x1b[36m";
    case Ink::kWait:
      return "\x1b[33m";
    case Ink::kFaint:
      return "\x1b[2m";
    case Ink::kBold:
      return "\x1b[1m";
  }
  return {};
}

struct Range {
  uint32_t first, last;
};

// Unicode 15, EastAsianWidth.txt (W and F) and the emoji that terminals show in two columns; taken
// together into whole blocks where nothing narrow lies between.
constexpr std::array kWide{
    Range{0x1100, 0x115f},   Range{0x231a, 0x231b},   Range{0x23e9, 0x23ec},
    Range{0x25fd, 0x25fe},   Range{0x2614, 0x2615},   Range{0x2648, 0x2653},
    Range{0x26aa, 0x26ab},   Range{0x26bd, 0x26be},   Range{0x26c4, 0x26c5},
    Range{0x2705, 0x2705},   Range{0x270a, 0x270b},   Range{0x2728, 0x2728},
    Range{0x274c, 0x274c},   Range{0x2753, 0x2755},   Range{0x2795, 0x2797},
    Range{0x2b1b, 0x2b1c},   Range{0x2b50, 0x2b50},   Range{0x2e80, 0x303e},
    Range{0x3041, 0x33ff},   Range{0x3400, 0x4dbf},   Range{0x4e00, 0x9fff},
    Range{0xa000, 0xa4cf},   Range{0xa960, 0xa97f},   Range{0xac00, 0xd7a3},
    Range{0xf900, 0xfaff},   Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},
    Range{0xffe0, 0xffe6},   Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff},
    Range{0x1f900, 0x1f9ff}, Range{0x1fa70, 0x1faff}, Range{0x20000, 0x3fffd},
};
constexpr std::array kNoWidth{
    Range{0x0300, 0x036f}, Range{0x0483, 0x0489}, Range{0x0591, 0x05bd}, Range{0x0610, 0x061a},
    Range{0x064b, 0x065f}, Range{0x200b, 0x200f}, Range{0x202a, 0x202e}, Range{0x2060, 0x2064},
    Range{0x20d0, 0x20f0}, Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f}, Range{0xe0100, 0xe01ef},
};

bool in(std::span<const Range> ranges, uint32_t point) {
  const auto after = std::ranges::upper_bound(ranges, point, {}, &Range::first);
  return after != ranges.begin() && point <= std::prev(after)->last;
}

int width_of(uint32_t point) {
  if (point < 0x20 || (point >= 0x7f && point < 0xa0) || in(kNoWidth, point)) return 0;
  return in(kWide, point) ? 2 : 1;
}

/// The next piece of a text: a colour code (width 0) or one character.
struct Piece {
  std::string_view bytes;
  int width = 0;
  bool is_code = false;
};

Piece next_piece(std::string_view text) {
  if (text.starts_with("\x1b[")) {
    const size_t end = text.find('m');
    return {text.substr(0, end == std::string_view::npos ? text.size() : end + 1), 0, true};
  }
  const auto lead = static_cast<unsigned char>(text.front());
  const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const std::string_view bytes = text.substr(0, length);
  uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
  for (const char byte : bytes.substr(1)) point = point << 6 | (static_cast<uint8_t>(byte) & 0x3f);
  return {bytes, width_of(point), false};
}

}  // namespace

std::string Style::paint(Ink ink, std::string_view text) const {
  if (!colors_ || text.empty()) return std::string(text);
  return fmt::format("{}{}{}", code_of(ink), text, kReset);
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Piece piece = next_piece(text);
    width += piece.width;
    text.remove_prefix(piece.bytes.size());
  }
  return width;
}

std::string fit(std::string_view text, int width, bool unicode) {
  if (width <= 0) return {};
  if (display_width(text) <= width) return std::string(text);
  std::string_view mark = unicode ? "…" : "...";
  if (display_width(mark) > width) mark = mark.substr(0, static_cast<size_t>(width));
  const int room = width - display_width(mark);
  std::string result;
  int used = 0;
  bool open = false;
  while (!text.empty()) {
    const Piece piece = next_piece(text);
    if (used + piece.width > room) break;
    if (piece.is_code) open = piece.bytes != kReset;
    result += piece.bytes;
    used += piece.width;
    text.remove_prefix(piece.bytes.size());
  }
  result += mark;
  if (open) result += kReset;
  return result;
}

std::string fit_padded(std::string_view text, int width, bool unicode) {
  std::string result = fit(text, width, unicode);
  const int used = display_width(result);
  if (used < width) result.append(static_cast<size_t>(width - used), ' ');
  return result;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<int> widths;
  for (const auto& row : rows) {
    if (widths.size() < row.size()) widths.resize(row.size(), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += i + 1 < row.size() ? fit_padded(row[i], widths[i]) : row[i];
    }
    text += std::string(line.substr(0, line.find_last_not_of(' ') + 1)) + "\n";
  }
  return text;
}

}  // namespace wave::cli

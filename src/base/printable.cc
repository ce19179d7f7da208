#include "base/printable.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace wave {
namespace {

/// Characters that change the direction of what stands around them can make a line lie.
bool is_bidi_control(uint32_t point) {
  return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

void append_ascii(std::string& result, char byte, bool keep_lines) {
  if (byte == '\n' && keep_lines) {
    result += '\n';
  } else if (byte == '\n' || byte == '\t') {
    result += ' ';
  } else if (byte >= 0x20 && byte != 0x7f) {
    result += byte;
  }
}

std::string cleaned(std::string_view text, bool keep_lines) {
  const std::string valid = to_valid_utf8(text);
  std::string result;
  result.reserve(valid.size());
  for (std::string_view rest = valid; !rest.empty();) {
    const auto lead = static_cast<unsigned char>(rest.front());
    if (lead < 0x80) {
      append_ascii(result, rest.front(), keep_lines);
      rest.remove_prefix(1);
      continue;
    }
    const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = lead & (0x7fu >> length);
    for (const char next : rest.substr(1, length - 1)) {
      point = point << 6 | (static_cast<uint8_t>(next) & 0x3f);
    }
    if ((point < 0x80 || point >= 0xa0) && !is_bidi_control(point))
      result += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  return cleaned(text, false);
}
std::string printable_lines(std::string_view text) {
  return cleaned(text, true);
}

std::string format_count(int64_t count) {
  if (count < 1000) return std::to_string(count);
  if (count < 999'950) return fmt::format("{:.1f}k", static_cast<double>(count) / 1e3);
  return fmt::format("{:.1f}M", static_cast<double>(count) / 1e6);
}

std::string format_cost(double usd) {
  if (usd <= 0) return {};
  return usd < 1 ? fmt::format("${:.4f}", usd) : fmt::format("${:.2f}", usd);
}

std::string format_size(int64_t bytes) {
  constexpr std::array kSizeUnits{"KB", "MB", "GB", "TB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes);
  size_t unit = 0;
  for (size /= 1024; size >= 1024 && unit + 1 < kSizeUnits.size(); size /= 1024) ++unit;
  return fmt::format("{:.1f} {}", size, kSizeUnits[unit]);
}

}  // namespace wave

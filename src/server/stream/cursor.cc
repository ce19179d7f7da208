#include "server/stream/cursor.h"

#include <fmt/core.h>

#include <charconv>

namespace wave::server::stream {
namespace {

template <typename T>
bool parse_number(std::string_view text, T& number) {
  if (text.empty() || text.front() == '-' || text.front() == '+') return false;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

}  // namespace

std::optional<Cursor> parse_cursor(std::string_view text) {
  Cursor cursor;
  const size_t dot = text.find('.');
  if (dot != std::string_view::npos) {
    if (!parse_number(text.substr(0, dot), cursor.epoch)) return std::nullopt;
    text.remove_prefix(dot + 1);
  }
  if (!parse_number(text, cursor.number)) return std::nullopt;
  return cursor;
}

std::string format_cursor(const Cursor& cursor, bool of_all) {
  if (!of_all && cursor.epoch == 0) return std::to_string(cursor.number);
  return fmt::format("{}.{}", cursor.epoch, cursor.number);
}

}  // namespace wave::server::stream

#include "base/clock.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

namespace wave {
namespace {

bool read_digits(std::string_view text, size_t at, size_t count, int& value) {
  if (at + count > text.size()) return false;
  const char* first = text.data() + at;
  const auto [end, error] = std::from_chars(first, first + count, value);
  return error == std::errc() && end == first + count && *first != '-';
}

struct Unit {
  std::string_view name;
  double millis;
};
constexpr Unit kUnits[] = {{"ns", 1e-6}, {"us", 1e-3}, {"µs", 1e-3},  {"ms", 1},
                           {"s", 1e3},   {"m", 60e3},  {"h", 3600e3}, {"d", 86400e3}};

}  // namespace

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

MonoTime SystemClock::mono() const {
  return std::chrono::steady_clock::now();
}

std::string format_time(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<WallTime> parse_time(std::string_view text) {
  using namespace std::chrono;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!read_digits(text, 0, 4, year) || !read_digits(text, 5, 2, month) ||
      !read_digits(text, 8, 2, day) || !read_digits(text, 11, 2, hour) ||
      !read_digits(text, 14, 2, minute) || !read_digits(text, 17, 2, second)) {
    return std::nullopt;
  }
  if (text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  const year_month_day date{std::chrono::year(year),
                            std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  WallTime time = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);

  size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    int scale = 100;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
      time += Millis((text[at] - '0') * scale);
    }
  }
  const std::string_view zone = text.substr(at);
  if (zone == "Z" || zone == "z") return time;
  int zone_hours = 0, zone_minutes = 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' ||
      !read_digits(zone, 1, 2, zone_hours) || !read_digits(zone, 4, 2, zone_minutes)) {
    return std::nullopt;
  }
  const Millis offset = hours(zone_hours) + minutes(zone_minutes);
  return zone[0] == '+' ? time - offset : time + offset;
}

std::string format_duration(Millis duration) {
  const int64_t ms = duration.count();
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < 60'000)
    return fmt::format("{:.1f}s", std::floor(static_cast<double>(ms) / 100.0) / 10.0);
  if (ms < 3'600'000) return fmt::format("{}m {:02}s", ms / 60'000, ms / 1000 % 60);
  return fmt::format("{}h {:02}m", ms / 3'600'000, ms / 60'000 % 60);
}

Result<Millis> parse_duration(std::string_view text) {
  const auto refuse = [&] {
    return fail(Code::kUsage, fmt::format("\"{}\" is not a duration", text),
                "write it like 90s, 5m, 1h30m or 200ms");
  };
  if (text == "0") return Millis(0);
  if (text.empty()) return refuse();
  double total = 0;
  size_t at = 0;
  while (at < text.size()) {
    size_t digits = at;
    while (digits < text.size() &&
           ((text[digits] >= '0' && text[digits] <= '9') || text[digits] == '.')) {
      ++digits;
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + digits, number);
    if (digits == at || error != std::errc() || end != text.data() + digits) return refuse();
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {  // the longest match: "ms" before "m"
      if (text.substr(digits).starts_with(unit.name) &&
          (found == nullptr || unit.name.size() > found->name.size())) {
        found = &unit;
      }
    }
    if (found == nullptr) return refuse();
    total += number * found->millis;
    at = digits + found->name.size();
  }
  if (total > 1e15) return refuse();
  return Millis(static_cast<int64_t>(std::llround(total)));
}

}  // namespace wave

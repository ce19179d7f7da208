#include "contract/json_equal.h"

#include <array>
#include <charconv>
#include <cmath>

namespace wave::contract {
namespace {

// pow(2, 63) and pow(2, 64): the doubles behind the ends of int64_t and uint64_t.
constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

Wide whole_value(const json::value& number) {
  return number.is_int64() ? Wide{number.get_int64()} : Wide{number.get_uint64()};
}

std::strong_ordering order(bool less, bool greater) {
  if (less) return std::strong_ordering::less;
  return greater ? std::strong_ordering::greater : std::strong_ordering::equal;
}

std::strong_ordering compare_whole_to_double(Wide whole, double real) {
  if (real >= kTwo64) return std::strong_ordering::less;
  if (real < -kTwo63) return std::strong_ordering::greater;
  const double floor = std::floor(real);
  const Wide below = static_cast<Wide>(floor);
  if (whole != below) return order(whole<below, whole> below);
  return order(real > floor, false);
}

/// A number as digits * 10^exponent, in the fewest digits that mean it.
struct Decimal {
  uint64_t digits = 0;
  int exponent = 0;
};

Decimal without_trailing_zeros(Decimal decimal) {
  if (decimal.digits == 0) return {};
  while (decimal.digits % 10 == 0) {
    decimal.digits /= 10;
    ++decimal.exponent;
  }
  return decimal;
}

// The shortest decimal that reads back as `real` is what the author of the JSON wrote, but for
// digits that no double can hold.
Decimal decimal_of(double real) {
  std::array<char, 64> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), std::fabs(real),
                                     std::chars_format::scientific);
  Decimal decimal;
  int fraction = -1;
  const char* at = text.data();
  for (; at != written.ptr && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = 0;
      continue;
    }
    decimal.digits = decimal.digits * 10 + static_cast<uint64_t>(*at - '0');
    if (fraction >= 0) ++fraction;
  }
  if (at != written.ptr) {
    ++at;
    if (*at == '+') ++at;
    std::from_chars(at, written.ptr, decimal.exponent);
  }
  decimal.exponent -= std::max(fraction, 0);
  return without_trailing_zeros(decimal);
}

Decimal decimal_of(const json::value& number) {
  if (number.is_double()) return decimal_of(number.get_double());
  const Wide whole = whole_value(number);
  return without_trailing_zeros({static_cast<uint64_t>(whole < 0 ? -whole : whole), 0});
}

uint64_t power_of_ten_modulo(int exponent, uint64_t modulus) {
  UnsignedWide result = 1 % modulus;
  UnsignedWide base = 10 % modulus;
  for (auto left = static_cast<unsigned>(exponent); left > 0; left >>= 1) {
    if ((left & 1) != 0) result = result * base % modulus;
    base = base * base % modulus;
  }
  return static_cast<uint64_t>(result);
}

constexpr uint64_t kHashFactor = 0x9e3779b97f4a7c15ull;

uint64_t mix(uint64_t hash, uint64_t value) {
  hash ^= value + kHashFactor + (hash << 6) + (hash >> 2);
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93ull;
  return hash ^ (hash >> 32);
}

uint64_t hash_text(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

uint64_t hash_number(const json::value& number) {
  if (!number.is_double()) return mix(3, static_cast<uint64_t>(whole_value(number)));
  const double real = number.get_double();
  if (std::floor(real) == real && real >= -kTwo63 && real < kTwo64) {
    return mix(3, static_cast<uint64_t>(static_cast<Wide>(real)));
  }
  return mix(4, std::hash<double>{}(real));
}

bool arrays_equal(const json::array& left, const json::array& right, uint64_t& steps) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!json_equal(left[i], right[i], steps)) return false;
  }
  return true;
}

bool objects_equal(const json::object& left, const json::object& right, uint64_t& steps) {
  if (left.size() != right.size()) return false;
  for (const auto& [key, value] : left) {
    const json::value* other = right.if_contains(key);
    if (other == nullptr || !json_equal(value, *other, steps)) return false;
  }
  return true;
}

}  // namespace

std::strong_ordering compare_numbers(const json::value& left, const json::value& right) {
  if (!left.is_double() && !right.is_double()) {
    const Wide a = whole_value(left);
    const Wide b = whole_value(right);
    return order(a<b, a> b);
  }
  if (left.is_double() && right.is_double()) {
    const double a = left.get_double();
    const double b = right.get_double();
    return order(a<b, a> b);
  }
  if (right.is_double()) return compare_whole_to_double(whole_value(left), right.get_double());
  const auto reversed = compare_whole_to_double(whole_value(right), left.get_double());
  return order(reversed > 0, reversed < 0);
}

bool is_integer(const json::value& number) {
  if (!number.is_double()) return true;
  const double real = number.get_double();
  return std::isfinite(real) && std::floor(real) == real;
}

bool is_multiple_of(const json::value& number, const json::value& divisor) {
  if (number.is_double() && !std::isfinite(number.get_double())) return false;
  const Decimal a = decimal_of(number);
  const Decimal b = decimal_of(divisor);
  if (a.digits == 0) return true;
  if (b.digits == 0) return false;
  const int shift = a.exponent - b.exponent;
  if (shift >= 0) {
    const UnsignedWide rest =
        UnsignedWide{a.digits % b.digits} * power_of_ten_modulo(shift, b.digits);
    return rest % b.digits == 0;
  }
  // Below b's last place `digits` would have to end in 0, which it does not.
  return false;
}

bool json_equal(const json::value& left, const json::value& right, uint64_t& steps) {
  ++steps;
  if (left.is_number() && right.is_number()) return compare_numbers(left, right) == 0;
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case json::kind::null:
      return true;
    case json::kind::bool_:
      return left.get_bool() == right.get_bool();
    case json::kind::string:
      return left.get_string() == right.get_string();
    case json::kind::array:
      return arrays_equal(left.get_array(), right.get_array(), steps);
    case json::kind::object:
      return objects_equal(left.get_object(), right.get_object(), steps);
    default:
      return false;
  }
}

uint64_t json_hash(const json::value& value, uint64_t& steps) {
  ++steps;
  if (value.is_number()) return hash_number(value);
  if (value.is_string()) return mix(5, hash_text(value.get_string()));
  if (value.is_bool()) return mix(6, value.get_bool() ? 1 : 0);
  if (const json::array* array = value.if_array()) {
    uint64_t hash = 7;
    for (const json::value& item : *array) hash = mix(hash, json_hash(item, steps));
    return hash;
  }
  if (const json::object* object = value.if_object()) {
    uint64_t sum = 0;  // members have no order: a sum of well mixed hashes has none either
    for (const auto& [key, member] : *object) sum += mix(hash_text(key), json_hash(member, steps));
    return mix(8, sum);
  }
  return mix(9, 0);
}

}  // namespace wave::contract

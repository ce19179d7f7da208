// Numbers and equality as JSON Schema means them: 1, 1.0 and 10e-1 are one number, members have no
// order. Exact where a conversion to double would round.
#pragma once

#include <compare>
#include <cstdint>

#include "base/json.h"

namespace wave::contract {

/// Compares two numbers by value, without rounding either. Both must be numbers.
std::strong_ordering compare_numbers(const json::value& left, const json::value& right);
/// Whether the number has no fractional part (1.0 does not, 1e300 does not).
bool is_integer(const json::value& number);
/// Whether `number` is a whole multiple of `divisor` (> 0), counted in decimals: 0.0075 is one of
/// 0.0001, although their doubles divide to 74.99999999999999.
bool is_multiple_of(const json::value& number, const json::value& divisor);

/// Adds to `steps` one for each value looked at, so that the caller can keep a budget.
bool json_equal(const json::value& left, const json::value& right, uint64_t& steps);
/// Equal values have equal hashes.
uint64_t json_hash(const json::value& value, uint64_t& steps);

}  // namespace wave::contract

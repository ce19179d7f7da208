// Text for people: harmless on a terminal, and numbers in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wave {

/// `text` as one harmless line: valid UTF-8, line breaks and tabs become spaces, other control
/// characters are dropped. What agents, files and other people wrote passes through here before it
/// reaches a terminal.
std::string printable(std::string_view text);
/// The same, but line breaks stay.
std::string printable_lines(std::string_view text);

/// "812", "4.5k", "1.2M"
std::string format_count(int64_t count);
/// "$0.0123" below a dollar, "$12.34" above; "" for nothing.
std::string format_cost(double usd);
/// "12.3 KB"
std::string format_size(int64_t bytes);

}  // namespace wave

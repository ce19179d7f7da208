// The ids of streams: "<seq>", after a restored backup "<epoch>.<seq>"; of all runs
// "<epoch>.<position>".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wave::server::stream {

/// A place in a log: right behind this event.
struct Cursor {
  int64_t epoch = 0;
  uint64_t number = 0;  // seq, or position for all runs; 0: before the first event
};

/// Nothing when it is not a cursor. A number alone is of epoch 0.
std::optional<Cursor> parse_cursor(std::string_view text);
/// The id of a run's stream, or (`of_all`) of the stream of all runs.
std::string format_cursor(const Cursor& cursor, bool of_all);

}  // namespace wave::server::stream

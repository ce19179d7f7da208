// Diagnostics for operators: what wave itself does, never an agent's words. One line a message on
// stderr, as text or JSON. spdlog lives in log.cc only.
//
// Where a program has threads and signals to obey, lines go through an OutputQueue: whoever logs
// never waits for whoever reads the log.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "base/output_queue.h"

namespace wave::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };
enum class Format { kText, kJson };

/// Call once at start, before threads. Before that, warnings and errors go to stderr as text.
void configure(Level level, Format format);
/// Lines are offered to `queue` from now on; null: written to stderr at once, as at the start. Not
/// while another thread may log.
void send_to(OutputQueue* queue);
/// The line that says how many lines nobody could read, in the log's own format.
std::string lost_lines(uint64_t count);
bool enabled(Level level);
/// Writes one line, or offers it. Thread: any.
void write(Level level, std::string_view message);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug))
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarning))
    write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError))
    write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace wave::log

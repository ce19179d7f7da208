#define SPDLOG_FMT_EXTERNAL
#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json.h"

namespace wave::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

struct Sink {
  Format format = Format::kText;
  spdlog::logger logger{"wave", std::make_shared<spdlog::sinks::stderr_sink_mt>()};

  Sink() {
    logger.set_level(spdlog::level::warn);
    logger.set_pattern("wave: %l: %v");
  }
};

// The one piece of global state of this room: where log lines go.
Sink& sink() {
  static Sink instance;
  return instance;
}

}  // namespace

void configure(Level level, Format format) {
  sink().format = format;
  sink().logger.set_level(to_spdlog(level));
  if (format == Format::kJson) {
    sink().logger.set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})",
                              spdlog::pattern_time_type::utc);
  } else {
    sink().logger.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  }
}

bool enabled(Level level) {
  return sink().logger.should_log(to_spdlog(level));
}

void write(Level level, std::string_view message) {
  const std::string text =
      sink().format == Format::kJson ? dump_json(json::value(message)) : std::string(message);
  sink().logger.log(to_spdlog(level), "{}", text);
}

}  // namespace wave::log

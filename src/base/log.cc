#define SPDLOG_FMT_EXTERNAL
#include "base/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/file.h"
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

/// Formats under its lock, and writes into the queue: the lock is never held for a reader.
class QueueSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  OutputQueue* queue = nullptr;

  std::string formatted(const spdlog::details::log_msg& message) {
    const std::scoped_lock lock(mutex_);
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    return fmt::to_string(line);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const std::string_view text(line.data(), line.size());
    if (queue != nullptr) {
      (void)queue->offer(text);
    } else {
      (void)write_all(STDERR_FILENO, text);
    }
  }
  void flush_() override {}
};

struct Sink {
  Format format = Format::kText;
  std::shared_ptr<QueueSink> target = std::make_shared<QueueSink>();
  spdlog::logger logger{"wave", target};

  Sink() {
    logger.set_level(spdlog::level::warn);
    logger.set_pattern("wave: %l: %v");
  }
};

// The one piece of global state of this module: where log lines go.
Sink& sink() {
  static Sink instance;
  return instance;
}

std::string payload(std::string_view message) {
  return sink().format == Format::kJson ? dump_json(json::value(message)) : std::string(message);
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

void send_to(OutputQueue* queue) {
  sink().target->queue = queue;
}

std::string lost_lines(uint64_t count) {
  const std::string text =
      payload(fmt::format("{} {} of this log were lost: nobody read them, or there was no room",
                          count, count == 1 ? "line" : "lines"));
  return sink().target->formatted({"wave", spdlog::level::warn, text});
}

void write(Level level, std::string_view message) {
  sink().logger.log(to_spdlog(level), "{}", payload(message));
}

}  // namespace wave::log

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <utility>

#include "base/text.h"
#include "server/api/body_from.h"
#include "server/api/handlers.h"
#include "server/api/log_line.h"
#include "server/api/problem.h"
#include "server/api/shared.h"

namespace wave::server::api {
namespace {

constexpr int64_t kDefaultLimit = 200;
constexpr size_t kPage = 1000;
constexpr size_t kFewEvents = 16;

struct LogQuery {
  std::string step;
  LogLevel level = LogLevel::kDebug;
  std::optional<WallTime> since, until;
  uint64_t after = 0;

  [[nodiscard]] bool wants(const LogLine& line) const {
    if (line.level < level) return false;
    if (since && line.ts < *since) return false;
    return !until || line.ts < *until;
  }
};

Result<LogQuery> query_of(const Call& call, const store::RunDetails& details) {
  LogQuery query;
  query.step = call.text("step");
  if (!query.step.empty()) WAVE_CHECK(check_step(details, query.step));
  query.level = log_level_from_name(call.text("level")).value_or(LogLevel::kDebug);
  query.since = parse_time(call.text("since"));
  query.until = parse_time(call.text("until"));
  query.after = static_cast<uint64_t>(call.integer("after", 0));
  const std::string cursor = call.text("cursor");
  if (cursor.empty()) return query;
  const auto after = parse_json(cursor);
  if (!after || !after->is_int64() || after->get_int64() < 0) {
    return fail(bad_parameter("cursor", "is not one that this log gave",
                              "start the log from its beginning"));
  }
  query.after = static_cast<uint64_t>(after->get_int64());
  return query;
}

/// Calls `visit` for every line that is wanted, until it says false or there is no more.
template <typename Visit>
Status each_line(store::Store& store, const std::string& run_id, const LogQuery& query,
                 Visit visit) {
  uint64_t after = query.after;
  while (true) {
    WAVE_TRY(const auto page,
             store.events(run_id, {.after = after, .limit = kPage, .step = query.step}));
    for (const store::StoredEvent& event : page) {
      after = event.seq;
      const auto line = log_line(event.line);
      if (!line || !query.wants(*line)) continue;
      if (!visit(*line)) return {};
    }
    if (page.size() < kPage) return {};
  }
}

/// How lines become a body. Thread: one at a time.
class LogFormat {
 public:
  virtual ~LogFormat() = default;
  /// Appends a line; false: it is not of this answer any more, nor is any after it.
  virtual bool add(const LogLine& line, std::string& text) = 0;
  /// Appends what comes behind the last line.
  virtual void finish(std::string& text) = 0;
};

class AsText final : public LogFormat {
 public:
  AsText(uint64_t skip, uint64_t length) : skip_(skip), length_(length) {}

  bool add(const LogLine& line, std::string& text) override {
    const std::string written = to_text(line);
    const uint64_t skipped = std::min<uint64_t>(skip_, written.size());
    skip_ -= skipped;
    const std::string_view rest = std::string_view(written).substr(skipped, length_);
    length_ -= rest.size();
    text += rest;
    return length_ > 0;
  }
  void finish(std::string& /*text*/) override {}

 private:
  uint64_t skip_, length_;  // bytes of the whole text that are still to be left out, and to be sent
};

class AsJson final : public LogFormat {
 public:
  explicit AsJson(size_t limit) : limit_(limit) {}

  bool add(const LogLine& line, std::string& text) override {
    if (lines_ == limit_) {
      more_ = true;
      return false;
    }
    text += lines_++ == 0 ? R"({"lines":[)" : ",";
    text += dump_json(to_json(line));
    last_ = line.seq;
    return true;
  }
  void finish(std::string& text) override {
    if (lines_ == 0) text += R"({"lines":[)";
    text += more_ ? fmt::format(R"(],"next_cursor":"{}","has_more":true}})", last_)
                  : std::string(R"(],"next_cursor":null,"has_more":false})");
  }

 private:
  const size_t limit_;
  size_t lines_ = 0;
  uint64_t last_ = 0;
  bool more_ = false;
};

/// A log's lines, up to an event. Between two calls it holds where it is and nothing else.
class LogBody final : public http::BodySource {
 public:
  LogBody(store::Store& store, std::string run_id, uint64_t last_seq, LogQuery query,
          std::unique_ptr<LogFormat> format)
      : store_(store),
        run_id_(std::move(run_id)),
        last_seq_(last_seq),
        query_(std::move(query)),
        format_(std::move(format)) {}

  Result<std::string> next(size_t window) override {
    std::string text;
    while (text.size() < window && !ended_) WAVE_CHECK(read_page(window, text));
    if (ended_ && !std::exchange(finished_, true)) format_->finish(text);
    return text;
  }

 private:
  Status read_page(size_t window, std::string& text) {
    WAVE_TRY(
        const auto page,
        store_.events(run_id_, {.after = query_.after, .limit = events_, .step = query_.step}));
    size_t used = 0;
    for (const store::StoredEvent& event : page) {
      if (text.size() >= window || ended_) break;
      ++used;
      take(event, text);
    }
    ended_ = ended_ || page.empty();
    // What a page has beyond the window is read again: about as much as is needed, then.
    events_ = std::clamp(used < page.size() ? used + used / 8 : events_ * 2, kFewEvents, kPage);
    return {};
  }

  void take(const store::StoredEvent& event, std::string& text) {
    ended_ = event.seq > last_seq_;
    if (ended_) return;
    query_.after = event.seq;
    const auto line = log_line(event.line);
    if (line && query_.wants(*line)) ended_ = !format_->add(*line, text);
  }

  store::Store& store_;
  const std::string run_id_;
  const uint64_t last_seq_;
  LogQuery query_;
  const std::unique_ptr<LogFormat> format_;
  size_t events_ = 64;  // of a page
  bool ended_ = false, finished_ = false;
};

/// Lets `query` begin so that `count` of its lines are left.
Status skip_to_tail(store::Store& store, const std::string& run_id, size_t count, LogQuery& query) {
  std::deque<uint64_t> last;
  WAVE_CHECK(each_line(store, run_id, query, [&](const LogLine& line) {
    last.push_back(line.seq);
    if (last.size() > count) last.pop_front();
    return true;
  }));
  if (!last.empty()) query.after = last.front() - 1;
  return {};
}

/// Both formats say what they begin with anew: a body may be begun twice.
std::unique_ptr<LogFormat> format_of(const Call& call, bool as_text) {
  const int64_t tail = call.integer("tail", 0);
  if (!as_text) {
    const int64_t limit = tail > 0 ? tail : call.integer("limit", kDefaultLimit);
    return std::make_unique<AsJson>(static_cast<size_t>(limit));
  }
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  const int64_t offset = tail > 0 ? 0 : call.integer("offset", 0);
  return std::make_unique<AsText>(static_cast<uint64_t>(offset),
                                  static_cast<uint64_t>(call.integer("length", kAll)));
}

bool wants_text(const Call& call) {
  const std::string format = call.text("format");
  if (!format.empty()) return format == "text";
  return call.request.headers.find("Accept").value_or("").starts_with("text/plain");
}

}  // namespace

Result<http::Response> get_logs(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  WAVE_TRY(LogQuery query, query_of(call, details));
  store::Store& store = call.services.store;
  const flow::RunRow& run = details.row;
  if (const auto tail = static_cast<size_t>(call.integer("tail", 0)); tail > 0) {
    WAVE_CHECK(skip_to_tail(store, run.run_id, tail, query));
  }
  const bool as_text = wants_text(call);
  WAVE_TRY(http::Body body, body_from([&] {
             return std::make_shared<LogBody>(store, run.run_id, run.last_seq, query,
                                              format_of(call, as_text));
           }));
  if (!as_text) {
    return http::Response{.headers = {{"Content-Type", "application/json"}},
                          .body = std::move(body)};
  }
  return http::Response{.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                                    {"X-Content-Type-Options", "nosniff"}},
                        .body = std::move(body)};
}

Status follow_logs(Call& call, http::Responder& responder) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  WAVE_TRY(const LogQuery query, query_of(call, details));
  LogFollower& logs = call.services.api->logs();
  if (!logs.has_room()) {
    return fail(Code::kStoreBusy, "too many logs are followed at the moment",
                "the event stream of the run has room for many more");
  }
  http::Response head{.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                                  {"X-Content-Type-Options", "nosniff"},
                                  {"X-Accel-Buffering", "no"},
                                  {"Cache-Control", "no-store"}},
                      .body = {}};
  responder.stream(std::move(head), {},
                   [&logs, query, run_id = details.row.run_id](http::StreamHandle handle) {
                     return logs.follow(
                         run_id, query.step, query.after,
                         [query](const LogLine& line) { return query.wants(line); }, handle);
                   });
  return {};
}

}  // namespace wave::server::api

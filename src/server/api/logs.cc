#include <deque>

#include "base/text.h"
#include "server/api/handlers.h"
#include "server/api/log_line.h"
#include "server/api/problem.h"
#include "server/api/shared.h"

namespace wave::server::api {
namespace {

constexpr int64_t kDefaultLimit = 200;
constexpr size_t kPage = 1000;
constexpr size_t kMostText = 16 << 20;

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

Result<http::Response> as_json(const Call& call, const std::string& run_id, const LogQuery& query) {
  const auto tail = static_cast<size_t>(call.integer("tail", 0));
  const auto limit = static_cast<size_t>(call.integer("limit", kDefaultLimit));
  std::deque<LogLine> lines;
  bool more = false;
  WAVE_CHECK(each_line(call.services.store, run_id, query, [&](const LogLine& line) {
    if (tail == 0 && lines.size() == limit) {
      more = true;
      return false;
    }
    lines.push_back(line);
    if (tail > 0 && lines.size() > tail) lines.pop_front();
    return true;
  }));
  json::array list;
  for (const LogLine& line : lines) list.push_back(to_json(line));
  return json_response(json::object{
      {"lines", std::move(list)},
      {"next_cursor", more ? json::value(std::to_string(lines.back().seq)) : json::value(nullptr)},
      {"has_more", more}});
}

Result<http::Response> as_text(const Call& call, const std::string& run_id, const LogQuery& query) {
  const auto tail = static_cast<size_t>(call.integer("tail", 0));
  const auto offset = static_cast<uint64_t>(call.integer("offset", 0));
  const auto length = static_cast<size_t>(call.integer("length", kMostText));
  std::deque<std::string> last;
  std::string text;
  uint64_t at = 0;  // of the whole text
  WAVE_CHECK(each_line(call.services.store, run_id, query, [&](const LogLine& line) {
    std::string written = to_text(line);
    if (tail > 0) {
      last.push_back(std::move(written));
      if (last.size() > tail) last.pop_front();
      return true;
    }
    const uint64_t end = at + written.size();
    if (end > offset) {
      const size_t skip = at < offset ? static_cast<size_t>(offset - at) : 0;
      text += std::string_view(written).substr(skip);
    }
    at = end;
    return text.size() < length;
  }));
  for (const std::string& line : last) text += line;
  if (text.size() > length) text.resize(length);
  return http::Response{.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                                    {"X-Content-Type-Options", "nosniff"}},
                        .body = std::move(text)};
}

bool wants_text(const Call& call) {
  const std::string format = call.text("format");
  if (!format.empty()) return format == "text";
  return call.request.headers.find("Accept").value_or("").starts_with("text/plain");
}

}  // namespace

Result<http::Response> get_logs(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  WAVE_TRY(const LogQuery query, query_of(call, details));
  const std::string& run_id = details.row.run_id;
  return wants_text(call) ? as_text(call, run_id, query) : as_json(call, run_id, query);
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

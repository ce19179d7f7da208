#include "base/text.h"
#include "server/api/handlers.h"
#include "server/api/problem.h"
#include "server/api/run_json.h"

namespace wave::server::api {
namespace {

constexpr int64_t kListPage = 50;
constexpr size_t kMostListedInput = 500;  // bytes of an input that lists show

Result<http::Response> page(const Call& call, store::RunFilter filter) {
  filter.limit = static_cast<size_t>(call.integer("limit", kListPage));
  filter.after = call.text("cursor");
  const auto page = call.services.store.run_page(filter);
  if (!page && page.error().code == Code::kNotFound && !filter.after.empty()) {
    return fail(bad_parameter("cursor", "is not one that a list gave",
                              "start the list from its beginning"));
  }
  if (!page) return fail(page.error());
  const WallTime now = SystemClock().wall();
  json::array runs;
  for (const flow::RunRow& row : page->rows) {
    runs.push_back(run_json(row, call.services.queue.position(row.run_id), now, kMostListedInput));
  }
  const bool more = !page->next.empty();
  return json_response(
      json::object{{"runs", std::move(runs)},
                   {"next_cursor", more ? json::value(page->next) : json::value(nullptr)},
                   {"has_more", more}});
}

/// The full id behind a prefix; a run that is gone, or never was, has no children.
Result<std::string> full_id(store::Store& store, const std::string& id) {
  auto full = store.resolve_run(id);
  if (full) return full;
  if (full.error().code == Code::kUsage) return full;
  return id;
}

}  // namespace

Result<http::Response> list_runs(Call& call) {
  store::RunFilter filter;
  filter.statuses = call.texts("status");
  filter.pipeline = call.text("pipeline");
  filter.actor = call.text("actor");
  filter.text = call.text("q");
  filter.oldest_first = call.text("sort") == "queued_at";
  if (const std::string tag = call.text("tag"); !tag.empty()) {
    const size_t equals = tag.find('=');
    filter.tag_key = tag.substr(0, equals);
    filter.any_tag_value = equals == std::string::npos;
    if (!filter.any_tag_value) filter.tag_value = tag.substr(equals + 1);
    if (filter.tag_key.empty()) return fail(bad_parameter("tag", "has no key", "key=value"));
  }
  filter.since = parse_time(call.text("since"));
  filter.until = parse_time(call.text("until"));
  if (const std::string parent = call.text("parent"); !parent.empty()) {
    WAVE_TRY(filter.origin, full_id(call.services.store, parent));
  }
  return page(call, std::move(filter));
}

Result<http::Response> list_children(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  store::RunFilter filter;
  filter.origin = details.row.run_id;
  return page(call, std::move(filter));
}

}  // namespace wave::server::api

// GET /api/runs/{id}/retro and GET /api/retros.
#include "base/text.h"
#include "server/api/schema_words.h"
#include "server/retro/retro_list.h"
#include "server/route.h"

namespace wave::server {
namespace {

/// One reader for all calls of a table: what it keeps is what makes lists quick. Made with the
/// first call, because the table is filled before there is a store.
class Retrospectives {
 public:
  retro::RetroReader& reader(store::Store& store) {
    const std::scoped_lock lock(mutex_);
    if (reader_ == nullptr) reader_ = std::make_unique<retro::RetroReader>(store);
    return *reader_;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<retro::RetroReader> reader_;
};

http::Response json_answer(const Services& services, const json::value& value) {
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  // Messages are agents' words.
  response.body = services.redactor.redact(dump_json(value));
  return response;
}

Result<std::optional<WallTime>> time_of(const Call& call, std::string_view name) {
  const std::string text = call.text(name);
  if (text.empty()) return std::nullopt;
  if (const auto time = parse_time(text)) return time;
  return fail(Code::kUsage, std::string(name) + " is no time: " + excerpt(text, 40),
              "write it as 2026-01-31T08:00:00Z");
}

Result<http::Response> get_retro(Call& call, Retrospectives& kept) {
  retro::RetroReader& reader = kept.reader(call.services.store);
  const std::string run_id = call.text("id");
  // Says whether there is such a run, or was.
  WAVE_TRY(const store::RunDetails details, call.services.store.run(run_id));
  WAVE_TRY(const auto retro, reader.read(details.row.run_id, true));
  json::object object = flow::to_json(*retro);
  WAVE_TRY(const retro::Comparison comparison, reader.compare(*retro));
  object["comparison"] = retro::to_json(comparison);
  return json_answer(call.services, object);
}

Result<http::Response> list_retros(Call& call, Retrospectives& kept) {
  retro::RetroFilter filter;
  filter.pipeline = call.text("pipeline");
  filter.step = call.text("step");
  filter.after = call.text("cursor");
  WAVE_TRY(filter.since, time_of(call, "since"));
  WAVE_TRY(filter.until, time_of(call, "until"));
  filter.limit = static_cast<size_t>(std::max<int64_t>(1, call.integer("limit", 50)));
  WAVE_TRY(const retro::RetroList list,
           retro::list_retros(call.services.store, kept.reader(call.services.store), filter));
  return json_answer(call.services, retro::to_json(list, filter.step));
}

Parameter text_parameter(std::string name, std::string description) {
  return {.name = std::move(name),
          .schema = {{"type", "string"}, {"maxLength", 200}},
          .description = std::move(description)};
}

}  // namespace

void add_retro_routes(RouteTable& table) {
  const auto kept = std::make_shared<Retrospectives>();
  table.add({.method = "GET",
             .path = "/api/runs/{id}/retro",
             .operation_id = "getRunRetro",
             .tag = "retros",
             .summary = "A look back at a run: time, money, what was tried again and why, and how "
                        "it compares with earlier runs of its pipeline.",
             .response_schema = "Retro",
             .handler = Handler([kept](Call& call) { return get_retro(call, *kept); })});
  table.add(
      {.method = "GET",
       .path = "/api/retros",
       .operation_id = "listRetros",
       .tag = "retros",
       .summary = "Looks back at runs that have ended, newest first, and what they say "
                  "together: what fails where, what is flaky, what gets dearer.",
       .query = {text_parameter("pipeline", "only runs of this pipeline"),
                 text_parameter("step", "only runs with this step, and its figures"),
                 {"since", words::moment(), "accepted at or after (RFC 3339)"},
                 {"until", words::moment(), "accepted at or before (RFC 3339)"},
                 text_parameter("cursor", "next_cursor of the page before"),
                 {.name = "limit",
                  .schema = {{"type", "integer"}, {"minimum", 1}, {"maximum", retro::kMostListed}},
                  .description = "how many at most (50)"}},
       .response_schema = "RetroList",
       .handler = Handler([kept](Call& call) { return list_retros(call, *kept); })});
}

}  // namespace wave::server

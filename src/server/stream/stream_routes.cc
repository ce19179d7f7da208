// GET /api/runs/{id}/events and GET /api/events.
#include "http/client_key.h"
#include "server/route.h"
#include "server/stream/hub.h"

namespace wave::server {
namespace {

constexpr size_t kMaxRuns = 100;  // that one stream is narrowed to

json::object short_text() {
  return {{"type", "string"}, {"maxLength", 256}};
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

/// Streams are counted by credential; without one by address, but for the machine's own.
std::string client_of(const Call& call) {
  if (call.identity.method != auth::Method::kNone) return call.identity.actor();
  const std::string& address = call.request.peer.address;
  return is_loopback(address) ? std::string() : http::client_key(address);
}

stream::Hub::Request request_of(const Call& call) {
  // A browser repeats its URL with every reconnect: what it has seen since says more.
  const auto last_id = call.request.headers.find("Last-Event-ID");
  stream::Hub::Request request;
  request.cursor = last_id && !last_id->empty() ? std::string(*last_id) : call.text("after");
  request.client = client_of(call);
  request.identity = call.identity;
  return request;
}

Status follow_run(Call& call, http::Responder& responder) {
  stream::Hub::Request request = request_of(call);
  request.run_id = call.text("id");
  auto started = call.services.streams.start(request, responder);
  if (started || started.error().code != Code::kNotFound) return started;
  // The beginning of an id, as the command line takes it.
  const auto full = call.services.store.resolve_run(request.run_id);
  if (!full) return fail(full.error());
  request.run_id = *full;
  return call.services.streams.start(std::move(request), responder);
}

Status follow_all(Call& call, http::Responder& responder) {
  stream::Hub::Request request = request_of(call);
  request.pipeline = call.text("pipeline");
  request.runs = call.texts("run");
  if (request.runs.size() > kMaxRuns) {
    return fail(Code::kUsage, "at most 100 runs can be named", "follow all and choose yourself");
  }
  return call.services.streams.start(std::move(request), responder);
}

Parameter after(std::string_view meaning) {
  return {"after", short_text(), std::string(meaning)};
}

}  // namespace

void add_stream_routes(RouteTable& table) {
  table.add({.method = "GET",
             .path = "/api/runs/{id}/events",
             .operation_id = "streamRunEvents",
             .tag = "streams",
             .summary = "The run's events as server-sent events, from the first one or behind a "
                        "cursor, then as they happen, to the run's end. 204 when nothing is to "
                        "come.",
             .query = {after("the id of the last event that is known, or latest; the header "
                             "Last-Event-ID comes first")},
             .response_type = "text/event-stream",
             .handler = StreamHandler(follow_run),
             .also = {{204, ""}}});
  table.add({.method = "GET",
             .path = "/api/events",
             .operation_id = "streamEvents",
             .tag = "streams",
             .summary =
                 "The events of all runs as server-sent events, in the order they were "
                 "stored, from now on or behind a cursor. The header Wave-Stream-End has the id of "
                 "the last one that was stored when the stream was opened: whoever has "
                 "seen it has caught up.",
             .query = {after("the id of the last event that is known, 0 for everything, or "
                             "latest; the header Last-Event-ID comes first"),
                       {"pipeline", short_text(), "only runs of this pipeline"},
                       {"run", short_text(), "only this run; several: run=a&run=b", true}},
             .response_type = "text/event-stream",
             .handler = StreamHandler(follow_all)});
}

}  // namespace wave::server

// GET and PATCH /api/queue.
#include "base/text.h"
#include "server/queue/supervisor.h"
#include "server/route.h"

namespace wave::server {
namespace {

constexpr size_t kMostShown = 1'000;  // of each list: a queue may be much longer

json::object to_json(const queue::QueueEntry& entry) {
  return {{"run_id", entry.run_id},
          {"pipeline", entry.pipeline},
          {"actor", entry.actor.empty() ? json::value() : json::value(entry.actor)},
          {"status", entry.status},
          {"resuming", entry.resuming},
          {"position", entry.position == 0 ? json::value() : json::value(entry.position)},
          {"why", entry.why},
          {"since", entry.since ? json::value(format_time(*entry.since)) : json::value()}};
}

json::array to_json(const std::vector<queue::QueueEntry>& entries) {
  json::array list;
  for (const queue::QueueEntry& entry : entries) {
    if (list.size() == kMostShown) break;
    list.emplace_back(to_json(entry));
  }
  return list;
}

http::Response show(const queue::Supervisor& supervisor) {
  const std::shared_ptr<const queue::QueueView> view = supervisor.view();
  return json_response(json::object{{"max_concurrent", view->max_concurrent},
                                    {"draining", view->draining},
                                    {"waiting_total", view->waiting.size()},
                                    {"running", to_json(view->running)},
                                    {"waiting", to_json(view->waiting)},
                                    {"parked", to_json(view->parked)},
                                    {"elsewhere", to_json(view->elsewhere)}});
}

Result<http::Response> get_queue(Call& call) {
  return show(call.services.queue);
}

Result<http::Response> patch_queue(Call& call) {
  const json::object& change = call.body.as_object();
  queue::Supervisor& supervisor = call.services.queue;
  if (change.contains("max_concurrent")) {
    supervisor.set_max_concurrent(static_cast<int>(get_int(change, "max_concurrent")));
  }
  if (change.contains("draining")) supervisor.set_draining(get_bool(change, "draining"));
  return show(supervisor);
}

}  // namespace

void add_queue_routes(RouteTable& table) {
  table.add({.method = "GET",
             .path = "/api/queue",
             .operation_id = "getQueue",
             .tag = "queue",
             .summary = "What holds a slot, what waits for one, in order, and why.",
             .role = auth::Role::kViewer,
             .response_schema = "Queue",
             .handler = Handler(get_queue)});
  table.add({.method = "PATCH",
             .path = "/api/queue",
             .operation_id = "changeQueue",
             .tag = "queue",
             .summary = "Changes how many runs run at a time, or lets the server drain.",
             .role = auth::Role::kAdmin,
             .request_schema = "QueuePatch",
             .response_schema = "Queue",
             .urgent = true,
             .handler = Handler(patch_queue)});
}

}  // namespace wave::server

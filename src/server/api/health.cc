#include "base/version.h"
#include "server/api/handlers.h"
#include "server/api/run_json.h"
#include "server/api/shared.h"
#include "server/disk/disk_watch.h"
#include "server/queue/supervisor.h"

namespace wave::server::api {
namespace {

struct Check {
  std::string name, message, hint;
  [[nodiscard]] bool ok() const { return message.empty(); }
};

Check check_store(store::Store& store) {
  const auto rows = store.list_runs({.limit = 1});
  if (!rows) return {"store", full_message(rows.error()), rows.error().hint};
  if (const auto trouble = store.write_trouble()) {
    return {"store", full_message(*trouble), trouble->hint};
  }
  return {"store", {}, {}};
}

/// From memory: whoever asks here costs the disk nothing.
Check check_disk(const Services& services) {
  const Status takes = services.disk == nullptr ? Status() : services.disk->check();
  if (takes) return {"disk", {}, {}};
  return {"disk", full_message(takes.error()), takes.error().hint};
}

Check check_queue(const queue::Supervisor& queue) {
  if (!queue.view()->draining) return {"queue", {}, {}};
  return {"queue", "the server is draining: nothing new starts", "PATCH /api/queue ends that"};
}

bool may_read(const Call& call) {
  return call.identity.role >= auth::Role::kViewer;
}

}  // namespace

Result<http::Response> get_health(Call& call) {
  json::object health{{"status", "ok"}};
  if (call.services.demo) health["demo"] = true;
  if (may_read(call)) {
    const Services& services = call.services;
    health["version"] = kVersion;
    health["started_at"] = format_time(services.started_at);
    health["uptime_ms"] =
        std::max<int64_t>(0, (SystemClock().wall() - services.started_at).count());
    health["auth"] = services.authenticator.mode();
    health["actor"] = call.identity.actor();
    health["role"] = auth::to_string(call.identity.role);
  }
  http::Response response = json_response(health);
  response.headers.add("Cache-Control", "no-store");
  return response;
}

Result<http::Response> get_readiness(Call& call) {
  Services& services = call.services;
  const std::array checks{check_store(services.store), check_disk(services),
                          check_queue(services.queue)};
  const bool ready = std::ranges::all_of(checks, &Check::ok);
  json::object readiness{{"status", ready ? "ready" : "not_ready"}};
  if (may_read(call)) {
    json::array list;
    for (const Check& check : checks) {
      list.push_back(json::object{{"name", check.name},
                                  {"status", check.ok() ? "ok" : "failed"},
                                  {"message", text_or_null(check.message)},
                                  {"hint", text_or_null(check.hint)}});
    }
    readiness["checks"] = std::move(list);
  }
  http::Response response = json_response(readiness, ready ? 200 : 503);
  response.headers.add("Cache-Control", "no-store");
  return response;
}

Result<http::Response> get_openapi(Call& call) {
  return http::Response{.headers = {{"Content-Type", "application/json"}},
                        .body = *call.services.api->openapi()};
}

Result<http::Response> get_docs(Call& call) {
  return http::Response{.headers = {{"Content-Type", "text/html; charset=utf-8"},
                                    {"Content-Security-Policy", "default-src 'none'"},
                                    {"X-Content-Type-Options", "nosniff"}},
                        .body = *call.services.api->docs_page()};
}

}  // namespace wave::server::api

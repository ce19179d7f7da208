#include "server/metrics/server_metrics.h"

#include <array>

namespace wave::server::metrics {
namespace {

/// Methods come from outside: what is not one of these is not a label of its own.
std::string known_method(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kKnown{"GET",   "HEAD",   "POST",   "PUT",
                                                          "PATCH", "DELETE", "OPTIONS"};
  return std::ranges::find(kKnown, method) == kKnown.end() ? "other" : std::string(method);
}

}  // namespace

ServerMetrics::ServerMetrics()
    : requests_(registry_.counter("wave_http_requests_total", "Requests that were answered.",
                                  {"method", "route", "status"})),
      durations_(registry_.histogram("wave_http_request_duration_seconds",
                                     "From the first byte of a request to its answer.",
                                     {"method", "route"})),
      deliveries_(registry_.counter("wave_webhook_deliveries_total",
                                    "Deliveries to webhooks, by what became of them.",
                                    {"webhook", "outcome"})),
      refusals_(registry_.counter("wave_access_refused_total",
                                  "Requests that were refused for their credential or pace.",
                                  {"reason"})) {}

void ServerMetrics::answered(std::string_view method, std::string_view route, int status,
                             double seconds) {
  const std::string verb = known_method(method);
  const std::string path(route.empty() ? "none" : route);
  requests_.with({verb, path, std::to_string(status)}).add();
  durations_.with({verb, path}).observe(seconds);
}

void ServerMetrics::refused(std::string_view reason) {
  refusals_.with({std::string(reason)}).add();
}

void ServerMetrics::webhook_delivery(std::string_view webhook, std::string_view outcome) {
  deliveries_.with({std::string(webhook), std::string(outcome)}).add();
}

}  // namespace wave::server::metrics

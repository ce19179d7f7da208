// GET /metrics, for Prometheus.
#include "server/metrics/figures.h"
#include "server/metrics/process_figures.h"
#include "server/metrics/server_metrics.h"
#include "server/route.h"

namespace wave::server {
namespace {

/// Whether the manifest lets everybody read the figures (server.metrics: open).
bool is_open(const Services& services) {
  const auto settings = services.settings.load();
  return settings != nullptr && settings->manifest.server &&
         settings->manifest.server->metrics == "open";
}

/// The row names no role, because which one is wanted is a setting.
Status check_reader(const Call& call) {
  if (is_open(call.services)) return {};
  WAVE_TRY(const auth::Identity identity, call.services.authenticator.authenticate(call.request));
  if (identity.role >= auth::Role::kViewer) return {};
  return fail(Code::kPermissionDenied, "reading the figures needs the role viewer",
              "or set server.metrics: open, where a network is trusted");
}

Result<http::Response> get_metrics(Call& call) {
  WAVE_CHECK(check_reader(call));
  const auto accept = call.request.headers.find("accept").value_or("");
  const metrics::Format format = metrics::format_for(accept);
  metrics::Exposition out(format);
  metrics::write_store_figures(out, call.services.store);
  metrics::write_server_figures(out, call.services);
  metrics::write_process_figures(out);
  if (call.services.metrics != nullptr) call.services.metrics->registry().write(out);
  http::Response response;
  response.headers.set("Content-Type", std::string(metrics::content_type(format)));
  response.headers.set("Cache-Control", "no-store");
  response.body = std::move(out).finish();
  return response;
}

}  // namespace

void add_metrics_routes(RouteTable& table) {
  table.add({.method = "GET",
             .path = "/metrics",
             .operation_id = "getMetrics",
             .tag = "server",
             .summary = "Figures for Prometheus, in its text format or as OpenMetrics. Needs the "
                        "role viewer, unless server.metrics is open.",
             .role = auth::Role::kNobody,
             .response_type = "text/plain",
             .handler = Handler(get_metrics)});
}

}  // namespace wave::server

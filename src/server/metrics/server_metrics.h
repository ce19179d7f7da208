// What a server counts while it runs. Figures that others keep anyway are read when somebody asks
// (figures.h).
#pragma once

#include <string>
#include <string_view>

#include "server/metrics/registry.h"

namespace wave::server::metrics {

/// Made once per server, before it listens; outlives all handlers. Thread: any.
class ServerMetrics {
 public:
  ServerMetrics();
  ServerMetrics(const ServerMetrics&) = delete;
  ServerMetrics& operator=(const ServerMetrics&) = delete;

  /// An answered request. `route` is the row's path ("/api/runs/{id}"), or empty when none matched;
  /// `seconds` from the first byte of the request to its answer.
  void answered(std::string_view method, std::string_view route, int status, double seconds);
  /// A request that was refused for its credential or its pace, by the problem's reason.
  void refused(std::string_view reason);
  /// A delivery to a webhook and what became of it: started, repeated, ignored, refused, failed.
  void webhook_delivery(std::string_view webhook, std::string_view outcome);

  [[nodiscard]] const Registry& registry() const { return registry_; }

 private:
  Registry registry_;
  Family<Counter>& requests_;
  Family<Histogram>& durations_;
  Family<Counter>& deliveries_;
  Family<Counter>& refusals_;
};

}  // namespace wave::server::metrics

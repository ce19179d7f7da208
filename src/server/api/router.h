// From a request to its answer: row, caller, role, checks, handler, last touches.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "http/message.h"
#include "http/server.h"
#include "server/api/request_check.h"
#include "server/api/route_match.h"
#include "server/api/schemas.h"
#include "server/route.h"
#include "server/services.h"

namespace wave::server {

struct RouterOptions {
  RouteTable routes;
  Schemas schemas;
  BrowserCheck check_browser;  // empty: nothing is checked
  /// Where a request comes from, behind trusted proxies, for the audit; empty: the socket's peer.
  std::function<std::string(const http::Request&)> client_address;
  /// Called once per request, after it was answered or its stream was begun. `route` is the row's
  /// path, empty when none matched.
  std::function<void(std::string_view method, std::string_view route, int status, double seconds)>
      answered;
  /// Answers what no row matches outside of /api; empty: a problem. For the browser application.
  std::function<std::optional<http::Response>(const http::Request&)> fallback;
  /// Every answer is checked against its schema and replaced by 500 where it does not fit: for
  /// tests. Also switched on by WAVE_VALIDATE_RESPONSES=1 in the services' environment.
  bool check_answers = false;
};

/// Thread: any, for every method. The services must outlive it; it makes `services.api`.
class Router {
 public:
  /// kInternal when rows and schemas do not fit together.
  static Result<std::unique_ptr<Router>> make(Services& services, RouterOptions options);

  /// For http::Server::start.
  void handle(const http::Request& request, http::Responder responder) const;
  /// The answer, or nothing when a stream handler took `responder` over. Without a responder
  /// (tests) streams are refused.
  [[nodiscard]] std::optional<http::Response> respond(const http::Request& request,
                                                      http::Responder* responder) const;
  /// For http::ServerOptions::body_limit.
  [[nodiscard]] size_t body_limit(const http::Request& head) const;
  /// For http::ServerOptions::lane.
  [[nodiscard]] http::Lane lane(const http::Request& request) const;
  /// For http::ServerOptions::inline_answer: liveness, which costs nothing (promise O2).
  [[nodiscard]] std::optional<http::Response> inline_answer(const http::Request& request) const;

  [[nodiscard]] const RouteTable& routes() const { return options_.routes; }
  [[nodiscard]] const Schemas& schemas() const { return options_.schemas; }

 private:
  struct Seen;
  Router(Services& services, RouterOptions options);
  [[nodiscard]] std::optional<http::Response> answer(const http::Request& request,
                                                     http::Responder* responder, Seen& seen) const;
  [[nodiscard]] http::Response no_row(const http::Request& request,
                                      const RouteMatcher::Found& found) const;
  [[nodiscard]] Status admit(const http::Request& request, const Route& route, Seen& seen) const;
  [[nodiscard]] Result<std::optional<http::Response>> call_handler(const http::Request& request,
                                                                   http::Responder* responder,
                                                                   RouteMatcher::Match match,
                                                                   Seen& seen) const;
  [[nodiscard]] AuditEntry audit_entry(const http::Request& request, const Seen& seen,
                                       int status) const;
  void record(const http::Request& request, const Seen& seen, const http::Response* response) const;

  Services& services_;
  RouterOptions options_;
  std::optional<RouteMatcher> matcher_;
  std::optional<RequestChecks> checks_;
};

}  // namespace wave::server

#include "server/api/router.h"

#include <fmt/core.h>

#include <chrono>
#include <exception>
#include <new>

#include "base/log.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "server/api/finish.h"
#include "server/api/problem.h"
#include "server/api/shared.h"
#include "server/disk/disk_watch.h"

namespace wave::server {
namespace {

constexpr size_t kSmallBody = 64 << 10;  // where no row says how much

bool changes_something(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

bool is_under_api(const http::Request& request) {
  return !request.segments.empty() && request.segments.front() == "api";
}

Error missing_role(const auth::Identity& identity, const Route& route) {
  Error error(Code::kPermissionDenied,
              fmt::format("{} has the role {}; this takes {}", identity.actor(),
                          auth::to_string(identity.role), auth::to_string(route.role)),
              "ask whoever runs this server for the role");
  error.reason = fmt::format("role_{}_required", auth::to_string(route.role));
  return error;
}

// What a handler could not open for a shortage may read as "not there" in its answer: a 404, or a
// list that lacks something. What has been changed is changed, and its answer stands.
std::optional<Error> shortage_behind(const http::Request& request,
                                     const Result<std::optional<http::Response>>& result,
                                     const ShortageWatch& watch) {
  const bool is_sent = result && !*result;  // a stream
  if (is_sent || (result && changes_something(request.method))) return std::nullopt;
  auto shortage = watch.seen();
  if (!shortage || shortage->code != Code::kScarce) return std::nullopt;
  return shortage;
}

}  // namespace

/// What became known about a request on its way.
struct Router::Seen {
  const Route* route = nullptr;
  size_t row = 0;
  auth::Identity identity;
  std::string code;  // of the problem
  AuditRow audit;
};

Router::Router(Services& services, RouterOptions options)
    : services_(services), options_(std::move(options)) {}

Result<std::unique_ptr<Router>> Router::make(Services& services, RouterOptions options) {
  const auto wanted = services.environment.find("WAVE_VALIDATE_RESPONSES");
  if (wanted != services.environment.end() && wanted->second == "1") options.check_answers = true;
  std::unique_ptr<Router> router(new Router(services, std::move(options)));
  router->matcher_.emplace(router->options_.routes);
  WAVE_TRY(RequestChecks checks,
           RequestChecks::make(router->options_.routes, router->options_.schemas,
                               router->options_.check_answers));
  router->checks_.emplace(std::move(checks));
  services.api =
      std::make_shared<api::Shared>(services, router->options_.routes, router->options_.schemas);
  return router;
}

void Router::handle(const http::Request& request, http::Responder responder) const {
  if (auto response = respond(request, &responder)) responder.send(*std::move(response));
}

std::optional<http::Response> Router::respond(const http::Request& request,
                                              http::Responder* responder) const {
  Seen seen;
  std::optional<http::Response> response;
  // Exceptions come from libraries (memory, JSON): they end one request, not the server.
  try {
    response = answer(request, responder, seen);
  } catch (const std::bad_alloc&) {
    log::error("request {}: not enough memory", request.id);
    const Error error(Code::kScarce, "there is not enough memory for this answer",
                      "ask again later, or for less at once");
    seen.code = code_name(error.code);
    response = problem(error, request.id);
  } catch (const std::exception& thrown) {
    log::error("request {}: {}", request.id, thrown.what());
    const Error error(Code::kInternal, "the server could not answer this request",
                      "its log says more, by the request_id");
    seen.code = code_name(error.code);
    response = problem(error, request.id);
  }
  record(request, seen, response ? &*response : nullptr);
  if (response) finish_response(request, *response);
  return response;
}

std::optional<http::Response> Router::answer(const http::Request& request,
                                             http::Responder* responder, Seen& seen) const {
  RouteMatcher::Found found = matcher_->find(request);
  if (!found.match) return no_row(request, found);
  seen.row = found.match->row;
  seen.route = &options_.routes.routes()[seen.row];
  const ShortageWatch watch;
  auto result = call_handler(request, responder, *std::move(found.match), seen);
  if (auto shortage = shortage_behind(request, result, watch)) result = fail(*std::move(shortage));
  if (!result) {
    // Nothing is absent because the disk is.
    if (result.error().code == Code::kNotFound && services_.disk != nullptr) {
      if (const Status there = services_.disk->check_present(); !there)
        result = fail(there.error());
    }
    seen.code = code_name(result.error().code);
    if (http_status(result.error().code) >= 500) {
      log::warning("request {}: {} {}: {}", request.id, request.method, request.path,
                   full_message(result.error()));
    }
    return problem(result.error(), request.id);
  }
  if (!*result) return std::nullopt;
  if (const Status fits = checks_->answer(seen.row, **result); !fits) {
    log::error("{}: {}", fits.error().message, fits.error().hint);
    return problem(fits.error(), request.id);
  }
  return *std::move(result);
}

http::Response Router::no_row(const http::Request& request,
                              const RouteMatcher::Found& found) const {
  if (found.methods.empty()) {
    if (!is_under_api(request) && options_.fallback) {
      if (auto response = options_.fallback(request)) return *std::move(response);
    }
    return problem(
        Error(Code::kNotFound, fmt::format("there is nothing at {}", excerpt(request.path, 200)),
              "GET /api/openapi.json says what there is"),
        request.id);
  }
  const std::string allow = join(found.methods, ", ");
  if (request.method == "OPTIONS") {
    return {.status = 204, .headers = {{"Allow", allow}}, .body = std::string()};
  }
  http::Response response =
      problem(Error(Code::kMethodNotAllowed,
                    fmt::format("{} does not know {}", excerpt(request.path, 200),
                                excerpt(request.method, 20)),
                    "it knows: " + allow),
              request.id);
  response.headers.add("Allow", allow);
  return response;
}

Status Router::admit(const http::Request& request, const Route& route, Seen& seen) const {
  auto identity = services_.authenticator.authenticate(request);
  if (identity) {
    seen.identity = *std::move(identity);
  } else if (route.role != auth::Role::kNobody) {
    return fail(std::move(identity).error());
  }
  if (options_.check_browser) WAVE_CHECK(options_.check_browser(request, seen.identity, route));
  if (seen.identity.role < route.role) return fail(missing_role(seen.identity, route));
  return {};
}

Result<std::optional<http::Response>> Router::call_handler(const http::Request& request,
                                                           http::Responder* responder,
                                                           RouteMatcher::Match match,
                                                           Seen& seen) const {
  const Route& route = *seen.route;
  WAVE_CHECK(admit(request, route, seen));
  WAVE_TRY(auto query, checks_->query(match.row, request));
  json::value body;
  if (!route.raw_body) {
    WAVE_TRY(body, checks_->body(match.row, request));
  }
  for (const auto& [name, value] : match.path) {
    if (value.contains('\0') || to_valid_utf8(value) != value) {
      return fail(Code::kNotFound, fmt::format("{} is not a name of anything", name));
    }
  }
  Call call{.request = request,
            .services = services_,
            .identity = seen.identity,
            .path = std::move(match.path),
            .query = std::move(query),
            .body = std::move(body)};
  seen.audit.make = [&](int status) -> std::optional<store::AuditEntry> {
    if (services_.audit == nullptr || !changes_something(request.method)) return std::nullopt;
    return services_.audit->row(audit_entry(request, seen, status));
  };
  call.audit_row = &seen.audit;
  const StreamHandler* stream = std::get_if<StreamHandler>(&route.handler);
  if (route.follow && call.flag("follow")) stream = &route.follow;
  if (stream == nullptr) {
    WAVE_TRY(http::Response response, std::get<Handler>(route.handler)(call));
    return response;
  }
  if (request.method == "HEAD") {
    return http::Response{.status = route.success,
                          .headers = {{"Content-Type", route.response_type}},
                          .body = std::string()};
  }
  if (responder == nullptr) return fail(Code::kInternal, "a stream has no place to go");
  WAVE_CHECK((*stream)(call, *responder));
  return std::nullopt;
}

AuditEntry Router::audit_entry(const http::Request& request, const Seen& seen, int status) const {
  return {
      .at = SystemClock().wall(),
      .request_id = request.id,
      .actor = seen.identity.actor(),
      .role = std::string(auth::to_string(seen.identity.role)),
      .source = options_.client_address ? options_.client_address(request) : request.peer.address,
      .operation = seen.route->operation_id,
      .target = request.path,
      .status = status,
      .code = seen.code};
}

void Router::record(const http::Request& request, const Seen& seen,
                    const http::Response* response) const {
  const int status = response != nullptr ? response->status : 200;
  const double seconds =
      request.received == MonoTime{}
          ? 0
          : std::chrono::duration<double>(SystemClock().mono() - request.received).count();
  log::debug("{} {} {} {:.1f}ms {} {}", request.method, request.path, status, seconds * 1000,
             seen.identity.actor(), request.id);
  const std::string_view path = seen.route == nullptr ? "" : std::string_view(seen.route->path);
  if (options_.answered) options_.answered(request.method, path, status, seconds);
  if (seen.route == nullptr || !changes_something(request.method)) return;
  if (seen.audit.stored_as == status) return;  // with what it did, in one transaction
  const AuditEntry entry = audit_entry(request, seen, status);
  if (services_.audit == nullptr) {
    log::info("{} by {} from {}: {} {}", entry.operation, entry.actor, entry.source, entry.status,
              entry.target);
  } else if (const Status written = services_.audit->record(entry); !written) {
    log::error("the audit log cannot be written: {}", full_message(written.error()));
  }
}

size_t Router::body_limit(const http::Request& head) const {
  const RouteMatcher::Found found = matcher_->find(head);
  return found.match ? options_.routes.routes()[found.match->row].body_limit : kSmallBody;
}

http::Lane Router::lane(const http::Request& request) const {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const RouteMatcher::Found found = matcher_->find(request);
  if (!found.match) return reads ? http::Lane::kReading : http::Lane::kOther;
  const Route& route = options_.routes.routes()[found.match->row];
  if (route.urgent) return http::Lane::kUrgent;
  // A stream is begun, not built.
  const bool builds = reads && std::holds_alternative<Handler>(route.handler);
  return builds ? http::Lane::kReading : http::Lane::kOther;
}

std::optional<http::Response> Router::inline_answer(const http::Request& request) const {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads || request.path != "/api/health") return std::nullopt;
  // A credential has to be checked first: that is a worker's.
  const bool shows_who = request.headers.find("Authorization") || request.headers.find("Cookie") ||
                         request.peer.certificate != nullptr;
  if (shows_who) return std::nullopt;
  return respond(request, nullptr);
}

}  // namespace wave::server

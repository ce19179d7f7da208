// The route table: one row says method, path, role, parameters, schemas and handler. Router, body
// checks, role checks and the OpenAPI document are all made from it, so they cannot drift.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/identity.h"
#include "base/json.h"
#include "base/result.h"
#include "http/message.h"
#include "http/server.h"
#include "server/services.h"

namespace wave::server {

/// Makes a call's row of the audit log and remembers that the handler has stored it.
struct AuditRow {
  std::function<std::optional<store::AuditEntry>(int status)> make;
  std::optional<int> stored_as;  // the status that the row tells
};

/// A request on its way to its handler: matched, authenticated, its role, parameters and body
/// checked against the row.
struct Call {
  const http::Request& request;
  Services& services;
  auth::Identity identity;
  std::map<std::string, std::string> path;        // {id} -> value
  std::multimap<std::string, std::string> query;  // declared parameters only, checked
  json::value body;                               // null when the row has no request schema
  AuditRow* audit_row = nullptr;                  // null: nobody keeps one

  /// The call's row of the audit log, for who stores it in the transaction that carries the call
  /// out, which is then answered with `status` (promise A6).
  [[nodiscard]] std::optional<store::AuditEntry> audit(int status) const;

  /// The parameter's value (of a path or query), or the fallback.
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback = {}) const;
  [[nodiscard]] int64_t integer(std::string_view name, int64_t fallback) const;
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
};

/// One query parameter; unknown ones and values that do not fit are 400.
struct Parameter {
  std::string name;
  json::object schema;  // {"type": "integer", "minimum": 1, "maximum": 1000}
  std::string description;
  bool repeated = false;  // ?status=failed&status=running
};

using Handler = std::function<Result<http::Response>(Call&)>;
/// Takes the answer over: streams. An error that is returned is answered as a problem; the
/// Responder must not have been used then.
using StreamHandler = std::function<Status(Call&, http::Responder&)>;

struct Route {
  std::string method;        // "GET" (HEAD is made from it)
  std::string path;          // "/api/runs/{id}"; a last segment "{path...}" takes the rest
  std::string operation_id;  // "getRun": unique, camelCase
  std::string tag;           // "runs", "queue", "gates", "catalogue", "streams", "server" ...
  std::string summary;       // one sentence
  auth::Role role = auth::Role::kViewer;  // kNobody: no credential needed
  std::vector<Parameter> query{};
  std::string request_schema{};   // a name of schemas.h; empty: no body
  std::string response_schema{};  // a name of schemas.h; empty: no JSON body
  std::string response_type = "application/json";
  int success = 200;
  size_t body_limit = 1 << 20;
  /// Short, and somebody waits for it: has threads of its own, whatever else is asked for.
  bool urgent = false;
  std::variant<Handler, StreamHandler> handler{};
  /// The handler checks the raw body itself before anything is parsed (webhooks).
  bool raw_body = false;
  /// Old names of upstream: they answer, and are marked as deprecated in the document.
  bool deprecated = false;
  /// Other statuses of success, with the schema of each (empty: no body).
  std::map<int, std::string> also{};
  /// Looks at Idempotency-Key: said in the document, bounded by the router.
  bool idempotency_key = false;
  /// A request without a body stands for {}.
  bool body_optional = false;
  /// A body of plain text or YAML stands for an object with this one member.
  std::string text_member{};
  /// Answers instead of `handler` when the query says follow=1.
  StreamHandler follow{};
};

/// Filled once at start by the add_*_routes functions, then read only.
class RouteTable {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

// Each folder adds its rows; api/api.cc calls them all.
void add_run_routes(RouteTable& table);        // api/: runs, logs, artifacts, diffs, output, gates
void add_catalogue_routes(RouteTable& table);  // api/: pipelines, personas, contracts, adapters
void add_server_routes(RouteTable& table);     // api/: health, openapi, docs
void add_queue_routes(RouteTable& table);      // queue/
void add_stream_routes(RouteTable& table);     // stream/: /events of a run and of all
void add_webhook_routes(RouteTable& table);    // webhook/
void add_retro_routes(RouteTable& table);      // retro/
void add_metrics_routes(RouteTable& table);    // metrics/
void add_access_routes(RouteTable& table);     // access/: login, sessions, revocation, audit

/// What access/ has to say before anything is done: Host, Origin and Sec-Fetch-Site of browsers,
/// CSRF tokens of sessions (promise A4). Asked for every request that matched a row.
using BrowserCheck =
    std::function<Status(const http::Request&, const auth::Identity&, const Route&)>;

/// What access/ has to say before anything is done: Host, Origin and Sec-Fetch-Site of browsers,
/// CSRF tokens of sessions (promise A4). Asked for every request that matched a row.
using BrowserCheck =
    std::function<Status(const http::Request&, const auth::Identity&, const Route&)>;

// --- answers ---

http::Response json_response(const json::value& value, int status = 200);
/// RFC 9457 problem+json: type, title, status, detail, code, hint, errors[], request_id.
http::Response problem(const Error& error, std::string_view request_id);

}  // namespace wave::server

#include "server/access/browser_rules.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "base/text.h"
#include "server/access/address.h"

namespace wave::server::access {
namespace {

Error refused(std::string reason, std::string message, std::string hint) {
  Error error(Code::kPermissionDenied, std::move(message), std::move(hint));
  error.reason = std::move(reason);
  return error;
}

// Whether the origin is the one that the request was sent to.
bool is_own_origin(std::string_view origin, const http::Request& request,
                   const BrowserRules& rules) {
  const auto host = request.headers.find("Host");
  if (!host) return false;
  const std::string own = to_lower(*host);
  const std::string asked = to_lower(origin);
  if (asked == "https://" + own) return true;
  return !rules.tls && asked == "http://" + own;
}

}  // namespace

bool is_mutating(const http::Request& request) {
  return request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
}

Status check_host(const http::Request& request, const BrowserRules& rules) {
  const auto header = request.headers.find("Host");
  const std::string host = header ? host_of(*header) : std::string();
  if (Address::parse(host) || host == "localhost") return {};
  if (std::ranges::find(rules.hosts, host) != rules.hosts.end()) return {};
  return fail(refused("host_not_allowed",
                      fmt::format("\"{}\" is not a name of this server", excerpt(host, 100)),
                      "add it to server.allowed_hosts in wave.yaml"));
}

Status check_origin(const http::Request& request, const BrowserRules& rules) {
  const auto origin = request.headers.find("Origin");
  if (origin && std::ranges::find(rules.origins, *origin) != rules.origins.end()) return {};
  if (origin && !is_own_origin(*origin, request, rules)) {
    return fail(refused("origin_not_allowed",
                        fmt::format("pages of {} may not use this server", excerpt(*origin, 100)),
                        "add it to server.allowed_origins in wave.yaml if they may"));
  }
  const auto site = request.headers.find("Sec-Fetch-Site");
  if (!site || *site == "same-origin" || *site == "none") return {};
  const auto mode = request.headers.find("Sec-Fetch-Mode");
  const bool is_link = !is_mutating(request) && mode && *mode == "navigate";
  const bool is_api = !request.segments.empty() && request.segments.front() == "api";
  if (is_link && !is_api) return {};  // somebody follows a link to our pages
  return fail(refused("cross_site", "pages of other sites may not use this server",
                      "open the server's own page"));
}

Status check_csrf(const http::Request& request, const auth::Identity& identity) {
  if (identity.method != auth::Method::kSession || !is_mutating(request)) return {};
  const auto sent = request.headers.find("X-CSRF-Token");
  const std::string& wanted = identity.csrf_token;
  const bool good = sent && !wanted.empty() && sent->size() == wanted.size() &&
                    CRYPTO_memcmp(sent->data(), wanted.data(), wanted.size()) == 0;
  if (good) return {};
  return fail(refused("csrf_token", "the request does not carry the session's X-CSRF-Token",
                      "GET /api/session has it"));
}

http::Headers security_headers(bool tls) {
  http::Headers headers{
      {"Content-Security-Policy",
       "default-src 'self'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action "
       "'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; script-src "
       "'self'; "
       "style-src 'self'; worker-src 'self'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
  };
  if (tls) headers.add("Strict-Transport-Security", "max-age=31536000");
  return headers;
}

}  // namespace wave::server::access

// Who may come in: made from the configuration, or refused with the reason (promise A1).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/redact.h"
#include "http/message.h"
#include "http/tls.h"
#include "server/route.h"
#include "server/services.h"

namespace wave::server {

namespace access {
class Doorkeeper;
}

/// What access is made from.
struct AccessRequest {
  const Settings& settings;
  std::string host;  // that is listened on
  const std::map<std::string, std::string>& environment;
  store::StatePaths paths;
  store::Store& store;
  const Redactor& redactor;
  /// Told why, for every request that is refused for its credential or its pace.
  std::function<void(std::string_view reason)> refused;
};

/// Everything that stands at the door. Thread: any, unless a member says otherwise.
class Access {
 public:
  virtual ~Access() = default;
  [[nodiscard]] virtual Authenticator& authenticator() = 0;
  /// Every mutating call goes there (promise A6): Services::audit.
  [[nodiscard]] virtual AuditLog& audit() = 0;
  /// Asked before the router: other names than ours (DNS rebinding), callers that ask or fail too
  /// often (429 with Retry-After). Nothing: go on.
  virtual std::optional<http::Response> refuse(const http::Request& request) = 0;
  /// Where a request comes from, behind trusted proxies.
  [[nodiscard]] virtual std::string client_address(const http::Request& request) = 0;
  /// Whether a peer is one of the trusted proxies.
  [[nodiscard]] virtual bool is_proxy(std::string_view peer) = 0;
  /// Origin, Sec-Fetch-Site and CSRF.
  [[nodiscard]] virtual BrowserCheck browser_check() = 0;
  /// Null: plain HTTP. A new one after each reload that changed it.
  [[nodiscard]] virtual std::shared_ptr<http::TlsContext> tls() = 0;
  /// Security headers of every answer.
  [[nodiscard]] virtual http::Headers common_headers() = 0;
  /// Takes over what a reload may change: keys, certificates, roles. An error changes nothing.
  virtual Status reload(const Settings& settings) = 0;
  /// Called whenever credentials were revoked. Set once, before requests come.
  virtual void on_revoked(std::function<void()> revoked) = 0;
  /// "<base_url>/login#code=...": good once, for five minutes (promise A4). Empty in mode none,
  /// where nobody logs in.
  virtual Result<std::string> login_link(const std::string& base_url) = 0;
  /// What the routes of access/ work with: the one of the last reload.
  [[nodiscard]] virtual std::shared_ptr<access::Doorkeeper> doorkeeper() = 0;
};

/// kInvalidManifest with key, place and remedy for everything that does not fit together.
Result<std::unique_ptr<Access>> make_access(const AccessRequest& request);

}  // namespace wave::server

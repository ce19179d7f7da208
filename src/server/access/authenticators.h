// Who may come in: made from the configuration, or refused with the reason (promise A1).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/redact.h"
#include "http/message.h"
#include "http/tls.h"
#include "server/route.h"
#include "server/services.h"

namespace wave::server {

/// What access is made from.
struct AccessRequest {
  const Settings& settings;
  std::string host;  // that is listened on
  const std::map<std::string, std::string>& environment;
  store::StatePaths paths;
  store::Store& store;
  const Redactor& redactor;
};

/// Everything that stands at the door. Thread: any, unless a member says otherwise.
class Access {
 public:
  virtual ~Access() = default;
  [[nodiscard]] virtual Authenticator& authenticator() = 0;
  /// Host, Origin, Sec-Fetch-Site and CSRF.
  [[nodiscard]] virtual BrowserCheck browser_check() = 0;
  /// Null: plain HTTP. A new one after each reload that changed it.
  [[nodiscard]] virtual std::shared_ptr<http::TlsContext> tls() = 0;
  /// Security headers of every answer.
  [[nodiscard]] virtual http::Headers common_headers() = 0;
  /// Takes over what a reload may change: keys, certificates, roles. An error changes nothing.
  virtual Status reload(const Settings& settings) = 0;
  /// Called whenever credentials were revoked. Set once, before requests come.
  virtual void on_revoked(std::function<void()> revoked) = 0;
};

/// kInvalidManifest with key, place and remedy for everything that does not fit together.
Result<std::unique_ptr<Access>> make_access(const AccessRequest& request);

}  // namespace wave::server

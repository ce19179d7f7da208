#include <fmt/core.h>

#include "server/access/authenticators.h"
#include "server/serve/serve_options.h"

namespace wave::server {
namespace {

/// Everybody who reaches the server may do everything: this machine only.
class OpenAccess final : public Access, private Authenticator {
 public:
  Authenticator& authenticator() override { return *this; }
  BrowserCheck browser_check() override { return {}; }
  std::shared_ptr<http::TlsContext> tls() override { return nullptr; }
  http::Headers common_headers() override { return {{"X-Content-Type-Options", "nosniff"}}; }
  Status reload(const Settings&) override { return {}; }
  void on_revoked(std::function<void()>) override {}

 private:
  Result<auth::Identity> authenticate(const http::Request&) override {
    return auth::Identity{.subject = "anonymous", .role = auth::Role::kAdmin};
  }
  std::string mode() const override { return "none"; }
  bool is_revoked(const auth::Identity&) const override { return false; }
};

}  // namespace

Result<std::unique_ptr<Access>> make_access(const AccessRequest& request) {
  const auto& server = request.settings.manifest.server;
  const SourcePos place{.file = request.settings.manifest.path};
  if (server && server->auth_mode != "none") {
    return fail(Error(Code::kUnsupported,
                      fmt::format("server.auth.mode: {} is not there yet", server->auth_mode),
                      "use mode none, on a loopback address")
                    .at(place));
  }
  if (server && server->tls_enabled) {
    return fail(Error(Code::kUnsupported, "server.tls: encryption is not there yet",
                      "switch it off, and put a proxy in front")
                    .at(place));
  }
  if (!is_loopback(request.host)) {
    return fail(
        Code::kInvalidManifest,
        fmt::format("without authentication the server does not listen on {}", request.host),
        "listen on 127.0.0.1");
  }
  return std::make_unique<OpenAccess>();
}

}  // namespace wave::server

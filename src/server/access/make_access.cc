#include <fmt/format.h>

#include <atomic>

#include "base/log.h"
#include "http/client.h"
#include "server/access/authenticators.h"
#include "server/access/check_config.h"
#include "server/access/doorkeeper.h"
#include "server/access/expand_config.h"

namespace wave::server {
namespace {

using access::Doorkeeper;

Result<std::string> fetch_keys(const std::string& url) {
  http::ClientOptions options;
  options.url = url;
  options.headers = {{"Accept", "application/jwk-set+json, application/json"}};
  options.timeout = Millis(10'000);
  options.max_body = auth::Key::kMaxText;
  WAVE_TRY(const http::Response response, http::fetch(options));
  if (response.status != 200) {
    return fail(Code::kServerUnreachable, fmt::format("{} answers {}", url, response.status));
  }
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  return fail(Code::kServerUnreachable, fmt::format("{} answers without a body", url));
}

class AccessDoor final : public Access, private Authenticator, private AuditLog {
 public:
  explicit AccessDoor(const AccessRequest& request)
      : host_(request.host),
        environment_(request.environment),
        project_(request.paths.project),
        key_cache_(request.paths.token_keys()),
        refused_(request.refused),
        store_(request.store.access()) {}

  Status take(const Settings& settings) {
    const model::Manifest& manifest = settings.manifest;
    access::DoorkeeperOptions options{
        .config = manifest.server.value_or(model::ServerConfig()),
        .host = host_,
        .project = project_,
        .manifest = settings.manifest_path,
        .store = store_,
        .key_cache = key_cache_,
        .refused = refused_,
        .fetch = fetch_keys,
    };
    WAVE_CHECK(access::expand_config(options.config, environment_));
    const access::ConfigQuestion question{.config = options.config,
                                          .host = host_,
                                          .project = project_,
                                          .manifest = settings.manifest_path};
    WAVE_CHECK(access::check_config(question));
    std::shared_ptr<http::TlsContext> tls;
    if (const auto wanted = access::tls_options(question)) {
      WAVE_TRY(tls, http::TlsContext::load(*wanted));
    }
    if (keeper_.load() != nullptr && (tls != nullptr) != (tls_.load() != nullptr)) {
      return fail(Code::kConflict,
                  "server.tls.enabled: TLS is switched on or off by a restart only",
                  "restart `wave serve`");
    }
    WAVE_TRY(std::shared_ptr<Doorkeeper> keeper, Doorkeeper::make(std::move(options)));
    keeper->on_revoked([this] {
      if (revoked_) revoked_();
    });
    tls_ = std::move(tls);
    // Kept for one more reload: its watcher may be at work, and must not be the one to end it.
    previous_ = keeper_.exchange(std::move(keeper));
    warn_of_open_ways();
    return {};
  }

  // --- Access ---
  Authenticator& authenticator() override { return *this; }
  AuditLog& audit() override { return *this; }
  std::optional<http::Response> refuse(const http::Request& request) override {
    return keeper_.load()->refuse(request);
  }
  bool is_proxy(std::string_view peer) override { return keeper_.load()->is_proxy(peer); }
  std::string client_address(const http::Request& request) override {
    return keeper_.load()->client_address(request);
  }
  BrowserCheck browser_check() override {
    return
        [this](const http::Request& request, const auth::Identity& identity, const Route& route) {
          return keeper_.load()->check_browser(request, identity, route);
        };
  }
  std::shared_ptr<http::TlsContext> tls() override { return tls_.load(); }
  http::Headers common_headers() override {
    return access::security_headers(tls_.load() != nullptr);
  }
  Status reload(const Settings& settings) override {
    WAVE_CHECK(take(settings));
    if (revoked_) revoked_();
    return {};
  }
  void on_revoked(std::function<void()> revoked) override { revoked_ = std::move(revoked); }
  Result<std::string> login_link(const std::string& base_url) override {
    if (mode() == "none") return std::string();
    return keeper_.load()->login_link(base_url, "admin", auth::Role::kAdmin);
  }
  std::shared_ptr<Doorkeeper> doorkeeper() override { return keeper_.load(); }

 private:
  // --- Authenticator, AuditLog ---
  Result<auth::Identity> authenticate(const http::Request& request) override {
    return keeper_.load()->authenticate(request);
  }
  [[nodiscard]] std::string mode() const override { return keeper_.load()->mode(); }
  [[nodiscard]] bool is_revoked(const auth::Identity& identity) const override {
    return keeper_.load()->is_revoked(identity);
  }
  Status record(const AuditEntry& entry) override { return keeper_.load()->record(entry); }
  [[nodiscard]] std::optional<store::AuditEntry> row(const AuditEntry& entry) const override {
    return keeper_.load()->row(entry);
  }

  void warn_of_open_ways() const {
    const bool beyond = !access::is_loopback_host(host_);
    if (beyond && mode() == "none") {
      log::warning("mode none on {}: whoever reaches this server is admin on it", host_);
    } else if (beyond && tls_.load() == nullptr) {
      log::warning("no TLS on {}: tokens travel in clear text unless a proxy encrypts", host_);
    }
  }

  const std::string host_;
  const std::map<std::string, std::string> environment_;
  const fs::path project_;
  const fs::path key_cache_;
  const std::function<void(std::string_view)> refused_;
  store::AccessStore* const store_;
  std::function<void()> revoked_;  // set once
  std::atomic<std::shared_ptr<http::TlsContext>> tls_;
  std::shared_ptr<Doorkeeper> previous_;
  std::atomic<std::shared_ptr<Doorkeeper>> keeper_;
};

}  // namespace

Result<std::unique_ptr<Access>> make_access(const AccessRequest& request) {
  auto door = std::make_unique<AccessDoor>(request);
  WAVE_CHECK(door->take(request.settings));
  return door;
}

}  // namespace wave::server

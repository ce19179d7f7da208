// Stands at the door: credentials, sessions, revocation, limits, audit. One object per server.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "auth/claims.h"
#include "model/manifest.h"
#include "server/access/address.h"
#include "server/access/browser_rules.h"
#include "server/access/key_source.h"
#include "server/access/limiter.h"
#include "server/access/sessions.h"
#include "server/route.h"
#include "server/services.h"
#include "store/access_store.h"

namespace wave::server::access {

struct DoorkeeperOptions {
  model::ServerConfig config;  // variables expanded
  std::string host;            // the server listens on
  std::filesystem::path project;
  std::string manifest = "wave.yaml";
  store::AccessStore* store = nullptr;  // outlives the object
  std::filesystem::path key_cache;      // file for the keys of an address; empty: none is kept
  /// Told why, for every request that is refused for its credential or its pace; empty: nobody is.
  std::function<void(std::string_view reason)> refused;
  /// Fetches the JWKS at an https:// address; empty: such addresses are refused.
  std::function<Result<std::string>(const std::string& url)> fetch;
  const Clock* clock = nullptr;  // null: the machine's
};

/// Owned by serve/. Thread: any, for every method.
class Doorkeeper final : public Authenticator, public AuditLog {
 public:
  /// Checks the configuration (promise A1): kInvalidManifest with every finding.
  static Result<std::unique_ptr<Doorkeeper>> make(DoorkeeperOptions options);
  ~Doorkeeper() override;

  // --- Authenticator ---
  Result<auth::Identity> authenticate(const http::Request& request) override;
  [[nodiscard]] std::string mode() const override;
  [[nodiscard]] bool is_revoked(const auth::Identity& identity) const override;

  // --- around the router ---
  /// Asked first of all: names that are not ours, callers that ask or fail too often (429 with
  /// Retry-After). A good credential is not refused for what others at its address do. Nothing: go
  /// on.
  std::optional<http::Response> refuse(const http::Request& request);
  /// RouterOptions::check_browser.
  Status check_browser(const http::Request& request, const auth::Identity& identity,
                       const Route& route) const;
  /// Where a request comes from, behind trusted proxies.
  [[nodiscard]] std::string client_address(const http::Request& request) const;
  [[nodiscard]] bool is_proxy(std::string_view peer) const;
  [[nodiscard]] bool tls() const { return rules_.tls; }
  /// What addresses of cookies begin with; empty: the host is ours alone.
  [[nodiscard]] const std::string& base_path() const { return options_.config.base_path; }

  // --- sessions ---
  /// How long somebody who fails again is told to wait; nothing: that is not yet so.
  std::optional<Millis> locked(const http::Request& request, std::string_view token);
  /// 429 with Retry-After for a credential that failed while `wait` is left.
  http::Response slow_down(const http::Request& request, Millis wait);
  /// Checks a token that somebody logs in with; failures are counted.
  Result<auth::Identity> check_token(std::string_view token, const http::Request& request);
  /// Takes a login link's code, which is good once; failures are counted.
  Result<auth::Identity> take_code(std::string_view code, const http::Request& request);
  Result<NewSession> open_session(const auth::Identity& identity, std::string_view source,
                                  const http::Request& request);
  Result<std::vector<store::Session>> sessions() const;
  Status end_session(const std::string& id);
  /// "<base>/login#code=...": good once, for five minutes (promise A4).
  Result<std::string> login_link(std::string_view base_url, std::string_view subject,
                                 auth::Role role);

  // --- revocation ---
  /// Kept until nothing would accept the credential any more, which is later than `expires_at`.
  Status revoke(store::RevokedToken token);
  Result<std::vector<store::RevokedToken>> revoked() const;
  /// Called after something was revoked, here or by a command line: open streams are looked at.
  void on_revoked(std::function<void()> call);

  // --- audit ---
  Status record(const AuditEntry& entry) override;
  [[nodiscard]] std::optional<store::AuditEntry> row(const AuditEntry& entry) const override;
  [[nodiscard]] store::AccessStore& store() const { return *options_.store; }
  [[nodiscard]] WallTime now() const { return clock_->wall(); }

 private:
  explicit Doorkeeper(DoorkeeperOptions options);
  Status load_keys();
  Status load_revoked();
  void watch(const std::stop_token& stop);
  void tell_revoked();
  [[nodiscard]] bool has_mode(std::string_view mode) const;
  Result<auth::Identity> recognize(const http::Request& request);
  std::optional<http::Response> too_fast(const http::Request& request, const std::string& address);
  http::Response too_many(const http::Request& request, std::string_view reason, Millis wait);
  void note_refusal(const http::Request& request, std::string_view reason,
                    std::string_view claimed);
  Status record_sample(const AuditEntry& entry);
  Result<auth::Identity> by_token(std::string_view token);
  Result<auth::Identity> by_certificate(const std::string& der) const;
  Result<std::optional<auth::Identity>> by_session(const http::Request& request) const;
  Result<auth::Identity> counted(Result<auth::Identity> result, const http::Request& request,
                                 std::string_view claimed);
  [[nodiscard]] bool is_id_revoked(const std::string& id) const;
  /// Whether everything of the subject was ended that was issued then.
  [[nodiscard]] bool is_subject_revoked(const std::string& subject,
                                        std::optional<WallTime> issued_at) const;

  DoorkeeperOptions options_;
  SystemClock system_clock_;
  const Clock* clock_;
  std::vector<std::string> modes_;
  std::vector<Network> trusted_;
  BrowserRules rules_;
  std::unique_ptr<KeySource> keys_;  // null without mode jwt
  auth::ClaimRules claims_;
  std::map<std::string, auth::Role> certificate_roles_;
  RateLimit rate_;
  Lockout by_address_{20};
  Lockout by_subject_{5};
  RefusalSample sample_;

  mutable std::shared_mutex revoked_mutex_;
  std::unordered_set<std::string> revoked_;           // guarded by revoked_mutex_
  std::map<std::string, WallTime> revoked_subjects_;  // guarded by revoked_mutex_: since when
  int64_t revoked_mark_ = -1;                         // guarded by revoked_mutex_
  std::mutex call_mutex_;
  std::function<void()> on_revoked_;  // guarded by call_mutex_

  std::mutex wait_mutex_;
  std::condition_variable_any wait_;
  std::jthread watcher_;  // last: ends before what it uses
};

}  // namespace wave::server::access

#include "server/access/doorkeeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/certificate.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "http/client_key.h"
#include "server/access/check_config.h"

namespace wave::server::access {
namespace {

constexpr std::string_view kNoCredential = "no_credential";
constexpr Millis kCodeLifetime = std::chrono::minutes(5);
// Beyond the leeway of today's configuration: tomorrow's may be longer, and so may a clock be late.
constexpr Millis kRevokedLonger = std::chrono::hours(1);
constexpr Millis kLook = std::chrono::seconds(1);  // for what command lines have revoked

Error unauthorized(std::string reason, std::string message, std::string hint) {
  Error error(Code::kUnauthorized, std::move(message), std::move(hint));
  error.reason = std::move(reason);
  return error;
}

// The token of "Authorization: Bearer ..." (RFC 6750 section 2.1); empty: another scheme.
std::optional<std::string_view> bearer(const http::Request& request) {
  const auto header = request.headers.find("Authorization");
  if (!header) return std::nullopt;
  if (to_lower(header->substr(0, 7)) != "bearer ") return std::string_view();
  return trim(header->substr(7));
}

// Who a token says it is: for counting its failures, not to be believed.
std::string claimed_subject(std::string_view token) {
  const auto parts = auth::take_apart(token);
  if (!parts) return {};
  const auto claims = parse_json(parts->payload, 16);
  if (!claims || !claims->is_object()) return {};
  return excerpt(get_string(claims->as_object(), "sub"), 100);
}

std::string outcome_of(int status) {
  if (status < 400) return "ok";
  return status == 401 || status == 403 || status == 429 ? "refused" : "failed";
}

std::map<std::string, auth::Role> roles_of(const std::map<std::string, std::string>& written) {
  std::map<std::string, auth::Role> roles;
  for (const auto& [name, role] : written) {
    roles[name] = auth::role_from_name(role).value_or(auth::Role::kNobody);
  }
  return roles;
}

}  // namespace

Doorkeeper::Doorkeeper(DoorkeeperOptions options)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? options_.clock : &system_clock_),
      modes_(modes_of(options_.config)),
      rate_(options_.config.access.rate_limit) {
  const model::AccessConfig& access = options_.config.access;
  for (const std::string& text : access.trusted_proxies) {
    if (const auto network = Network::parse(text)) trusted_.push_back(*network);
  }
  rules_.tls = options_.config.tls_enabled;
  rules_.origins = access.allowed_origins;
  rules_.hosts.push_back(host_of(options_.host));
  for (const std::string& host : access.allowed_hosts) rules_.hosts.push_back(host_of(host));
  std::erase(rules_.hosts, "");
  claims_ = {
      .issuer = access.issuer,
      .audience = access.audience,
      .leeway = access.leeway,
      .role_claim = access.role_claim,
      .role_mapping = roles_of(access.roles),
      .default_role = auth::role_from_name(access.default_role).value_or(auth::Role::kNobody)};
  certificate_roles_ = roles_of(access.mtls_roles);
}

Result<std::unique_ptr<Doorkeeper>> Doorkeeper::make(DoorkeeperOptions options) {
  WAVE_CHECK(check_config({.config = options.config,
                           .host = options.host,
                           .project = options.project,
                           .manifest = options.manifest}));
  if (options.store == nullptr) return fail(Code::kInternal, "access needs a store");
  std::unique_ptr<Doorkeeper> access(new Doorkeeper(std::move(options)));
  WAVE_CHECK(access->load_keys());
  WAVE_CHECK(access->load_revoked());
  access->watcher_ =
      std::jthread([raw = access.get()](const std::stop_token& stop) { raw->watch(stop); });
  return access;
}

Doorkeeper::~Doorkeeper() {
  watcher_.request_stop();
  if (watcher_.joinable()) watcher_.join();
}

Status Doorkeeper::load_keys() {
  if (!has_mode("jwt")) return {};
  const model::AccessConfig& access = options_.config.access;
  const auto algorithm = auth::algorithm_from_name(access.jwt_algorithm);
  if (!options_.config.jwt_secret.empty()) {
    WAVE_TRY(auth::Key key, auth::Key::from_secret(options_.config.jwt_secret,
                                                   algorithm.value_or(auth::Algorithm::kHs256)));
    std::vector<auth::Key> keys;
    keys.push_back(std::move(key));
    WAVE_TRY(auth::KeySet set, auth::KeySet::make(std::move(keys)));
    keys_ = std::make_unique<KeySource>(std::move(set));
    return {};
  }
  FetchKeys fetch;
  KeyCache cache;
  if (access.jwt_keys.starts_with("https://") || access.jwt_keys.starts_with("http://")) {
    if (!options_.fetch) {
      return fail(Code::kUnsupported,
                  "server.auth.jwt_keys: keys are not fetched from addresses here", "name a file");
    }
    fetch = [this] { return options_.fetch(options_.config.access.jwt_keys); };
    cache = {.file = options_.key_cache, .address = access.jwt_keys};
  } else {
    fetch = [path = options_.project / access.jwt_keys] {
      return read_file(path, auth::Key::kMaxText);
    };
  }
  auto made = KeySource::make(std::move(fetch), algorithm, *clock_, std::move(cache));
  if (!made) return fail(made.error().wrapped("server.auth.jwt_keys: the keys cannot be read"));
  keys_ = *std::move(made);
  return {};
}

// --- who is it ---

bool Doorkeeper::has_mode(std::string_view mode) const {
  return std::ranges::find(modes_, mode) != modes_.end();
}

std::string Doorkeeper::mode() const {
  return join(modes_, ", ");
}

Result<auth::Identity> Doorkeeper::authenticate(const http::Request& request) {
  if (has_mode("none")) {
    return auth::Identity{.subject = "anonymous", .role = auth::Role::kAdmin};
  }
  if (const auto token = bearer(request)) return check_token(*token, request);
  auto identity = recognize(request);
  if (!identity && identity.error().code == Code::kUnauthorized &&
      identity.error().reason != kNoCredential) {
    note_refusal(request, identity.error().reason, {});
  }
  return identity;
}

// By whatever the request shows, without a trace.
Result<auth::Identity> Doorkeeper::recognize(const http::Request& request) {
  if (const auto token = bearer(request); token && keys_) return by_token(*token);
  WAVE_TRY(const auto session, by_session(request));
  if (session) return *session;
  if (has_mode("mtls") && request.peer.certificate != nullptr) {
    return by_certificate(*request.peer.certificate);
  }
  return fail(unauthorized(std::string(kNoCredential), "this needs a credential",
                           has_mode("jwt")
                               ? "send Authorization: Bearer <token>, or log in at /login"
                               : "show a client certificate that server.tls.ca has signed"));
}

Result<auth::Identity> Doorkeeper::check_token(std::string_view token,
                                               const http::Request& request) {
  if (!has_mode("jwt")) {
    return fail(unauthorized("token_not_accepted", "this server takes no tokens",
                             "it asks for client certificates"));
  }
  if (token.empty()) {
    return fail(unauthorized("scheme_not_accepted",
                             "the Authorization header holds no bearer token",
                             "send Authorization: Bearer <token>"));
  }
  return counted(by_token(token), request, token);
}

Result<auth::Identity> Doorkeeper::by_token(std::string_view token) {
  WAVE_TRY(const std::string payload, keys_->verify(token));
  WAVE_TRY(auth::Identity identity, auth::identity_from_claims(payload, claims_, clock_->wall()));
  if (is_id_revoked(identity.token_id)) {
    return fail(
        auth::token_error(auth::TokenFault::kRevoked, "the token was revoked", "get a new one"));
  }
  if (is_subject_revoked(identity.subject, identity.issued_at)) {
    return fail(auth::token_error(auth::TokenFault::kRevoked,
                                  "older tokens of this subject were revoked", "get a new one"));
  }
  return identity;
}

Result<auth::Identity> Doorkeeper::by_certificate(const std::string& der) const {
  WAVE_TRY(const auth::CertificateIdentity certificate, auth::certificate_identity(der));
  if (is_id_revoked(certificate.fingerprint) ||
      is_subject_revoked(certificate.name, certificate.not_before)) {
    return fail(
        unauthorized("certificate_revoked", "the certificate was revoked", "get a new one"));
  }
  const auto role = certificate_roles_.find(certificate.name);
  if (role == certificate_roles_.end()) {
    return fail(unauthorized(
        "certificate_unknown",
        fmt::format("the certificate's name \"{}\" has no role here", certificate.name),
        "add it to server.auth.mtls.roles in wave.yaml"));
  }
  return auth::Identity{.subject = certificate.name,
                        .role = role->second,
                        .method = auth::Method::kCertificate,
                        .token_id = certificate.fingerprint,
                        .csrf_token = {},
                        .expires_at = certificate.not_after,
                        .issued_at = certificate.not_before};
}

Result<std::optional<auth::Identity>> Doorkeeper::by_session(const http::Request& request) const {
  const auto secret = session_cookie(request, rules_.tls, base_path());
  if (!secret) return std::optional<auth::Identity>();
  WAVE_TRY(const auto found, options_.store->session(secret_hash(*secret), clock_->wall()));
  // A browser keeps its cookie longer than we do: then it is somebody without a credential.
  if (!found || is_id_revoked(found->token_id)) return std::optional<auth::Identity>();
  return std::optional(identity_of(*found));
}

// Counts failures against the client and the claimed subject (of that client, so that nobody can
// lock out somebody else). A proxy that does not name its client is never locked out.
Result<auth::Identity> Doorkeeper::counted(Result<auth::Identity> result,
                                           const http::Request& request, std::string_view claimed) {
  const std::string address = client_address(request);
  const std::string client = http::client_key(address);
  const MonoTime now = clock_->mono();
  if (result) {
    by_subject_.succeeded(result->subject + "@" + client);
    return result;
  }
  if (result.error().code != Code::kUnauthorized) return result;
  note_refusal(request, result.error().reason, claimed);
  if (is_proxy(address) || locked(request, claimed)) return result;
  by_address_.failed(client, now);
  if (const std::string subject = claimed_subject(claimed); !subject.empty()) {
    by_subject_.failed(subject + "@" + client, now);
  }
  return result;
}

std::optional<Millis> Doorkeeper::locked(const http::Request& request, std::string_view token) {
  const std::string address = client_address(request);
  if (is_proxy(address)) return std::nullopt;
  const std::string client = http::client_key(address);
  const MonoTime now = clock_->mono();
  if (auto wait = by_address_.locked(client, now)) return wait;
  const std::string subject = claimed_subject(token);
  return subject.empty() ? std::nullopt : by_subject_.locked(subject + "@" + client, now);
}

// Counts it, and writes a sample of them into the audit log: thousands a second must not fill the
// disk, and forty must not go unnoticed.
void Doorkeeper::note_refusal(const http::Request& request, std::string_view reason,
                              std::string_view claimed) {
  if (options_.refused) options_.refused(reason);
  const std::string address = client_address(request);
  const auto seen =
      sample_.take(fmt::format("{} {}", http::client_key(address), reason), clock_->mono());
  if (!seen) return;
  const std::string subject = claimed_subject(claimed);
  const auto stored = options_.store->append_audit(
      {.at = clock_->wall(),
       .actor = "nobody",
       .address = address,
       .action = "authenticate",
       .target = excerpt(request.path, 500),
       .outcome = "refused",
       .status = 401,
       .detail = fmt::format("{} {}: number {} from there within an hour{}", reason, request.id,
                             *seen, subject.empty() ? "" : ", claims to be " + subject)});
  if (!stored) log::error("the audit log cannot be written: {}", full_message(stored.error()));
}

// --- around the router ---

std::string Doorkeeper::client_address(const http::Request& request) const {
  return access::client_address(request, trusted_);
}

bool Doorkeeper::is_proxy(std::string_view peer) const {
  return is_trusted_proxy(peer, trusted_);
}

std::optional<http::Response> Doorkeeper::refuse(const http::Request& request) {
  if (const Status host = check_host(request, rules_); !host) {
    return problem(host.error(), request.id);
  }
  const std::string address = client_address(request);
  if (const auto token = bearer(request); token && !token->empty() && has_mode("jwt")) {
    const auto wait = locked(request, *token);
    if (wait && !recognize(request)) return slow_down(request, *wait);
  }
  return too_fast(request, address);
}

// Who is recognized has a pace of their own, whatever comes from the same address.
std::optional<http::Response> Doorkeeper::too_fast(const http::Request& request,
                                                   const std::string& address) {
  if (is_proxy(address)) return std::nullopt;
  const MonoTime now = clock_->mono();
  auto wait = rate_.take(http::client_key(address), now);
  if (!wait) return std::nullopt;
  if (!has_mode("none")) {
    if (const auto identity = recognize(request)) wait = rate_.take(identity->actor(), now);
  }
  if (!wait) return std::nullopt;
  if (options_.refused) options_.refused("rate_limited");
  return too_many(request, "rate_limited", *wait);
}

http::Response Doorkeeper::slow_down(const http::Request& request, Millis wait) {
  note_refusal(request, "locked_out", {});
  return too_many(request, "locked_out", wait);
}

http::Response Doorkeeper::too_many(const http::Request& request, std::string_view reason,
                                    Millis wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  Error error(Code::kRateLimited,
              reason == "locked_out" ? "too many bad credentials came from there"
                                     : "too many requests came from there",
              fmt::format("try again in {} s", seconds));
  error.reason = reason;
  http::Response response = problem(error, request.id);
  response.headers.set("Retry-After", std::to_string(seconds));
  return response;
}

Status Doorkeeper::check_browser(const http::Request& request, const auth::Identity& identity,
                                 const Route& route) const {
  // Webhooks prove themselves by what they sign, health says nothing: no page can misuse either.
  if (route.raw_body) return {};
  WAVE_CHECK(check_origin(request, rules_));
  // A login does nothing in the name of a session that the browser may still have.
  if (route.operation_id == "logIn") return {};
  return check_csrf(request, identity);
}

// --- sessions ---

Result<auth::Identity> Doorkeeper::take_code(std::string_view code, const http::Request& request) {
  WAVE_TRY(const auto taken, options_.store->take_login_code(secret_hash(code), clock_->wall()));
  if (!taken) {
    return counted(fail(unauthorized("login_code", "the login link is used up, too old or unknown",
                                     "make a new one: `wave token login-link`")),
                   request, {});
  }
  return auth::Identity{.subject = taken->subject,
                        .role = auth::role_from_name(taken->role).value_or(auth::Role::kNobody),
                        .method = auth::Method::kSession,
                        .token_id = {},
                        .csrf_token = {},
                        .expires_at = {},
                        .issued_at = {}};
}

Result<NewSession> Doorkeeper::open_session(const auth::Identity& identity, std::string_view source,
                                            const http::Request& request) {
  NewSession made = make_session(identity, source, request, client_address(request), clock_->wall(),
                                 options_.config.access.session_lifetime);
  WAVE_CHECK(options_.store->add_session(made.session));
  return made;
}

Result<std::vector<store::Session>> Doorkeeper::sessions() const {
  return options_.store->sessions(clock_->wall());
}

Status Doorkeeper::end_session(const std::string& id) {
  WAVE_CHECK(options_.store->remove_session(id));
  tell_revoked();
  return {};
}

Result<std::string> Doorkeeper::login_link(std::string_view base_url, std::string_view subject,
                                           auth::Role role) {
  const std::string code = random_secret();
  const WallTime now = clock_->wall();
  WAVE_CHECK(options_.store->add_login_code({.code_hash = secret_hash(code),
                                             .subject = std::string(subject),
                                             .role = std::string(auth::to_string(role)),
                                             .expires_at = now + kCodeLifetime},
                                            now));
  return fmt::format("{}/login#code={}", base_url, code);
}

// --- revocation ---

bool Doorkeeper::is_id_revoked(const std::string& id) const {
  if (id.empty()) return false;
  const std::shared_lock lock(revoked_mutex_);
  return revoked_.contains(id);
}

// What does not say when it was issued may be older. A token's second has begun before it was
// issued: of the second of the revocation none is left.
bool Doorkeeper::is_subject_revoked(const std::string& subject,
                                    std::optional<WallTime> issued_at) const {
  const std::shared_lock lock(revoked_mutex_);
  const auto found = revoked_subjects_.find(subject);
  return found != revoked_subjects_.end() && (!issued_at || *issued_at <= found->second);
}

bool Doorkeeper::is_revoked(const auth::Identity& identity) const {
  if (identity.method == auth::Method::kNone) return false;
  if (identity.expires_at && *identity.expires_at <= clock_->wall()) return true;
  if (is_id_revoked(identity.token_id)) return true;
  if (is_subject_revoked(identity.subject, identity.issued_at)) return true;
  if (identity.method != auth::Method::kSession) return false;
  const auto there = options_.store->has_session(identity.token_id, clock_->wall());
  return there && !*there;  // when the store cannot say, nobody is thrown out
}

Status Doorkeeper::load_revoked() {
  WAVE_TRY(const int64_t mark, options_.store->revocation_mark());
  WAVE_TRY(const auto tokens, options_.store->revoked_tokens(clock_->wall()));
  std::unordered_set<std::string> ids;
  std::map<std::string, WallTime> subjects;
  for (const store::RevokedToken& token : tokens) {
    if (token.subject.empty()) {
      ids.insert(token.id);
    } else {
      subjects[token.subject] = token.revoked_at;
    }
  }
  const std::unique_lock lock(revoked_mutex_);
  revoked_ = std::move(ids);
  revoked_subjects_ = std::move(subjects);
  revoked_mark_ = mark;
  return {};
}

Status Doorkeeper::revoke(store::RevokedToken token) {
  if (token.expires_at) *token.expires_at += options_.config.access.leeway + kRevokedLonger;
  WAVE_CHECK(options_.store->revoke_token(token, clock_->wall()));
  WAVE_CHECK(load_revoked());
  tell_revoked();
  return {};
}

Result<std::vector<store::RevokedToken>> Doorkeeper::revoked() const {
  return options_.store->revoked_tokens(clock_->wall());
}

void Doorkeeper::on_revoked(std::function<void()> call) {
  const std::scoped_lock lock(call_mutex_);
  on_revoked_ = std::move(call);
}

void Doorkeeper::tell_revoked() {
  const std::scoped_lock lock(call_mutex_);
  if (on_revoked_) on_revoked_();
}

// Looks every second for what other processes have revoked, and renews keys.
void Doorkeeper::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(wait_mutex_);
      wait_.wait_for(lock, stop, kLook, [] { return false; });
    }
    if (stop.stop_requested()) return;
    const auto mark = options_.store->revocation_mark();
    bool news = false;
    if (mark) {
      const std::shared_lock lock(revoked_mutex_);
      news = *mark != revoked_mark_;
    }
    if (news) {
      if (load_revoked()) tell_revoked();
    }
    if (keys_) keys_->refresh_if_due();
  }
}

// --- audit ---

std::optional<store::AuditEntry> Doorkeeper::row(const AuditEntry& entry) const {
  return store::AuditEntry{.at = entry.at,
                           .actor = entry.actor,
                           .address = entry.source,
                           .action = entry.operation,
                           .target = excerpt(entry.target, 500),
                           .outcome = outcome_of(entry.status),
                           .status = entry.status,
                           .detail = entry.code.empty()
                                         ? entry.request_id
                                         : fmt::format("{} {}", entry.code, entry.request_id)};
}

Status Doorkeeper::record(const AuditEntry& entry) {
  // A refused call without a credential changed nothing, and a row for each would let anybody fill
  // the log.
  const bool is_nobody = entry.role == auth::to_string(auth::Role::kNobody);
  if (is_nobody && (entry.status >= 400 || entry.operation == "logOut")) {
    return record_sample(entry);
  }
  auto stored = options_.store->append_audit(*row(entry));
  if (!stored) return fail(std::move(stored).error());
  return {};
}

Status Doorkeeper::record_sample(const AuditEntry& entry) {
  const auto seen = sample_.take(
      fmt::format("{} {} {}", http::client_key(entry.source), entry.operation, entry.status),
      clock_->mono());
  if (!seen) return {};
  store::AuditEntry sampled = *row(entry);
  if (*seen > 1) sampled.detail += fmt::format(": number {} from there within an hour", *seen);
  auto stored = options_.store->append_audit(std::move(sampled));
  if (!stored) return fail(std::move(stored).error());
  return {};
}

}  // namespace wave::server::access

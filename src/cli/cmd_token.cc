#include <fmt/format.h>
#include <unistd.h>

#include "auth/base64url.h"
#include "auth/claims.h"
#include "auth/credential_id.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/style.h"
#include "model/project.h"
#include "process/agent_guard.h"
#include "server/access/expand_config.h"
#include "server/access/sessions.h"
#include "store/server_lock.h"

namespace wave::cli {
namespace {

constexpr Millis kUsualLifetime = std::chrono::hours(12);
constexpr Millis kLongest = std::chrono::days(366);
constexpr Millis kLinkLifetime = std::chrono::minutes(5);

/// An agent does not make itself a credential (promise G10).
Status refuse_own_credential(const Context& context) {
  const auto agent = process::calling_agent(context.environment());
  if (!agent) return {};
  return fail(Code::kPermissionDenied,
              "this is called from inside an agent (" + *agent + "), which gets no credentials",
              "a person does it, from a terminal of their own");
}

Result<model::ServerConfig> server_config(const Context& context) {
  auto loaded = model::load_manifest(context.files(), {.manifest_path = context.manifest_path()});
  for (const model::Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity != model::Severity::kError) continue;
    return fail(Error(diagnostic.code, diagnostic.message, diagnostic.hint).at(diagnostic.pos));
  }
  model::ServerConfig config = loaded.value.server.value_or(model::ServerConfig());
  WAVE_CHECK(server::access::expand_config(config, context.environment()));
  return config;
}

std::optional<auth::Algorithm> algorithm_of(const model::ServerConfig& config) {
  return auth::algorithm_from_name(config.access.jwt_algorithm);
}

Result<auth::Key> signing_key(const Context& context, const model::ServerConfig& config,
                              const std::string& file) {
  if (!file.empty()) {
    WAVE_TRY(const std::string text, read_file(file, auth::Key::kMaxText));
    WAVE_TRY(const auth::KeySet keys, auth::KeySet::parse(text, algorithm_of(config)));
    if (keys.keys()[0].can_sign()) return keys.keys()[0];
    return fail(Code::kUsage, file + " holds public keys only: they check, they do not sign",
                "name the private key");
  }
  if (!config.jwt_secret.empty()) {
    return auth::Key::from_secret(config.jwt_secret,
                                  algorithm_of(config).value_or(auth::Algorithm::kHs256));
  }
  return fail(
      Code::kUsage,
      fmt::format("{} has no server.auth.jwt_secret to sign with", context.manifest_path()),
      "set it (`wave token keygen` makes one), or name the private key with --sign-with FILE");
}

Result<auth::KeySet> checking_keys(const Context& context, const model::ServerConfig& config) {
  if (!config.jwt_secret.empty()) {
    WAVE_TRY(auth::Key key, signing_key(context, config, ""));
    return auth::KeySet::make({std::move(key)});
  }
  if (config.access.jwt_keys.empty() || config.access.jwt_keys.contains("://")) {
    return fail(Code::kNotFound, "no keys at hand to check it with");
  }
  WAVE_TRY(const std::string text,
           read_file(context.project() / config.access.jwt_keys, auth::Key::kMaxText));
  return auth::KeySet::parse(text, algorithm_of(config));
}

int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// Puts the role where the server looks for it: "a.b" is b within a.
void set_role(json::object& claims, std::string_view path, std::string_view role) {
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos) {
    claims[path] = role;
    return;
  }
  json::value& inner = claims[path.substr(0, dot)];
  if (!inner.is_object()) inner = json::object();
  set_role(inner.as_object(), path.substr(dot + 1), role);
}

Status audit(Context& context, store::AccessStore& access, const std::string& action,
             const std::string& target, std::string detail = {}) {
  auto stored = access.append_audit({.at = SystemClock().wall(),
                                     .actor = context.actor(),
                                     .address = "",
                                     .action = action,
                                     .target = target,
                                     .outcome = "ok",
                                     .detail = std::move(detail)});
  if (!stored) return fail(std::move(stored).error());
  return {};
}

Result<store::AccessStore*> access_store(Context& context) {
  WAVE_TRY(store::Store * store, context.open_store(Access::kCreate));
  if (store->access() != nullptr) return store->access();
  return fail(Code::kUnsupported, "this store keeps no sessions");
}

Result<int> create(Context& context, const TokenOptions& options) {
  WAVE_CHECK(refuse_own_credential(context));
  WAVE_TRY(const model::ServerConfig config, server_config(context));
  WAVE_TRY(const auth::Key key, signing_key(context, config, options.key));
  const Millis lifetime = options.expires.value_or(kUsualLifetime);
  if (lifetime <= Millis(0) || lifetime > kLongest) {
    return fail(Code::kUsage, "--expires: a token is good for 366 days at most",
                "make a new one when it ends");
  }
  SystemRandom random;
  const WallTime now = SystemClock().wall();
  const std::string id = options.id.empty() ? random_base32(random, 12) : options.id;
  json::object claims{{"sub", options.named_subject},
                      {"jti", id},
                      {"iat", seconds_of(now)},
                      {"exp", seconds_of(now + lifetime)}};
  if (!config.access.issuer.empty()) claims["iss"] = config.access.issuer;
  if (!config.access.audience.empty()) claims["aud"] = config.access.audience;
  set_role(claims, config.access.role_claim, options.role);
  WAVE_TRY(const std::string token, auth::sign_token(claims, key));
  // The audit row first: no token is handed out without one.
  WAVE_TRY(store::AccessStore * access, access_store(context));
  WAVE_CHECK(audit(context, *access, "createToken", id,
                   fmt::format("{}, {}", options.named_subject, options.role)));
  if (context.json()) {
    context.print_json(json::object{{"token", token},
                                    {"id", id},
                                    {"subject", options.named_subject},
                                    {"role", options.role},
                                    {"expires_at", format_time(now + lifetime)}});
    return 0;
  }
  context.print(token + "\n");
  context.note(fmt::format("{}, {}, until {}; to end it before: wave token revoke {}{}\n",
                           printable(options.named_subject), options.role,
                           format_time(now + lifetime),
                           auth::recognize_credential(id) ? "" : "--id ", printable(id)));
  return 0;
}

Result<std::string> given_token(const TokenOptions& options) {
  std::string text = options.subject;
  if (text.empty() || text == "-") {
    text.clear();
    char buffer[4096];
    while (text.size() <= 2 * auth::kMaxToken) {
      const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      text.append(buffer, static_cast<size_t>(got));
    }
  }
  text = trim(text);
  if (text.empty()) return fail(Code::kUsage, "there is no token", "wave token inspect < FILE");
  return text;
}

/// What the server would say of it.
Result<auth::Identity> judge(const Context& context, const std::string& token) {
  WAVE_TRY(const model::ServerConfig config, server_config(context));
  WAVE_TRY(const auth::KeySet keys, checking_keys(context, config));
  WAVE_TRY(const std::string payload, auth::verify_token(token, keys));
  auth::ClaimRules rules{
      .issuer = config.access.issuer,
      .audience = config.access.audience,
      .leeway = config.access.leeway,
      .role_claim = config.access.role_claim,
      .role_mapping = {},
      .default_role =
          auth::role_from_name(config.access.default_role).value_or(auth::Role::kNobody)};
  for (const auto& [name, role] : config.access.roles) {
    rules.role_mapping[name] = auth::role_from_name(role).value_or(auth::Role::kNobody);
  }
  return auth::identity_from_claims(payload, rules, SystemClock().wall());
}

Result<int> inspect(Context& context, const TokenOptions& options) {
  WAVE_TRY(const std::string token, given_token(options));
  WAVE_TRY(const auth::TokenParts parts, auth::take_apart(token));
  const auto claims = parse_json(parts.payload, 16);
  const auto identity = judge(context, token);
  const bool unchecked = !identity && identity.error().code != Code::kUnauthorized;
  const std::string verdict = identity    ? "valid"
                              : unchecked ? "not checked"
                                          : identity.error().reason;
  if (context.json()) {
    json::object shown{{"header", parts.header},
                       {"claims", claims ? *claims : json::value(nullptr)},
                       {"verdict", verdict}};
    if (!identity) shown["why"] = identity.error().message;
    context.print_json(shown);
  } else {
    context.print(fmt::format("header  {}\nclaims  {}\nverdict {}{}\n",
                              printable(dump_json(parts.header)),
                              printable(claims ? dump_json(*claims) : "no JSON"), verdict,
                              identity ? "" : ": " + printable(identity.error().message)));
  }
  return identity || unchecked ? 0 : exit_code(Code::kUnauthorized);
}

/// What is to be ended: of `token`, `--id` and `--subject` one is given (see parse.cc).
Result<store::RevokedToken> what_to_revoke(const Context& context, const TokenOptions& options) {
  store::RevokedToken token{.subject = options.named_subject,
                            .reason = options.reason,
                            .actor = context.actor(),
                            .revoked_at = SystemClock().wall(),
                            .expires_at = {}};
  if (token.subject.size() > 256) return fail(Code::kUsage, "--subject: the name is too long");
  if (!token.subject.empty()) return token;
  WAVE_TRY(token.id, options.id.empty() ? auth::recognize_credential(options.subject)
                                        : auth::credential_id(options.id));
  return token;
}

Result<int> revoke(Context& context, const TokenOptions& options) {
  WAVE_CHECK(refuse_own_credential(context));
  WAVE_TRY(const store::RevokedToken token, what_to_revoke(context, options));
  const bool is_subject = !token.subject.empty();
  WAVE_TRY(store::AccessStore * access, access_store(context));
  WAVE_CHECK(access->revoke_token(token, token.revoked_at));
  WAVE_CHECK(audit(context, *access, is_subject ? "revokeSubject" : "revokeToken",
                   is_subject ? token.subject : token.id));
  if (context.json()) {
    context.print_json(is_subject ? json::object{{"subject", token.subject}, {"revoked", true}}
                                  : json::object{{"id", token.id}, {"revoked", true}});
  } else if (is_subject) {
    context.print(fmt::format(
        "tokens, certificates and logins of {} that were issued until now are revoked; a running "
        "server ends their streams within a second\n",
        printable(token.subject)));
  } else {
    context.print(fmt::format(
        "a token or certificate with the id {} is not accepted any more; a running server ends its "
        "streams within a second\n",
        printable(token.id)));
  }
  return 0;
}

Status write_new(const std::string& path, std::string_view text, mode_t mode) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    return fail(Code::kConflict, path + " is there already", "name another file");
  }
  return write_file_durable(path, text, mode);
}

Result<int> keygen(Context& context, const TokenOptions& options) {
  const auto algorithm =
      auth::algorithm_from_name(options.algorithm.empty() ? "HS256" : options.algorithm);
  WAVE_TRY(const auth::Key key, auth::Key::generate(*algorithm));
  if (auth::is_symmetric(*algorithm)) {
    WAVE_TRY(const json::object jwk, key.to_jwk(true));
    const std::string secret(get_string(jwk, "k"));
    if (!options.out.empty()) {
      WAVE_CHECK(write_new(options.out, secret + "\n", 0600));
      context.note(fmt::format("{} holds the secret\n", options.out));
      return 0;
    }
    if (context.json()) {
      context.print_json(
          json::object{{"secret", secret}, {"algorithm", auth::to_string(*algorithm)}});
      return 0;
    }
    context.print(secret + "\n");
    context.note(
        "keep it out of wave.yaml: export it as WAVE_JWT_SECRET, and write\n"
        "server: {auth: {mode: jwt, jwt_secret: \"${WAVE_JWT_SECRET}\"}}\n");
    return 0;
  }
  if (options.out.empty()) {
    return fail(Code::kUsage, "a key pair needs a place: --out FILE",
                "FILE gets the private key, FILE.pub the public one");
  }
  WAVE_TRY(const json::object secret_jwk, key.to_jwk(true));
  WAVE_TRY(const json::object public_jwk, key.to_jwk(false));
  WAVE_CHECK(write_new(options.out, pretty_json(secret_jwk) + "\n", 0600));
  WAVE_CHECK(write_new(options.out + ".pub",
                       pretty_json(json::object{{"keys", json::array{public_jwk}}}) + "\n", 0644));
  if (context.json()) {
    context.print_json(json::object{{"private", options.out}, {"public", options.out + ".pub"}});
    return 0;
  }
  context.print(
      fmt::format("{} signs (wave token create --sign-with {}), {}.pub checks "
                  "(server.auth.jwt_keys)\n",
                  options.out, options.out, options.out));
  return 0;
}

Result<int> login_link(Context& context, const TokenOptions& options) {
  WAVE_CHECK(refuse_own_credential(context));
  std::string url = options.url;
  if (url.empty()) {
    const auto server = store::living_server(context.paths());
    if (!server || server->url.empty()) {
      return fail(Code::kNotFound, "no server of this project is running",
                  "start `wave serve`, or name its address with --url");
    }
    url = server->url;
  }
  while (url.ends_with('/')) url.pop_back();
  const std::string code = server::access::random_secret();
  const WallTime now = SystemClock().wall();
  WAVE_TRY(store::AccessStore * access, access_store(context));
  WAVE_CHECK(access->add_login_code({.code_hash = server::access::secret_hash(code),
                                     .subject = options.named_subject,
                                     .role = options.role,
                                     .expires_at = now + kLinkLifetime},
                                    now));
  WAVE_CHECK(audit(context, *access, "createLoginLink", options.named_subject));
  const std::string link = url + "/login#code=" + code;
  if (context.json()) {
    context.print_json(
        json::object{{"url", link}, {"expires_at", format_time(now + kLinkLifetime)}});
  } else {
    context.print(link + "\n");
    context.note("good once, for five minutes\n");
  }
  return 0;
}

}  // namespace

Result<int> run_token(Context& context, const TokenOptions& options) {
  if (options.what == "create") return create(context, options);
  if (options.what == "inspect") return inspect(context, options);
  if (options.what == "revoke") return revoke(context, options);
  if (options.what == "keygen") return keygen(context, options);
  return login_link(context, options);
}

}  // namespace wave::cli

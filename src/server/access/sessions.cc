#include "server/access/sessions.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>

#include "auth/base64url.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"

namespace wave::server::access {
namespace {

constexpr size_t kSecretText = 43;  // 32 bytes as base64url

/// Browsers take "__Host-" for cookies of the whole host only.
std::string_view cookie_name(bool tls, std::string_view base_path) {
  if (!tls) return "wave_session";
  return base_path.empty() ? "__Host-wave_session" : "__Secure-wave_session";
}

}  // namespace

std::string random_secret() {
  std::string bytes(32, '\0');
  // OpenSSL seeds itself from the kernel; without randomness there is nothing to go on with.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), 32) != 1) std::abort();
  return auth::base64url(bytes);
}

std::string secret_hash(std::string_view secret) {
  return sha256_hex(secret);
}

NewSession make_session(const auth::Identity& identity, std::string_view source,
                        const http::Request& request, std::string address, WallTime now,
                        Millis lifetime) {
  SystemRandom random;
  NewSession made;
  made.secret = random_secret();
  made.session = {.id = random_base32(random, 12),
                  .secret_hash = secret_hash(made.secret),
                  .subject = identity.subject,
                  .role = std::string(auth::to_string(identity.role)),
                  .source = std::string(source),
                  .token_id = identity.token_id,
                  .csrf_token = random_secret(),
                  .address = std::move(address),
                  .user_agent = excerpt(request.headers.find("User-Agent").value_or(""), 200),
                  .created_at = now,
                  .expires_at = now + lifetime};
  if (identity.expires_at) {
    made.session.expires_at = std::min(made.session.expires_at, *identity.expires_at);
  }
  return made;
}

auth::Identity identity_of(const store::Session& session) {
  return {.subject = session.subject,
          .role = auth::role_from_name(session.role).value_or(auth::Role::kNobody),
          .method = auth::Method::kSession,
          .token_id = session.id,
          .csrf_token = session.csrf_token,
          .expires_at = session.expires_at,
          .issued_at = session.created_at};
}

std::optional<std::string> session_cookie(const http::Request& request, bool tls,
                                          std::string_view base_path) {
  for (const std::string_view line : request.headers.all("Cookie")) {
    for (const std::string& pair : split(line, ';')) {
      const std::string_view text = trim(pair);
      const size_t equals = text.find('=');
      if (equals == std::string_view::npos || text.substr(0, equals) != cookie_name(tls, base_path))
        continue;
      const std::string_view value = text.substr(equals + 1);
      if (value.size() == kSecretText) return std::string(value);
    }
  }
  return std::nullopt;
}

std::string set_cookie(std::string_view secret, Millis lifetime, bool tls,
                       std::string_view base_path) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
  return fmt::format("{}={}; Path={}; Max-Age={}; HttpOnly; SameSite=Strict{}",
                     cookie_name(tls, base_path), secret, base_path.empty() ? "/" : base_path,
                     secret.empty() ? 0 : seconds, tls ? "; Secure" : "");
}

}  // namespace wave::server::access

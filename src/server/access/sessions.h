// Logins of browsers: what a cookie stands for, and codes of login links.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/identity.h"
#include "http/message.h"
#include "store/access_store.h"

namespace wave::server::access {

/// A session that was just made, with what only its cookie holds.
struct NewSession {
  store::Session session;
  std::string secret;
};

/// 32 random bytes as base64url.
std::string random_secret();
/// What of a secret is stored.
std::string secret_hash(std::string_view secret);

/// A session of this identity, ending with its credential at the latest.
NewSession make_session(const auth::Identity& identity, std::string_view source,
                        const http::Request& request, std::string address, WallTime now,
                        Millis lifetime);
/// kNobody when the stored role is none.
auth::Identity identity_of(const store::Session& session);

/// The session's secret in the request's cookies. Under TLS the cookie has the prefix __Host-,
/// which no other name of the domain can set; below a base path it is of that path, and __Secure-.
std::optional<std::string> session_cookie(const http::Request& request, bool tls,
                                          std::string_view base_path);
/// A Set-Cookie value; an empty secret removes the cookie.
std::string set_cookie(std::string_view secret, Millis lifetime, bool tls,
                       std::string_view base_path);

}  // namespace wave::server::access

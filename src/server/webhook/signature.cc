#include "server/webhook/signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"

namespace wave::server::webhook {
namespace {

constexpr std::string_view kPrefix = "sha256=";

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

/// Bytes of a base64 text; empty when it is none.
std::string from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string bytes(3 * text.size() / 4 + 1, '\0');
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
  if (length < 0) return {};
  size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  bytes.resize(static_cast<size_t>(length) - padding);
  return bytes;
}

bool has_hex_signature(std::string_view secret, std::string_view body, std::string_view given,
                       std::string_view prefix) {
  const std::string expected = std::string(prefix) + hex(hmac_sha256(secret, body));
  return equal_in_constant_time(expected, to_lower(given));
}

/// Standard Webhooks: what is signed is "id.timestamp.body".
bool has_standard_signature(std::string_view secret, const http::Request& request, WallTime now) {
  constexpr std::string_view kSecretPrefix = "whsec_";
  const auto id = request.headers.find("webhook-id");
  const auto timestamp = request.headers.find("webhook-timestamp");
  const auto signatures = request.headers.find("webhook-signature");
  if (!id || !timestamp || !signatures) return false;
  int64_t seconds = 0;
  const auto [end, error] =
      std::from_chars(timestamp->data(), timestamp->data() + timestamp->size(), seconds);
  if (error != std::errc() || end != timestamp->data() + timestamp->size()) return false;
  const int64_t now_seconds = now.time_since_epoch().count() / 1000;
  const int64_t most = kMostSkew.count() / 1000;
  if (seconds < now_seconds - most || seconds > now_seconds + most) return false;

  std::string key(secret);
  if (secret.starts_with(kSecretPrefix)) key = from_base64(secret.substr(kSecretPrefix.size()));
  if (key.empty()) return false;
  const std::string signed_text = fmt::format("{}.{}.{}", *id, *timestamp, request.body);
  const std::string expected = "v1," + base64(hmac_sha256(key, signed_text));
  // Several, when the sender changes its key.
  bool found = false;
  for (const std::string& signature : split(*signatures, ' ')) {
    found = equal_in_constant_time(expected, signature) || found;
  }
  return found;
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
         &length);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  // Of equal length whatever came, so that not even the length shows.
  const std::string left = sha256_hex(a), right = sha256_hex(b);
  return ::CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

bool is_signed(model::Webhook::Provider provider, std::string_view secret,
               const http::Request& request, WallTime now) {
  using enum model::Webhook::Provider;
  if (secret.empty()) return false;
  const auto header = [&request](std::string_view name) {
    return request.headers.find(name).value_or("");
  };
  switch (provider) {
    case kGithub:
      return has_hex_signature(secret, request.body, header("x-hub-signature-256"), kPrefix);
    case kGitea: {
      return has_hex_signature(secret, request.body, header("x-gitea-signature"), "");
    }
    case kGitlab:
      return equal_in_constant_time(secret, header("x-gitlab-token"));
    case kGeneric:
      if (!header("webhook-signature").empty()) {
        return has_standard_signature(secret, request, now);
      }
      return has_hex_signature(secret, request.body, header("x-hub-signature-256"), kPrefix);
  }
  return false;
}

Result<std::string> expand_secret(const model::Webhook& webhook,
                                  const std::map<std::string, std::string>& environment) {
  const auto wrong = [&webhook](std::string message, std::string hint) {
    return fail(Error(Code::kInvalidManifest,
                      fmt::format("webhook {}: {}", webhook.name, std::move(message)),
                      std::move(hint))
                    .at(webhook.pos));
  };
  std::string secret;
  std::string_view rest = webhook.secret;
  while (!rest.empty()) {
    const size_t open = rest.find("${");
    const size_t close = open == std::string_view::npos ? open : rest.find('}', open);
    if (close == std::string_view::npos) break;
    secret += rest.substr(0, open);
    const std::string name(rest.substr(open + 2, close - open - 2));
    const auto value = environment.find(name);
    if (value == environment.end()) {
      return wrong(fmt::format("the variable {} is not set", excerpt(name, 80)),
                   "set it in the server's environment");
    }
    secret += value->second;
    rest.remove_prefix(close + 1);
  }
  secret += rest;
  secret = std::string(trim(secret));
  if (secret.size() < kShortestSecret) {
    return wrong(fmt::format("its secret has fewer than {} bytes", kShortestSecret),
                 "make one with: openssl rand -hex 32");
  }
  return secret;
}

}  // namespace wave::server::webhook

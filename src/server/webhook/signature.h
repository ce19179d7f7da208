// Whether a delivery comes from who knows the secret. Works on the raw bytes, before anything is
// parsed (promise A7).
//
// Sources: GitHub "Validating webhook deliveries" (X-Hub-Signature-256), GitLab "Validate payloads
// by using a secret token" (X-Gitlab-Token), Gitea's webhooks (X-Gitea-Signature), and for generic
// senders Standard Webhooks 1.0.0 (webhook-id, webhook-timestamp, webhook-signature) or
// X-Hub-Signature-256 as GitHub has it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"
#include "model/webhook.h"

namespace wave::server::webhook {

/// HMAC-SHA256 (RFC 2104), 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view message);
/// Whether the texts are equal; how long it takes tells nothing of where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// How far a signed timestamp may be off.
inline constexpr Millis kMostSkew = std::chrono::minutes(5);

/// Whether the request is signed with the secret. An empty secret signs nothing.
bool is_signed(model::Webhook::Provider provider, std::string_view secret,
               const http::Request& request, WallTime now);

/// The secret with every ${NAME} replaced by the variable's value, without the white space at its
/// ends that files and tools leave there. kInvalidManifest when a variable
/// is not set, or the result is too short to be one; the message never has the value.
Result<std::string> expand_secret(const model::Webhook& webhook,
                                  const std::map<std::string, std::string>& environment);

/// Shorter secrets are guessed.
inline constexpr size_t kShortestSecret = 16;

}  // namespace wave::server::webhook

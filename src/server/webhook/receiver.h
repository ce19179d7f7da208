// From a request to a run: verify, remember, read, filter, start.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/message.h"
#include "model/webhook.h"
#include "server/services.h"

namespace wave::server::webhook {

/// How long the same body counts as the same delivery, where the sender's id of it is not signed
/// (promise A7).
inline constexpr Millis kSameBodyFor = std::chrono::hours(7 * 24);
/// How long deliveries are remembered.
inline constexpr Millis kKeptFor = std::chrono::hours(30 * 24);
/// GitHub sends up to 25 MB; what starts runs is far smaller.
inline constexpr size_t kMostBytes = 5 << 20;

/// Makes the call's row of the audit log, for an answer of that status.
using Audit = std::function<std::optional<store::AuditEntry>(int status)>;

/// Answers POST /api/hooks/{name}: 202 with the run or with why none was started; 401 without a
/// word of explanation when the signature is not good or there is no such webhook; else a problem.
/// The row of `audit` is stored with the run. Thread: any.
Result<http::Response> receive(Services& services, const std::string& name,
                               const http::Request& request, const Audit& audit);

/// What keeps configured webhooks from working: secrets that are not set or too short. For the
/// server's start and for reloads. kInvalidManifest, with every finding.
Status check_secrets(const model::Manifest& manifest,
                     const std::map<std::string, std::string>& environment);

}  // namespace wave::server::webhook

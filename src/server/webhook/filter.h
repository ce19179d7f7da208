// Whether a delivery starts the webhook's pipeline.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/webhook.h"
#include "server/webhook/payload.h"

namespace wave::server::webhook {

/// Why nothing is started, in words; nothing when the pipeline is to run.
std::optional<std::string> reason_to_ignore(const model::Webhook& webhook, const Payload& payload);

/// Whether `text` fits the pattern, in which '*' stands for anything and all else for itself.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace wave::server::webhook

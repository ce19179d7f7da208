// Which failure class an ending of Claude Code belongs to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/adapter.h"

namespace wave::agent {

/// What Claude Code says about an ending that is_error.
struct ClaudeError {
  int64_t status = 0;     // HTTP status of the API, 0 if there was none
  std::string_view kind;  // rate_limit, authentication_failed, invalid_request ...
  std::string_view terminal_reason, subtype, stop_reason, text;
};

struct FailureKind {
  flow::FailureClass failure = flow::FailureClass::kTransient;
  Code code = Code::kAgentFailed;
};

/// What is not known is transient: trying again is the safer mistake.
FailureKind classify(const ClaudeError& error);

/// The wait a message names ("Please try again in 3600s"), if it does.
std::optional<Millis> retry_after_in(std::string_view text);

}  // namespace wave::agent

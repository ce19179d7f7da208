// Whether a request comes from inside a run.
#pragma once

#include <optional>
#include <string>

#include "http/message.h"

namespace wave::server::api {

/// The agent whose process, or a process below it, holds the other end of a loopback connection, as
/// far as /proc shows it. An agent on another machine, behind a proxy, or out of its own process
/// tree with a cleared environment is not recognised; docs/security.md says so. Costs a walk over
/// /proc: for decisions only.
std::optional<std::string> agent_behind(const http::Peer& peer, const std::string& proc = "/proc");

}  // namespace wave::server::api

// What a host answers to Launcher::launch: the meta it has written, or why it started nothing.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "process/launcher.h"

namespace wave::process {

std::string encode_reply(const Result<HostMeta>& reply);
Result<HostMeta> decode_reply(std::string_view text);
/// Sends it and closes the descriptor; an owner that is gone does not matter.
void send_reply(UniqueFd fd, const Result<HostMeta>& reply);

}  // namespace wave::process

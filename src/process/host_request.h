// How a HostRequest travels to the launcher: checked, then as length-prefixed bytes in a memfd,
// because arguments, environment and stdin may be any bytes and many of them.
#pragma once

#include <string>
#include <string_view>

#include "process/launcher.h"

namespace wave::process {

/// Of a whole request, stdin_text included.
inline constexpr uint64_t kMaxRequest = 256ull << 20;

/// kUsage for what no process can be started with (no argv, NUL bytes, '=' in a variable's name),
/// kLimit for a request beyond kMaxRequest.
Status check_request(const HostRequest& request);
std::string encode_request(const HostRequest& request);
/// kInternal when the bytes are not what encode_request makes.
Result<HostRequest> decode_request(std::string_view bytes);

}  // namespace wave::process

// The peer that http is measured against: the fewest system calls that could do the same.
#pragma once

namespace wave::bench {

/// Never returns. Writes its port (uint16_t) to `port_out`. Understands whole requests in one
/// piece.
[[noreturn]] void serve_barely(int port_out);

}  // namespace wave::bench

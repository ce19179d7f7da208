// Host names -> addresses, within a deadline.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "http/patience.h"

namespace wave::http {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// In the order to try them; at least one. kServerUnreachable when nobody knows the name.
Result<std::vector<SocketAddress>> resolve(const std::string& host, uint16_t port,
                                           const Patience& patience);

}  // namespace wave::http

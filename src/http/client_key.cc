#include "http/client_key.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace wave::http {

std::string client_key(std::string_view address) {
  in6_addr parsed{};
  const std::string terminated(address);
  if (inet_pton(AF_INET6, terminated.c_str(), &parsed) != 1 || IN6_IS_ADDR_LOOPBACK(&parsed) ||
      IN6_IS_ADDR_V4MAPPED(&parsed)) {
    return terminated;
  }
  std::fill_n(&parsed.s6_addr[8], 8, uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, &parsed, text.data(), text.size());
  return std::string(text.data()) + "/64";
}

}  // namespace wave::http

// Addresses of clients: networks, loopback, and who stands behind a proxy.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace wave::server::access {

/// An IPv4 or IPv6 address; IPv4-mapped ones are IPv4.
struct Address {
  std::array<uint8_t, 16> bytes{};
  bool is_v6 = false;

  /// "127.0.0.1", "::1", "[::1]"; nothing when it is none.
  static std::optional<Address> parse(std::string_view text);
  [[nodiscard]] bool is_loopback() const;
  friend bool operator==(const Address&, const Address&) = default;
};

/// "10.0.0.0/8" or one address.
struct Network {
  Address address;
  int bits = 0;

  static std::optional<Network> parse(std::string_view text);
  [[nodiscard]] bool contains(const Address& other) const;
};

/// Whether only this machine reaches a server that listens there: a loopback address or
/// "localhost". An empty host is every address.
bool is_loopback_host(std::string_view host);

/// Who sent the request: the socket's peer or, if that is a trusted proxy, the last address of
/// Forwarded (RFC 7239) or X-Forwarded-For that is none. What no trusted proxy has written is
/// not believed; where both headers are there and disagree, neither is.
std::string client_address(const http::Request& request, const std::vector<Network>& trusted);

/// Whether an address is one of the trusted proxies'.
bool is_trusted_proxy(std::string_view address, const std::vector<Network>& trusted);

/// The host of "host:port", "[::1]:8080" or "host", in lower case; empty when it is malformed.
std::string host_of(std::string_view authority);

}  // namespace wave::server::access

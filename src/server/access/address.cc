#include "server/access/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace wave::server::access {
namespace {

constexpr size_t kMaxHops = 32;

// The addresses that proxies wrote into the header, nearest last.
std::vector<std::string> forwarded_addresses(const http::Request& request, bool standard) {
  std::vector<std::string> addresses;
  for (const std::string_view line :
       request.headers.all(standard ? "Forwarded" : "X-Forwarded-For")) {
    for (const std::string& element : split(line, ',')) {
      if (!standard) {
        addresses.emplace_back(trim(element));
        continue;
      }
      std::string address;  // an element without "for" hides who it was
      for (const std::string& pair : split(element, ';')) {
        const std::string_view text = trim(pair);
        if (to_lower(text.substr(0, 4)) != "for=") continue;
        std::string_view value = text.substr(4);
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
          value = value.substr(1, value.size() - 2);
        }
        address = value;
      }
      addresses.push_back(std::move(address));
    }
  }
  return addresses;
}

// "1.2.3.4:80" and "[::1]:80" as well.
std::optional<Address> parse_node(std::string_view text) {
  if (const auto plain = Address::parse(text)) return plain;
  if (text.starts_with('[')) return Address::parse(text.substr(0, text.find(']') + 1));
  return Address::parse(text.substr(0, text.rfind(':')));
}

std::string to_text(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(), text.size());
  return text.data();
}

bool is_trusted(const Address& address, const std::vector<Network>& trusted) {
  return std::ranges::any_of(trusted,
                             [&](const Network& network) { return network.contains(address); });
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  const std::string terminated(text);
  Address address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) != 1) return std::nullopt;
  constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) {
    std::copy_n(address.bytes.begin() + 12, 4, address.bytes.begin());
    std::fill(address.bytes.begin() + 4, address.bytes.end(), uint8_t{0});
    return address;
  }
  address.is_v6 = true;
  return address;
}

bool Address::is_loopback() const {
  if (!is_v6) return bytes[0] == 127;
  Address one{.is_v6 = true};
  one.bytes[15] = 1;
  return *this == one;
}

std::optional<Network> Network::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int most = address->is_v6 ? 128 : 32;
  if (slash == std::string_view::npos) return Network{*address, most};
  const std::string_view digits = text.substr(slash + 1);
  int bits = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits < 0 || bits > most) {
    return std::nullopt;
  }
  return Network{*address, bits};
}

bool Network::contains(const Address& other) const {
  if (address.is_v6 != other.is_v6) return false;
  for (int bit = 0; bit < bits; ++bit) {
    const auto byte = static_cast<size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if (((address.bytes[byte] ^ other.bytes[byte]) & mask) != 0) return false;
  }
  return true;
}

bool is_loopback_host(std::string_view host) {
  if (const auto address = Address::parse(host)) return address->is_loopback();
  return to_lower(host) == "localhost";
}

namespace {

// The nearest address that no trusted proxy has; the peer's when the header names none.
std::string nearest_stranger(const http::Request& request, bool standard,
                             const std::vector<Network>& trusted) {
  const auto addresses = forwarded_addresses(request, standard);
  std::string nearest = request.peer.address;
  size_t hops = 0;
  for (auto it = addresses.rbegin(); it != addresses.rend() && hops < kMaxHops; ++it, ++hops) {
    const auto address = parse_node(*it);
    if (!address) return nearest;  // "unknown", "_hidden": the last that is known
    nearest = to_text(*address);
    if (!is_trusted(*address, trusted)) return nearest;
  }
  return nearest;
}

}  // namespace

bool is_trusted_proxy(std::string_view address, const std::vector<Network>& trusted) {
  const auto parsed = Address::parse(address);
  return parsed && is_trusted(*parsed, trusted);
}

std::string client_address(const http::Request& request, const std::vector<Network>& trusted) {
  const auto peer = Address::parse(request.peer.address);
  if (!peer || !is_trusted(*peer, trusted)) return request.peer.address;
  const bool has_standard = request.headers.find("Forwarded").has_value();
  const bool has_usual = request.headers.find("X-Forwarded-For").has_value();
  std::string address = nearest_stranger(request, has_standard, trusted);
  // A proxy writes one of both and lets the other through, as the client sent it.
  if (has_standard && has_usual && address != nearest_stranger(request, false, trusted)) {
    return request.peer.address;
  }
  return address;
}

std::string host_of(std::string_view authority) {
  std::string_view host = authority;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return {};
    host = authority.substr(0, close + 1);
    const std::string_view rest = authority.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return {};
  } else if (const size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  return to_lower(host);
}

}  // namespace wave::server::access

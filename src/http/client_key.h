// Whom an address stands for, where clients are counted.
#pragma once

#include <string>
#include <string_view>

namespace wave::http {

/// An IPv4 address, and text that is no address, as it is. Of IPv6 the first 64 bits
/// ("2001:db8::/64"): that is what one customer has, with 2^64 addresses to come from. Loopback
/// stays itself.
std::string client_key(std::string_view address);

}  // namespace wave::http

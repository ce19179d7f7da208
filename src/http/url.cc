#include "http/url.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>

namespace wave::http {
namespace {

constexpr size_t kMaxUrlBytes = 8192;

std::unexpected<Error> bad_url(std::string_view why) {
  // The text itself is not repeated: a URL may hold a secret.
  return fail(Code::kUsage, fmt::format("the URL cannot be used: {}", why),
              "it has to look like https://host:port/path");
}

bool only_url_bytes(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; });
}

bool only_host_bytes(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '%';
  });
}

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// "host", "host:port", "[v6]" or "[v6]:port" into `url`.
Status take_authority(std::string_view authority, Url& url) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return bad_url("a bracket is not closed");
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (!port.empty() && !take_prefix(port, ":")) return bad_url("text behind the address");
  } else {
    const size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
    if (port.contains(':')) return bad_url("an IPv6 address stands in brackets");
  }
  if (url.host.empty()) return bad_url("it names no host");
  if (!only_host_bytes(url.host)) return bad_url("no host is called that");
  if (port.empty()) return {};
  const auto number = parse_port(port);
  if (!number) return bad_url("the port is a number from 1 to 65535");
  url.port = *number;
  return {};
}

}  // namespace

std::string Url::authority() const {
  std::string text = host.contains(':') ? fmt::format("[{}]", host) : host;
  if (port != (tls ? 443 : 80)) text += fmt::format(":{}", port);
  return text;
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return bad_url("it is longer than 8 KiB");
  if (!only_url_bytes(text)) return bad_url("it holds a byte that has to be percent-encoded");
  Url url;
  if (take_prefix(text, "https://")) {
    url.tls = true;
    url.port = 443;
  } else if (!take_prefix(text, "http://")) {
    return bad_url("it begins neither with http:// nor with https://");
  }
  if (text.contains('#')) return bad_url("a fragment is not sent to servers");
  const size_t path = text.find_first_of("/?");
  const std::string_view authority = text.substr(0, path);
  if (authority.contains('@')) return bad_url("user names do not belong into it");
  WAVE_CHECK(take_authority(authority, url));
  if (path == std::string_view::npos) return url;
  url.target = text.substr(path);
  if (url.target.starts_with('?')) url.target.insert(0, "/");
  return url;
}

}  // namespace wave::http

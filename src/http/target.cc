#include "http/target.h"

#include <algorithm>

namespace wave::http {
namespace {

constexpr size_t kMaxSegments = 64;
constexpr size_t kMaxParameters = 256;

bool parse_path(std::string_view path, std::vector<std::string>& segments) {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  while (!path.empty()) {
    const size_t slash = path.find('/');
    auto segment = percent_decode(path.substr(0, slash), false);
    if (!segment || *segment == "." || *segment == "..") return false;
    if (segments.size() == kMaxSegments) return false;
    segments.push_back(*std::move(segment));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
    if (path.empty()) segments.emplace_back();  // "/a/" is not "/a"
  }
  return true;
}

bool parse_query(std::string_view query, std::vector<std::pair<std::string, std::string>>& pairs) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value || pairs.size() == kMaxParameters) return false;
    pairs.emplace_back(*std::move(name), *std::move(value));
  }
  return true;
}

/// "http://host/path" -> "/path", and the host.
std::optional<std::pair<std::string_view, std::string_view>> split_absolute(
    std::string_view target) {
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::string_view name = target.substr(0, scheme);
  if (name != "http" && name != "https") return std::nullopt;
  const std::string_view rest = target.substr(scheme + 3);
  const size_t slash = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, slash);
  if (authority.empty() || authority.contains('@')) return std::nullopt;
  return std::pair(authority,
                   slash == std::string_view::npos ? std::string_view("/") : rest.substr(slash));
}

}  // namespace

bool parse_target(std::string_view target, Request& request) {
  if (!target.starts_with('/')) {
    const auto absolute = split_absolute(target);
    if (!absolute) return false;
    request.headers.set("Host", std::string(absolute->first));
    target = absolute->second;
  }
  if (std::ranges::any_of(target, [](char c) { return c <= ' ' || c == '\x7f' || c == '#'; })) {
    return false;
  }
  const size_t question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (!parse_path(request.path, request.segments)) return false;
  if (question == std::string_view::npos) return true;
  return parse_query(target.substr(question + 1), request.query);
}

}  // namespace wave::http

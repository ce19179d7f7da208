#include "http/target.h"

#include <algorithm>

#include "base/text.h"

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

/// "http://host/path" -> "/path", and the host into Host.
bool make_origin_form(Request& request) {
  const std::string_view target = request.target;
  size_t scheme = 0;
  for (const std::string_view name : {"http://", "https://"}) {
    if (to_lower(target.substr(0, name.size())) == name) scheme = name.size();
  }
  if (scheme == 0) return false;
  const size_t path = std::min(target.find_first_of("/?", scheme), target.size());
  const std::string_view authority = target.substr(scheme, path - scheme);
  if (authority.empty() || authority.contains('@')) return false;
  request.headers.set("Host", std::string(authority));
  std::string origin(target.substr(path));
  if (!origin.starts_with('/')) origin.insert(0, "/");
  request.target = std::move(origin);
  return true;
}

bool is_target_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7f && c != '#';
}

}  // namespace

bool parse_target(Request& request) {
  if (!std::ranges::all_of(request.target, is_target_byte)) return false;
  if (!request.target.starts_with('/') && !make_origin_form(request)) return false;
  const std::string_view target = request.target;
  const size_t question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (!parse_path(request.path, request.segments)) return false;
  if (question == std::string_view::npos) return true;
  return parse_query(target.substr(question + 1), request.query);
}

void strip_base_path(Request& request, std::string_view base) {
  if (base.empty() || !request.path.starts_with(base)) return;
  const std::string_view rest = std::string_view(request.path).substr(base.size());
  if (!rest.empty() && !rest.starts_with('/')) return;
  const auto parts = std::ranges::count(base, '/');
  request.segments.erase(request.segments.begin(), request.segments.begin() + parts);
  request.path = rest.empty() ? "/" : std::string(rest);
  if (request.path == "/") request.segments.clear();
}

}  // namespace wave::http

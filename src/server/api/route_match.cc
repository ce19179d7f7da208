#include "server/api/route_match.h"

#include <algorithm>

#include "base/text.h"

namespace wave::server {

RouteMatcher::RouteMatcher(const RouteTable& table) : table_(table) {
  for (const Route& route : table.routes()) {
    Pattern pattern;
    for (const std::string& part : split(std::string_view(route.path).substr(1), '/')) {
      if (!part.starts_with('{')) {
        if (part.empty() && route.path == "/") break;
        pattern.segments.push_back({Segment::Kind::kLiteral, part});
        ++pattern.rank;
      } else if (part.ends_with("...}")) {
        pattern.segments.push_back({Segment::Kind::kRest, part.substr(1, part.size() - 5)});
        pattern.rank -= 1000;
      } else {
        pattern.segments.push_back({Segment::Kind::kParameter, part.substr(1, part.size() - 2)});
      }
    }
    patterns_.push_back(std::move(pattern));
  }
}

std::optional<std::map<std::string, std::string>> RouteMatcher::match(
    const Pattern& pattern, const std::vector<std::string>& segments) {
  std::map<std::string, std::string> values;
  size_t at = 0;
  for (const Segment& segment : pattern.segments) {
    if (segment.kind == Segment::Kind::kRest) {
      if (pattern.segments.size() == 1 && !segments.empty() && segments.front() == "api") {
        return std::nullopt;
      }
      const std::vector<std::string> rest(segments.begin() + static_cast<ptrdiff_t>(at),
                                          segments.end());
      values.emplace(segment.text, join(rest, "/"));
      return values;
    }
    if (at == segments.size()) return std::nullopt;
    const std::string& value = segments[at++];
    if (segment.kind == Segment::Kind::kLiteral) {
      if (value != segment.text) return std::nullopt;
    } else if (value.empty()) {
      return std::nullopt;
    } else {
      values.emplace(segment.text, value);
    }
  }
  if (at != segments.size()) return std::nullopt;
  return values;
}

RouteMatcher::Found RouteMatcher::find(const http::Request& request) const {
  const std::string_view method =
      request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  Found found;
  int best = 0;
  for (size_t i = 0; i < patterns_.size(); ++i) {
    auto values = match(patterns_[i], request.segments);
    if (!values) continue;
    const Route& route = table_.routes()[i];
    found.methods.push_back(route.method);
    if (route.method != method) continue;
    if (found.match && patterns_[i].rank <= best) continue;
    best = patterns_[i].rank;
    found.match = Match{i, *std::move(values)};
  }
  if (found.methods.empty()) return found;
  if (std::ranges::find(found.methods, "GET") != found.methods.end()) {
    found.methods.emplace_back("HEAD");
  }
  found.methods.emplace_back("OPTIONS");
  std::ranges::sort(found.methods);
  const auto [first, last] = std::ranges::unique(found.methods);
  found.methods.erase(first, last);
  return found;
}

}  // namespace wave::server

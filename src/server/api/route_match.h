// From a request's path to the row that answers it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "http/message.h"
#include "server/route.h"

namespace wave::server {

/// The table's paths, cut into segments once. The table must outlive it. Thread: any.
class RouteMatcher {
 public:
  explicit RouteMatcher(const RouteTable& table);

  struct Match {
    size_t row = 0;  // in the table
    std::map<std::string, std::string> path;
  };
  struct Found {
    std::optional<Match> match;        // the row of that method
    std::vector<std::string> methods;  // of all rows with that path, HEAD and OPTIONS included
  };
  /// HEAD is answered by GET's row. Literal segments come before parameters; a row outside of /api
  /// that takes any rest never answers below /api.
  [[nodiscard]] Found find(const http::Request& request) const;

 private:
  struct Segment {
    enum class Kind { kLiteral, kParameter, kRest } kind = Kind::kLiteral;
    std::string text;  // the literal, or the parameter's name
  };
  struct Pattern {
    std::vector<Segment> segments;
    int rank = 0;  // how many literals
  };
  static std::optional<std::map<std::string, std::string>> match(
      const Pattern& pattern, const std::vector<std::string>& segments);

  const RouteTable& table_;
  std::vector<Pattern> patterns_;
};

}  // namespace wave::server

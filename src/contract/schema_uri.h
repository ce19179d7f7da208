// What schemas need of URIs: resolving a reference against a base (RFC 3986 section 5), and JSON
// pointers in fragments (RFC 6901).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wave::contract {

/// A URI or relative reference in its five parts; `has_` tells an empty part from a missing one.
struct UriParts {
  std::string scheme, authority, path, query, fragment;
  bool has_authority = false, has_query = false, has_fragment = false;
};
UriParts parse_uri(std::string_view uri);
std::string to_string(const UriParts& parts);

/// `reference` seen from `base`, absolute if `base` is; its fragment is kept.
std::string resolve_uri(std::string_view base, std::string_view reference);

/// A URI cut at its '#'; without one `fragment` is empty.
struct SplitUri {
  std::string document, fragment;
};
SplitUri split_fragment(std::string_view uri);

/// Every %XX replaced by its byte; other text stays.
std::string percent_decode(std::string_view text);

/// The decoded tokens of "/a/b~1c"; nothing when it is not a JSON pointer.
std::optional<std::vector<std::string>> parse_json_pointer(std::string_view pointer);
/// A member's name as one token of a JSON pointer ("a/b" becomes "a~1b").
std::string pointer_token(std::string_view name);

}  // namespace wave::contract

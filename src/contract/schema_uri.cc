#include "contract/schema_uri.h"

#include <cctype>

#include "base/text.h"

namespace wave::contract {
namespace {

bool is_scheme(std::string_view text) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text[0])) == 0) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
  });
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void remove_last_segment(std::string& path) {
  const size_t slash = path.rfind('/');
  path.resize(slash == std::string::npos ? 0 : slash);
}

// RFC 3986, 5.2.4.
std::string remove_dot_segments(std::string_view in) {
  std::string out;
  while (!in.empty()) {
    if (in.starts_with("../")) {
      in.remove_prefix(3);
    } else if (in.starts_with("./") || in.starts_with("/./")) {
      in.remove_prefix(2);
    } else if (in == "/.") {
      in = "/";
    } else if (in.starts_with("/../")) {
      in.remove_prefix(3);
      remove_last_segment(out);
    } else if (in == "/..") {
      in = "/";
      remove_last_segment(out);
    } else if (in == "." || in == "..") {
      in = {};
    } else {
      const size_t end = std::min(in.find('/', 1), in.size());
      out += in.substr(0, end);
      in.remove_prefix(end);
    }
  }
  return out;
}

std::string merge_paths(const UriParts& base, const std::string& path) {
  if (base.has_authority && base.path.empty()) return "/" + path;
  const size_t slash = base.path.rfind('/');
  return slash == std::string::npos ? path : base.path.substr(0, slash + 1) + path;
}

}  // namespace

UriParts parse_uri(std::string_view uri) {
  UriParts parts;
  if (const size_t hash = uri.find('#'); hash != std::string_view::npos) {
    parts.has_fragment = true;
    parts.fragment = uri.substr(hash + 1);
    uri = uri.substr(0, hash);
  }
  if (const size_t mark = uri.find('?'); mark != std::string_view::npos) {
    parts.has_query = true;
    parts.query = uri.substr(mark + 1);
    uri = uri.substr(0, mark);
  }
  if (const size_t colon = uri.find(':');
      colon != std::string_view::npos && is_scheme(uri.substr(0, colon))) {
    parts.scheme = to_lower(uri.substr(0, colon));
    uri.remove_prefix(colon + 1);
  }
  if (uri.starts_with("//")) {
    parts.has_authority = true;
    const size_t end = std::min(uri.find('/', 2), uri.size());
    parts.authority = uri.substr(2, end - 2);
    uri.remove_prefix(end);
  }
  parts.path = uri;
  return parts;
}

std::string to_string(const UriParts& parts) {
  std::string text;
  if (!parts.scheme.empty()) text += parts.scheme + ":";
  if (parts.has_authority) text += "//" + parts.authority;
  text += parts.path;
  if (parts.has_query) text += "?" + parts.query;
  if (parts.has_fragment) text += "#" + parts.fragment;
  return text;
}

// RFC 3986, 5.2.2.
std::string resolve_uri(std::string_view base_text, std::string_view reference_text) {
  UriParts reference = parse_uri(reference_text);
  if (!reference.scheme.empty()) {
    if (reference.path.starts_with('/')) reference.path = remove_dot_segments(reference.path);
    return to_string(reference);
  }
  const UriParts base = parse_uri(base_text);
  UriParts target = reference;
  target.scheme = base.scheme;
  if (reference.has_authority) {
    target.path = remove_dot_segments(reference.path);
    return to_string(target);
  }
  target.authority = base.authority;
  target.has_authority = base.has_authority;
  if (reference.path.empty()) {
    target.path = base.path;
    if (!reference.has_query) {
      target.query = base.query;
      target.has_query = base.has_query;
    }
    return to_string(target);
  }
  const bool absolute = reference.path.starts_with('/');
  target.path = remove_dot_segments(absolute ? reference.path : merge_paths(base, reference.path));
  return to_string(target);
}

SplitUri split_fragment(std::string_view uri) {
  const size_t hash = uri.find('#');
  if (hash == std::string_view::npos) return {std::string(uri), {}};
  return {std::string(uri.substr(0, hash)), std::string(uri.substr(hash + 1))};
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool encoded = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                         hex_value(text[i + 2]) >= 0;
    if (!encoded) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

std::optional<std::vector<std::string>> parse_json_pointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  if (pointer.front() != '/') return std::nullopt;
  std::string token;
  for (size_t i = 1; i < pointer.size(); ++i) {
    const char c = pointer[i];
    if (c == '/') {
      tokens.push_back(std::move(token));
      token.clear();
      continue;
    }
    if (c != '~') {
      token += c;
      continue;
    }
    const char escaped = i + 1 < pointer.size() ? pointer[++i] : '\0';
    if (escaped != '0' && escaped != '1') return std::nullopt;
    token += escaped == '0' ? '~' : '/';
  }
  tokens.push_back(std::move(token));
  return tokens;
}

std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

}  // namespace wave::contract

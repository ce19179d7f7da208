#include "base/json.h"

#include <fmt/format.h>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <charconv>

namespace wave {
namespace {

const json::object kNoObject;
const json::array kNoArray;

Error parse_error(std::string_view text, size_t at, const std::string& reason) {
  int line = 1;
  int column = 1;
  for (size_t i = 0; i < at && i < text.size(); ++i) {
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n' ? 1 : 0;
  }
  return {Code::kUsage, fmt::format("not valid JSON at line {}, column {} (byte {}): {}", line,
                                    column, at, reason)};
}

void indent(std::string& out, int depth) {
  out += '\n';
  out.append(static_cast<size_t>(depth) * 2, ' ');
}

void append_string(std::string& out, std::string_view text) {
  const bool plain = std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; });
  if (!plain) {
    out += json::serialize(json::string(text));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

void print(std::string& out, const json::value& value, int depth) {
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ',';
      first = false;
      indent(out, depth + 1);
      append_string(out, key);
      out += ": ";
      print(out, member, depth + 1);
    }
    indent(out, depth);
    out += '}';
    return;
  }
  if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    for (size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      indent(out, depth + 1);
      print(out, (*array)[i], depth + 1);
    }
    indent(out, depth);
    out += ']';
    return;
  }
  append_json(out, value);
}

}  // namespace

Result<json::value> parse_json(std::string_view text, size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  const size_t consumed = parser.write_some(text, error);
  if (error) return fail(parse_error(text, consumed, error.message()));
  const size_t rest = text.find_first_not_of(" \t\r\n", consumed);
  if (rest != std::string_view::npos) {
    return fail(parse_error(text, rest, "something follows the JSON value"));
  }
  parser.finish(error);
  if (error) return fail(parse_error(text, text.size(), error.message()));
  return parser.release();
}

void append_json(std::string& out, const json::value& value) {
  if (const auto* text = value.if_string()) {
    append_string(out, {text->data(), text->size()});
  } else if (const double* number = value.if_double()) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
  } else if (const auto* object = value.if_object()) {
    char before = '{';
    for (const auto& [key, member] : *object) {
      out += std::exchange(before, ',');
      append_string(out, key);
      out += ':';
      append_json(out, member);
    }
    out += before == '{' ? "{}" : "}";
  } else if (const auto* array = value.if_array()) {
    char before = '[';
    for (const json::value& item : *array) {
      out += std::exchange(before, ',');
      append_json(out, item);
    }
    out += before == '[' ? "[]" : "]";
  } else {
    out += json::serialize(value);
  }
}

std::string dump_json(const json::value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string pretty_json(const json::value& value) {
  std::string out;
  print(out, value, 0);
  return out;
}

const json::value* find(const json::object& object, std::string_view key) {
  return object.if_contains(key);
}

std::string_view get_string(const json::object& object, std::string_view key,
                            std::string_view fallback) {
  const json::value* value = find(object, key);
  if (value == nullptr || !value->is_string()) return fallback;
  return {value->get_string().data(), value->get_string().size()};
}

int64_t get_int(const json::object& object, std::string_view key, int64_t fallback) {
  const json::value* value = find(object, key);
  if (value == nullptr) return fallback;
  boost::system::error_code error;
  const auto number = value->to_number<int64_t>(error);
  return error ? fallback : number;
}

double get_double(const json::object& object, std::string_view key, double fallback) {
  const json::value* value = find(object, key);
  if (value == nullptr) return fallback;
  boost::system::error_code error;
  const auto number = value->to_number<double>(error);
  return error ? fallback : number;
}

bool get_bool(const json::object& object, std::string_view key, bool fallback) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_bool() ? value->get_bool() : fallback;
}

const json::object& get_object(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_object() ? value->get_object() : kNoObject;
}

const json::array& get_array(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_array() ? value->get_array() : kNoArray;
}

std::vector<std::string> get_strings(const json::object& object, std::string_view key) {
  std::vector<std::string> strings;
  for (const json::value& item : get_array(object, key)) {
    if (item.is_string()) strings.emplace_back(item.get_string());
  }
  return strings;
}

json::array to_array(const std::vector<std::string>& values) {
  json::array array;
  array.reserve(values.size());
  for (const std::string& value : values) array.emplace_back(value);
  return array;
}

Result<json::value> json_path(const json::value& value, std::string_view path) {
  const json::value* at = &value;
  std::string_view rest = path;
  if (rest.starts_with('.')) rest.remove_prefix(1);
  while (!rest.empty()) {
    if (rest.front() == '[') {
      size_t index = 0;
      const size_t close = rest.find(']');
      const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), index);
      if (close == std::string_view::npos || error != std::errc() || end != rest.data() + close) {
        return fail(Code::kTemplate, fmt::format("\"{}\" is not a JSON path", path));
      }
      if (!at->is_array() || index >= at->get_array().size()) {
        return fail(Code::kTemplate,
                    fmt::format("there is no element [{}] in \"{}\"", index, path));
      }
      at = &at->get_array()[index];
      rest.remove_prefix(close + 1);
      if (rest.starts_with('.')) rest.remove_prefix(1);
      continue;
    }
    const size_t end = std::min(rest.find('.'), rest.find('['));
    const std::string_view key = rest.substr(0, end);
    const json::value* member = at->is_object() ? at->get_object().if_contains(key) : nullptr;
    if (member == nullptr) {
      return fail(Code::kTemplate, fmt::format("there is no \"{}\" in \"{}\"", key, path));
    }
    at = member;
    rest.remove_prefix(std::min(end, rest.size()));
    if (rest.starts_with('.')) rest.remove_prefix(1);
  }
  return *at;
}

std::string json_to_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : dump_json(value);
}

}  // namespace wave

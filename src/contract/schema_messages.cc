#include "contract/schema_messages.h"

#include <array>

#include "base/text.h"
#include "contract/json_equal.h"

namespace wave::contract {
namespace {

constexpr size_t kMaxListed = 12;
constexpr size_t kMaxName = 60;

// Serialises no more than it has to: the instance may be large.
void put_json(std::string& out, const json::value& value, size_t max_bytes) {
  if (out.size() > max_bytes) return;
  if (const json::object* object = value.if_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (out.size() > max_bytes) break;
      if (!first) out += ',';
      first = false;
      out += dump_json(json::value(excerpt(key, kMaxName))) + ":";
      put_json(out, member, max_bytes);
    }
    out += '}';
    return;
  }
  if (const json::array* array = value.if_array()) {
    out += '[';
    for (size_t i = 0; i < array->size() && out.size() <= max_bytes; ++i) {
      if (i > 0) out += ',';
      put_json(out, (*array)[i], max_bytes);
    }
    out += ']';
    return;
  }
  if (value.is_string() && value.get_string().size() > max_bytes) {
    out += dump_json(json::value(std::string(utf8_prefix(value.get_string(), max_bytes))));
    return;
  }
  out += dump_json(value);
}

/// "a, b, c and 4 more"
std::string list_names(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (size_t i = 0; i < names.size() && i < kMaxListed; ++i) {
    shown.push_back(excerpt(names[i], kMaxName));
  }
  std::string text = join(shown, ", ");
  if (names.size() > shown.size()) text += fmt::format(" and {} more", names.size() - shown.size());
  return text;
}

std::vector<std::string> first_names(const json::object& object) {
  std::vector<std::string> names;
  for (const auto& [key, member] : object) {
    if (names.size() == 200) break;
    names.emplace_back(key);
  }
  return names;
}

std::vector<std::string> known_properties(const Node& node) {
  std::vector<std::string> names;
  for (const auto& [name, schema] : node.properties) names.push_back(name);
  return names;
}

/// What the schema says about a property: " (a string: the title of the issue)".
std::string property_hint(const Node& node, std::string_view name) {
  const auto property = node.properties.find(name);
  if (property == node.properties.end()) return {};
  const Node* schema = property->second;
  if (schema->ref != nullptr && schema->types == 0) schema = schema->ref;
  std::string hint = schema->types != 0 ? describe_types(schema->types) : "";
  if (schema->enumeration != nullptr) {
    hint = "one of " + short_json(*schema->enumeration, 120);
  }
  const json::object* raw = property->second->raw;
  if (raw != nullptr) {
    if (const auto text = get_string(*raw, "description"); !text.empty()) {
      hint += (hint.empty() ? "" : ": ") + excerpt(text, 120);
    }
  }
  return hint.empty() ? hint : " (" + hint + ")";
}

struct TypeWords {
  unsigned bit;
  std::string_view words;
};
constexpr std::array kTypeWords{
    TypeWords{kNullBit, "null"},          TypeWords{kBooleanBit, "a boolean"},
    TypeWords{kObjectBit, "an object"},   TypeWords{kArrayBit, "an array"},
    TypeWords{kStringBit, "a string"},    TypeWords{kNumberBit, "a number"},
    TypeWords{kIntegerBit, "an integer"},
};

struct FormatExample {
  std::string_view format, example;
};
constexpr std::array kExamples{
    FormatExample{"date-time", "2026-01-31T12:00:00Z"},
    FormatExample{"date", "2026-01-31"},
    FormatExample{"time", "12:00:00Z"},
    FormatExample{"duration", "PT1H30M"},
    FormatExample{"email", "name@example.com"},
    FormatExample{"uri", "https://example.com/path"},
    FormatExample{"uuid", "123e4567-e89b-42d3-a456-426614174000"},
    FormatExample{"ipv4", "192.0.2.1"},
    FormatExample{"ipv6", "2001:db8::1"},
    FormatExample{"hostname", "host.example.com"},
};

}  // namespace

std::string short_json(const json::value& value, size_t max_bytes) {
  std::string text;
  put_json(text, value, max_bytes);
  return excerpt(text, max_bytes);
}

unsigned type_bits(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return kNullBit;
    case json::kind::bool_:
      return kBooleanBit;
    case json::kind::object:
      return kObjectBit;
    case json::kind::array:
      return kArrayBit;
    case json::kind::string:
      return kStringBit;
    default:
      return is_integer(value) ? kNumberBit | kIntegerBit : kNumberBit;
  }
}

std::string describe_types(unsigned types) {
  std::string text;
  for (const TypeWords& row : kTypeWords) {
    if ((types & row.bit) == 0) continue;
    if (!text.empty()) text += " or ";
    text += row.words;
  }
  return text;
}

std::string describe(const json::value& value) {
  if (const json::object* object = value.if_object()) {
    if (object->empty()) return "an empty object";
    return "an object with the properties " + list_names(first_names(*object));
  }
  if (const json::array* array = value.if_array()) {
    if (array->empty()) return "an empty array";
    return fmt::format("an array of {} items ({})", array->size(), short_json(value));
  }
  if (value.is_null()) return "null";
  if (value.is_string()) return fmt::format("a string ({})", short_json(value));
  return fmt::format("{} ({})", value.is_bool() ? "a boolean" : "a number", short_json(value));
}

std::string type_message(const Node& node, const json::value& value) {
  return fmt::format("must be {}, is {}", describe_types(node.types), describe(value));
}

std::string enum_message(const json::array& allowed, const json::value& value) {
  std::vector<std::string> values;
  std::vector<std::string> texts;
  for (const json::value& one : allowed) {
    if (values.size() == 200) break;
    values.push_back(short_json(one));
    if (one.is_string()) texts.emplace_back(one.get_string());
  }
  std::string message =
      fmt::format("must be one of {}; is {}", list_names(values), short_json(value));
  if (!value.is_string()) return message;
  if (const auto meant = did_you_mean(utf8_prefix(value.get_string(), 200), texts)) {
    message += fmt::format("; did you mean \"{}\"?", excerpt(*meant, kMaxName));
  }
  return message;
}

std::string const_message(const json::value& wanted, const json::value& value) {
  return fmt::format("must be {}, is {}", short_json(wanted), short_json(value));
}

std::string missing_message(const Node& node, const json::object& object, std::string_view name) {
  std::string message = fmt::format("lacks the required property \"{}\"{}", excerpt(name, kMaxName),
                                    property_hint(node, name));
  std::vector<std::string> strangers;
  for (std::string& present : first_names(object)) {
    if (!node.properties.contains(present)) strangers.push_back(std::move(present));
  }
  if (const auto meant = did_you_mean(name, strangers)) {
    message += fmt::format("; there is \"{}\": rename it?", excerpt(*meant, kMaxName));
  }
  return message;
}

std::string unknown_message(const Node& node, const json::object& object, std::string_view name) {
  std::string message = fmt::format("has the unknown property \"{}\"", excerpt(name, kMaxName));
  const std::vector<std::string> known = known_properties(node);
  std::vector<std::string> absent;
  for (const std::string& candidate : known) {
    if (!object.contains(candidate)) absent.push_back(candidate);
  }
  if (const auto meant = did_you_mean(utf8_prefix(name, 200), absent)) {
    message += fmt::format("; did you mean \"{}\"?", excerpt(*meant, kMaxName));
  }
  message += known.empty() ? "; none are allowed" : "; allowed are " + list_names(known);
  return message;
}

std::string format_message(std::string_view format, std::string_view text) {
  std::string wanted = fmt::format("must be of the format {}", format);
  for (const FormatExample& row : kExamples) {
    if (row.format == format) wanted += fmt::format(", such as {}", row.example);
  }
  return fmt::format("{}; is \"{}\"", wanted, excerpt(text, 80));
}

}  // namespace wave::contract

#include "model/key_table.h"

#include <cmath>
#include <limits>

#include "base/text.h"
#include "model/template_parse.h"

namespace wave::model {
namespace {

std::string quoted_list(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word.empty() ? "\"\"" : word;
  }
  return text;
}

std::vector<std::string> names_of(const TableDoc& table) {
  std::vector<std::string> names;
  for (const KeyDoc& key : table.keys) names.emplace_back(key.name);
  return names;
}

bool contains(const std::vector<std::string_view>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Nothing is lost when something as empty as this is not carried out.
bool says_nothing(const yaml::Node& node) {
  if (node.is_scalar()) return node.text.empty() || (node.as_bool() && !*node.as_bool());
  return node.items.empty() && node.entries.empty();
}

}  // namespace

Binder::Part::Part(Binder& binder, std::string_view key)
    : binder_(binder), length_(binder.path_.size()) {
  if (!binder.path_.empty()) binder.path_ += '.';
  binder.path_ += key;
}

Binder::Part::Part(Binder& binder, size_t index) : binder_(binder), length_(binder.path_.size()) {
  binder.path_ += fmt::format("[{}]", index);
}

void Binder::add(Severity severity, const yaml::Node& node, std::string message, std::string hint) {
  diagnostics_.push_back(
      {severity, code_, document_.pos(node), path_, std::move(message), std::move(hint)});
}

void Binder::mismatch(const yaml::Node& node, std::string_view wanted) {
  error(node, fmt::format("this has to be {}, not {}", wanted, node.type_name()));
}

void Binder::each_key(const yaml::Node& node, const TableDoc& table,
                      const std::function<void(size_t, const yaml::Node&)>& read) {
  if (!node.is_mapping()) return mismatch(node, "a mapping");
  std::vector<bool> seen(table.keys.size());
  for (const yaml::Node::Entry& entry : node.entries) {
    const auto found = std::ranges::find(table.keys, entry.key.text, &KeyDoc::name);
    const Part part(*this, excerpt(entry.key.text, 80));
    if (found == table.keys.end()) {
      const std::vector<std::string> names = names_of(table);
      const auto meant = did_you_mean(entry.key.text, names);
      add(Severity::kError, entry.key,
          fmt::format("unknown key \"{}\"", excerpt(entry.key.text, 80)),
          meant ? fmt::format("did you mean \"{}\"?", *meant)
                : fmt::format("known keys are {}", join(names, ", ")));
      continue;
    }
    // "key:" with nothing behind it is a key that was not written.
    if (entry.value.is_null()) continue;
    const auto index = static_cast<size_t>(found - table.keys.begin());
    seen[index] = true;
    const KeyDoc& key = *found;
    if (!key.allowed.empty() && entry.value.is_scalar() &&
        !contains(key.allowed, entry.value.text)) {
      std::vector<std::string> words(key.allowed.begin(), key.allowed.end());
      const auto meant = did_you_mean(entry.value.text, words);
      error(
          entry.value, fmt::format("\"{}\" is not allowed", excerpt(entry.value.text, 80)),
          fmt::format("{}allowed are {}", meant ? fmt::format("did you mean \"{}\"? ", *meant) : "",
                      quoted_list(key.allowed)));
      continue;
    }
    if (entry.value.is_scalar() && contains(key.unsupported_values, entry.value.text)) {
      add(Severity::kUnsupported, entry.value,
          fmt::format("\"{}\" is not carried out by this version", entry.value.text),
          std::string(key.remedy));
    }
    if (key.status == KeyStatus::kUnsupported && !key.reports_itself &&
        !says_nothing(entry.value)) {
      add(Severity::kUnsupported, entry.key,
          fmt::format("\"{}\" is not carried out by this version", key.name),
          std::string(key.remedy));
    }
    read(index, entry.value);
  }
  for (size_t i = 0; i < table.keys.size(); ++i) {
    if (!table.keys[i].required || seen[i]) continue;
    error(node, fmt::format("the key \"{}\" is missing", table.keys[i].name),
          std::string(table.keys[i].meaning));
  }
}

bool Binder::read(const yaml::Node& node, std::string& value) {
  if (!node.is_scalar()) {
    mismatch(node, "text");
    return false;
  }
  value = node.text;  // numbers and truth values are taken as they are spelt
  return true;
}

bool Binder::read(const yaml::Node& node, bool& value) {
  if (const auto flag = node.as_bool()) {
    value = *flag;
    return true;
  }
  mismatch(node, "true or false");
  return false;
}

bool Binder::read(const yaml::Node& node, double& value) {
  const auto number = node.as_double();
  if (!number || !std::isfinite(*number)) {
    mismatch(node, "a number");
    return false;
  }
  if (*number < 0) {
    error(node, fmt::format("{} is negative", node.text));
    return false;
  }
  value = *number;
  return true;
}

bool Binder::read_number(const yaml::Node& node, uint64_t max, int64_t& value) {
  const auto number = node.as_int();
  if (!number) {
    mismatch(node, "a whole number");
    return false;
  }
  if (*number < 0 || static_cast<uint64_t>(*number) > max) {
    error(node, fmt::format("{} is {}", node.text, *number < 0 ? "negative" : "too large"),
          fmt::format("allowed are 0 to {}", std::min<uint64_t>(max, INT64_MAX)));
    return false;
  }
  value = *number;
  return true;
}

bool Binder::read(const yaml::Node& node, Template& value) {
  if (!node.is_scalar()) {
    mismatch(node, "text");
    return false;
  }
  if (!node.text.contains("{{")) {
    value = {};
    if (!node.text.empty()) value.parts.emplace_back(node.text);
    return true;
  }
  value = parse_template_at(
      node.text, [&](size_t ordinal, size_t) { return document_.pos_of(node, "{{", ordinal); },
      path_, scope, diagnostics_);
  return true;
}

bool Binder::read(const yaml::Node& node, std::vector<std::string>& value) {
  if (!node.is_sequence()) {
    mismatch(node, "a list");
    return false;
  }
  value.clear();
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Part part(*this, i);
    std::string item;
    if (read(node.items[i], item)) value.push_back(std::move(item));
  }
  return true;
}

bool Binder::read(const yaml::Node& node, std::map<std::string, std::string>& value) {
  if (!node.is_mapping()) {
    mismatch(node, "a mapping");
    return false;
  }
  for (const yaml::Node::Entry& entry : node.entries) {
    const Part part(*this, entry.key.text);
    read(entry.value, value[entry.key.text]);
  }
  return true;
}

bool Binder::read(const yaml::Node& node, std::map<std::string, std::vector<std::string>>& value) {
  if (!node.is_mapping()) {
    mismatch(node, "a mapping");
    return false;
  }
  for (const yaml::Node::Entry& entry : node.entries) {
    const Part part(*this, entry.key.text);
    read(entry.value, value[entry.key.text]);
  }
  return true;
}

bool Binder::read(const yaml::Node& node, json::object& value) {
  if (!node.is_mapping()) {
    mismatch(node, "a mapping");
    return false;
  }
  value = yaml::to_json(node).as_object();
  return true;
}

bool Binder::read(const yaml::Node& node, json::array& value) {
  if (!node.is_sequence()) {
    mismatch(node, "a list");
    return false;
  }
  value = yaml::to_json(node).as_array();
  return true;
}

bool Binder::read(const yaml::Node& node, Millis& value) {
  if (!node.is_scalar()) {
    mismatch(node, "a duration");
    return false;
  }
  const Result<Millis> duration = parse_duration(node.text);
  if (!duration || duration->count() < 0) {
    error(node, fmt::format("\"{}\" is not a duration", excerpt(node.text, 40)),
          "durations look like 500ms, 90s, 5m, 1h30m");
    return false;
  }
  value = *duration;
  return true;
}

}  // namespace wave::model

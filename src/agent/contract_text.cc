#include "agent/contract_text.h"

#include "base/text.h"

namespace wave::agent {
namespace {

constexpr size_t kMaxSchema = 24 << 10;
constexpr size_t kMaxCriteria = 8 << 10;
constexpr int kMaxSkeletonDepth = 5;
constexpr size_t kMaxSkeletonMembers = 64;

json::value skeleton(const json::value& schema, int depth);

std::string type_of(const json::object& schema) {
  const json::value* type = find(schema, "type");
  if (type != nullptr && type->is_array() && !type->as_array().empty()) {
    type = &type->as_array().front();
  }
  if (type != nullptr && type->is_string()) return std::string(type->as_string());
  if (find(schema, "properties") != nullptr) return "object";
  if (find(schema, "items") != nullptr) return "array";
  return {};
}

json::value object_skeleton(const json::object& schema, int depth) {
  json::object result;
  const auto required = get_strings(schema, "required");
  const json::object& properties = get_object(schema, "properties");
  for (const auto& name : required) {
    if (result.size() == kMaxSkeletonMembers) break;
    const json::value* property = find(properties, name);
    result[name] = property == nullptr ? json::value("...") : skeleton(*property, depth + 1);
  }
  return result;
}

json::value skeleton(const json::value& value, int depth) {
  if (!value.is_object() || depth > kMaxSkeletonDepth) return "...";
  const json::object& schema = value.as_object();
  if (const json::value* fixed = find(schema, "const")) return *fixed;
  if (const json::array& options = get_array(schema, "enum"); !options.empty()) {
    return options.front();
  }
  const std::string type = type_of(schema);
  if (type == "object") return object_skeleton(schema, depth);
  if (type == "array") {
    const json::value* items = find(schema, "items");
    return json::array{items == nullptr ? json::value("...") : skeleton(*items, depth + 1)};
  }
  if (type == "integer" || type == "number") {
    const json::value* minimum = find(schema, "minimum");
    return minimum != nullptr && minimum->is_number() ? *minimum : json::value(0);
  }
  if (type == "boolean") return false;
  if (type == "null") return nullptr;
  return "...";
}

std::string source_of(const model::Contract& contract) {
  std::string text;
  for (const auto& part : contract.source.parts) {
    // A path with run values in it is told by its placeholder's name only.
    text += std::holds_alternative<std::string>(part)
                ? std::get<std::string>(part)
                : "{{ " + std::get<model::Expression>(part).text + " }}";
  }
  return text.empty() ? "the first output" : fmt::format("`{}`", text);
}

std::string schema_text_of(const model::Contract& contract) {
  return contract.schema_text.empty() ? contract.schema : contract.schema_text;
}

std::string json_schema_text(const model::Contract& contract) {
  const std::string schema = schema_text_of(contract);
  std::string text =
      fmt::format("{} has to be valid JSON that fulfils the schema below.\n", source_of(contract));
  if (const auto parsed = parse_json(schema); parsed && parsed->is_object()) {
    const auto required = get_strings(parsed->as_object(), "required");
    if (!required.empty()) text += fmt::format("Required: {}.\n", join(required, ", "));
    const json::value form = schema_skeleton(parsed->as_object());
    if (form.is_object() && !form.as_object().empty()) {
      text += fmt::format("The least it can be looks like this:\n\n{}\n",
                          fenced(pretty_json(form), "json"));
    }
  }
  if (!schema.empty())
    text += fmt::format("\nSchema:\n\n{}\n", fenced(excerpt(schema, kMaxSchema), "json"));
  if (schema.size() > kMaxSchema) {
    text += fmt::format("(The schema goes on; {} of its {} bytes are shown.)\n", kMaxSchema,
                        schema.size());
  }
  return text;
}

std::string contract_text(const model::Contract& contract, const std::string& command) {
  if (contract.type == "json_schema") return json_schema_text(contract);
  if (contract.type == "non_empty_file") {
    return fmt::format("{} has to exist and must not be empty.\n", source_of(contract));
  }
  if (contract.type == "test_suite") {
    if (command.empty()) return {};
    return fmt::format(
        "This command has to end with exit code 0. Run it yourself before you finish:\n\n{}\n",
        fenced(command, "sh"));
  }
  if (contract.type == "agent_review") {
    std::string text = "Another agent reviews your work, and nobody is asked in between.\n";
    if (!contract.criteria_text.empty()) {
      text += fmt::format("It goes by these criteria:\n\n{}\n",
                          fenced(excerpt(contract.criteria_text, kMaxCriteria)));
    }
    return text;
  }
  return {};
}

}  // namespace

std::string fenced(std::string_view text, std::string_view language) {
  size_t run = 0, longest = 2;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fmt::format("{}{}\n{}\n{}", fence, language, trim(text), fence);
}

json::value schema_skeleton(const json::object& schema) {
  return skeleton(schema, 0);
}

std::string contracts_section(const std::vector<model::Contract>& contracts,
                              const std::vector<std::string>& commands) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < contracts.size(); ++i) {
    std::string text = contract_text(contracts[i], i < commands.size() ? commands[i] : "");
    if (!text.empty()) texts.push_back(std::move(text));
  }
  if (texts.empty()) return {};
  std::string section =
      "## How the result is checked\n\nThis is checked by machine when you have finished.\n";
  for (size_t i = 0; i < texts.size(); ++i) {
    section += fmt::format("\n{}. {}", i + 1, texts[i]);
  }
  return section;
}

}  // namespace wave::agent

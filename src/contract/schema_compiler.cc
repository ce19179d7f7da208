#include "contract/schema_compiler.h"

#include <array>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "contract/json_equal.h"
#include "contract/schema_registry.h"
#include "contract/schema_uri.h"

namespace wave::contract {
namespace {

struct TypeName {
  std::string_view name;
  unsigned bits;
};
constexpr std::array kTypes{
    TypeName{"null", kNullBit},       TypeName{"boolean", kBooleanBit},
    TypeName{"object", kObjectBit},   TypeName{"array", kArrayBit},
    TypeName{"string", kStringBit},   TypeName{"number", kNumberBit},
    TypeName{"integer", kIntegerBit},
};

unsigned type_bit(std::string_view name) {
  for (const TypeName& row : kTypes) {
    if (row.name == name) return row.bits;
  }
  return 0;
}

/// The keyword that is being compiled.
struct Keyword {
  std::string_view name;
  const json::value& value;

  [[nodiscard]] Error error(const Node& node, std::string_view what) const {
    return schema_error(fmt::format("{}/{}", node.place, pointer_token(name)), what);
  }
};

class Compiler {
 public:
  explicit Compiler(const SchemaOptions& options)
      : options_(options),
        compiled_(std::make_unique<CompiledSchema>()),
        registry_(*compiled_, options) {}

  Result<std::unique_ptr<const CompiledSchema>> run(const json::value& schema) {
    WAVE_TRY(const json::value* root, registry_.add_document("", schema));
    compiled_->root = node_for(root);
    // Also what nothing refers to is checked: a mistake in it is a mistake.
    const std::vector<const json::value*> own = registry_.schemas();
    for (const json::value* part : own) node_for(part);
    WAVE_CHECK(compile_pending());
    WAVE_CHECK(compile_dynamic_anchors());
    WAVE_CHECK(refuse_endless_references());
    return std::unique_ptr<const CompiledSchema>(std::move(compiled_));
  }

 private:
  using Handler = Status (Compiler::*)(Node&, const Keyword&);
  enum class In { kBoth, k7, k2020 };
  struct HandlerRow {
    std::string_view keyword;
    In drafts;
    Handler handler;
  };
  static const std::vector<HandlerRow>& handlers();

  Node* node_for(const json::value* schema) {
    const auto [at, added] = by_schema_.try_emplace(schema, nullptr);
    if (!added) return at->second;
    const Location& location = registry_.location(schema);
    Node& node = compiled_->nodes.emplace_back();
    node.place = location.place;
    node.resource = location.resource;
    node.raw = schema->if_object();
    node.never = schema->is_bool() && !schema->get_bool();
    at->second = &node;
    if (node.raw != nullptr) pending_.push_back(&node);
    return &node;
  }

  Status compile_pending() {
    while (!pending_.empty()) {
      Node* node = pending_.back();
      pending_.pop_back();
      WAVE_CHECK(compile_node(*node));
    }
    return {};
  }

  // Which of them a $dynamicRef takes is known only while validating.
  Status compile_dynamic_anchors() {
    for (size_t i = 0; i < compiled_->resources.size(); ++i) {
      Resource& resource = compiled_->resources[i];
      for (const auto& [name, schema] : resource.dynamic_anchors) {
        resource.dynamic_nodes[name] = node_for(schema);
      }
      WAVE_CHECK(compile_pending());
    }
    return {};
  }

  Status compile_node(Node& node) {
    const bool draft7 = node.resource->draft == Draft::k7;
    if (const json::value* ref = node.raw->if_contains("$ref"); ref != nullptr && draft7) {
      return compile_ref(node, {"$ref", *ref});
    }
    for (const HandlerRow& row : handlers()) {
      const bool here = row.drafts == In::kBoth || (row.drafts == In::k7) == draft7;
      const json::value* value = here ? node.raw->if_contains(row.keyword) : nullptr;
      if (value == nullptr) continue;
      WAVE_CHECK((this->*row.handler)(node, {row.keyword, *value}));
    }
    return {};
  }

  // --- References ---

  Status compile_ref(Node& node, const Keyword& keyword) {
    WAVE_TRY(const Target target, resolve(node, keyword));
    node.ref = node_for(target.schema);
    return {};
  }

  Status compile_dynamic_ref(Node& node, const Keyword& keyword) {
    WAVE_TRY(const Target target, resolve(node, keyword));
    node.dynamic_ref = DynamicRef{node_for(target.schema), {}};
    if (target.resource->dynamic_anchors.contains(target.anchor)) {
      node.dynamic_ref->anchor = target.anchor;
    }
    return {};
  }

  Result<Target> resolve(Node& node, const Keyword& keyword) {
    if (!keyword.value.is_string()) return fail(keyword.error(node, "must be a URI reference"));
    return registry_.resolve(*node.resource, keyword.value.get_string(), node.place);
  }

  // A chain of $ref and allOf that comes back to itself without descending into the instance would
  // never end. Other circles depend on the instance and are caught while validating.
  Status refuse_endless_references() {
    enum class Mark : char { kNew, kOpen, kDone };
    std::unordered_map<const Node*, Mark> marks;
    struct Visit {
      const Node* node;
      std::vector<const Node*> next;
    };
    const auto successors = [](const Node* node) {
      std::vector<const Node*> next = node->all_of;
      if (node->ref != nullptr) next.push_back(node->ref);
      return next;
    };
    for (const Node& start : compiled_->nodes) {
      if (marks[&start] != Mark::kNew) continue;
      std::vector<Visit> stack{{&start, successors(&start)}};
      marks[&start] = Mark::kOpen;
      while (!stack.empty()) {
        if (stack.back().next.empty()) {
          marks[stack.back().node] = Mark::kDone;
          stack.pop_back();
          continue;
        }
        const Node* next = stack.back().next.back();
        stack.back().next.pop_back();
        Mark& mark = marks[next];
        if (mark == Mark::kOpen) {
          return fail(schema_error(stack.back().node->place,
                                   "its $ref leads back to itself and would never end"));
        }
        if (mark == Mark::kDone) continue;
        mark = Mark::kOpen;
        stack.push_back({next, successors(next)});
      }
    }
    return {};
  }

  // --- Values ---

  Status compile_type(Node& node, const Keyword& keyword) {
    const auto add = [&](const json::value& name) -> Status {
      const unsigned bit = name.is_string() ? type_bit(name.get_string()) : 0;
      if (bit != 0) {
        node.types |= bit;
        return {};
      }
      std::vector<std::string> known;
      for (const TypeName& row : kTypes) known.emplace_back(row.name);
      std::string what =
          fmt::format("{} is not a type; there are {}", dump_json(name), join(known, ", "));
      if (const auto meant =
              name.is_string() ? did_you_mean(name.get_string(), known) : std::nullopt) {
        what += fmt::format("; did you mean \"{}\"?", *meant);
      }
      return fail(keyword.error(node, what));
    };
    const json::array* names = keyword.value.if_array();
    if (names == nullptr) return add(keyword.value);
    if (names->empty()) return fail(keyword.error(node, "must name at least one type"));
    for (const json::value& name : *names) WAVE_CHECK(add(name));
    return {};
  }

  Status compile_enum(Node& node, const Keyword& keyword) {
    node.enumeration = keyword.value.if_array();
    if (node.enumeration == nullptr) return fail(keyword.error(node, "must be an array"));
    return {};
  }

  Status compile_const(Node& node, const Keyword& keyword) {
    node.constant = &keyword.value;
    return {};
  }

  template <const json::value* Node::* kField>
  Status compile_number(Node& node, const Keyword& keyword) {
    if (!keyword.value.is_number()) return fail(keyword.error(node, "must be a number"));
    node.*kField = &keyword.value;
    return {};
  }

  Status compile_multiple_of(Node& node, const Keyword& keyword) {
    if (!keyword.value.is_number() || compare_numbers(keyword.value, json::value(0)) <= 0) {
      return fail(keyword.error(node, "must be a number greater than 0"));
    }
    node.multiple_of = &keyword.value;
    return {};
  }

  template <std::optional<uint64_t> Node::* kField>
  Status compile_count(Node& node, const Keyword& keyword) {
    const json::value& value = keyword.value;
    if (!value.is_number() || !is_integer(value) || compare_numbers(value, json::value(0)) < 0) {
      return fail(keyword.error(node, "must be a whole number, 0 or greater"));
    }
    boost::system::error_code too_large;
    const auto count = value.to_number<uint64_t>(too_large);
    node.*kField = too_large ? UINT64_MAX : count;
    return {};
  }

  Status compile_pattern(Node& node, const Keyword& keyword) {
    if (!keyword.value.is_string()) return fail(keyword.error(node, "must be a string"));
    WAVE_TRY(node.pattern, regex(node, keyword, keyword.value.get_string()));
    return {};
  }

  static Result<EcmaRegex> regex(const Node& node, const Keyword& keyword,
                                 std::string_view pattern) {
    auto compiled = EcmaRegex::compile(pattern);
    if (!compiled) return fail(keyword.error(node, compiled.error().message));
    return compiled;
  }

  Status compile_format(Node& node, const Keyword& keyword) {
    if (!keyword.value.is_string()) return fail(keyword.error(node, "must be a string"));
    if (!options_.check_formats) return {};
    node.format_name = keyword.value.get_string();
    node.format = find_format(node.format_name);
    return {};
  }

  Status compile_unique_items(Node& node, const Keyword& keyword) {
    if (!keyword.value.is_bool()) return fail(keyword.error(node, "must be true or false"));
    node.unique_items = keyword.value.get_bool();
    return {};
  }

  static Result<std::vector<std::string>> names(const Node& node, const Keyword& keyword,
                                                const json::value& value) {
    std::vector<std::string> list;
    if (!value.is_array()) return fail(keyword.error(node, "must be an array of names"));
    for (const json::value& name : value.get_array()) {
      if (!name.is_string()) return fail(keyword.error(node, "must be an array of names"));
      list.emplace_back(name.get_string());
    }
    return list;
  }

  Status compile_required(Node& node, const Keyword& keyword) {
    WAVE_TRY(node.required, names(node, keyword, keyword.value));
    return {};
  }

  Status compile_dependent_required(Node& node, const Keyword& keyword) {
    if (!keyword.value.is_object()) return fail(keyword.error(node, "must be an object"));
    for (const auto& [name, list] : keyword.value.get_object()) {
      WAVE_TRY(auto needed, names(node, keyword, list));
      node.dependent_required.emplace_back(name, std::move(needed));
    }
    return {};
  }

  Status compile_dependencies(Node& node, const Keyword& keyword) {
    for (const auto& [name, dependency] : keyword.value.get_object()) {
      if (!dependency.is_array()) {
        node.dependent_schemas.emplace_back(name, node_for(&dependency));
        continue;
      }
      WAVE_TRY(auto needed, names(node, keyword, dependency));
      node.dependent_required.emplace_back(name, std::move(needed));
    }
    return {};
  }

  // --- Schemas within schemas; the registry has checked that they are some. ---

  template <const Node* Node::* kField>
  Status compile_schema(Node& node, const Keyword& keyword) {
    node.*kField = node_for(&keyword.value);
    return {};
  }

  template <std::vector<const Node*> Node::* kField>
  Status compile_schemas(Node& node, const Keyword& keyword) {
    for (const json::value& schema : keyword.value.get_array()) {
      (node.*kField).push_back(node_for(&schema));
    }
    return {};
  }

  Status compile_properties(Node& node, const Keyword& keyword) {
    for (const auto& [name, schema] : keyword.value.get_object()) {
      node.properties.emplace(name, node_for(&schema));
    }
    return {};
  }

  Status compile_pattern_properties(Node& node, const Keyword& keyword) {
    for (const auto& [pattern, schema] : keyword.value.get_object()) {
      WAVE_TRY(auto compiled, regex(node, keyword, pattern));
      node.pattern_properties.emplace_back(std::move(compiled), node_for(&schema));
    }
    return {};
  }

  Status compile_dependent_schemas(Node& node, const Keyword& keyword) {
    for (const auto& [name, schema] : keyword.value.get_object()) {
      node.dependent_schemas.emplace_back(name, node_for(&schema));
    }
    return {};
  }

  Status compile_draft7_items(Node& node, const Keyword& keyword) {
    if (!keyword.value.is_array()) {
      node.rest_items = node_for(&keyword.value);
      return {};
    }
    // additionalItems means something only behind an array of items.
    if (const json::value* rest = node.raw->if_contains("additionalItems")) {
      node.rest_items = node_for(rest);
    }
    return compile_schemas<&Node::prefix_items>(node, keyword);
  }

  const SchemaOptions& options_;
  std::unique_ptr<CompiledSchema> compiled_;
  SchemaRegistry registry_;
  std::unordered_map<const json::value*, Node*> by_schema_;
  std::vector<Node*> pending_;
};

const std::vector<Compiler::HandlerRow>& Compiler::handlers() {
  static const std::vector<HandlerRow> kHandlers{
      {"$ref", In::k2020, &Compiler::compile_ref},
      {"$dynamicRef", In::k2020, &Compiler::compile_dynamic_ref},
      {"type", In::kBoth, &Compiler::compile_type},
      {"enum", In::kBoth, &Compiler::compile_enum},
      {"const", In::kBoth, &Compiler::compile_const},
      {"multipleOf", In::kBoth, &Compiler::compile_multiple_of},
      {"minimum", In::kBoth, &Compiler::compile_number<&Node::minimum>},
      {"maximum", In::kBoth, &Compiler::compile_number<&Node::maximum>},
      {"exclusiveMinimum", In::kBoth, &Compiler::compile_number<&Node::exclusive_minimum>},
      {"exclusiveMaximum", In::kBoth, &Compiler::compile_number<&Node::exclusive_maximum>},
      {"minLength", In::kBoth, &Compiler::compile_count<&Node::min_length>},
      {"maxLength", In::kBoth, &Compiler::compile_count<&Node::max_length>},
      {"minItems", In::kBoth, &Compiler::compile_count<&Node::min_items>},
      {"maxItems", In::kBoth, &Compiler::compile_count<&Node::max_items>},
      {"minProperties", In::kBoth, &Compiler::compile_count<&Node::min_properties>},
      {"maxProperties", In::kBoth, &Compiler::compile_count<&Node::max_properties>},
      {"minContains", In::k2020, &Compiler::compile_count<&Node::min_contains>},
      {"maxContains", In::k2020, &Compiler::compile_count<&Node::max_contains>},
      {"pattern", In::kBoth, &Compiler::compile_pattern},
      {"format", In::kBoth, &Compiler::compile_format},
      {"uniqueItems", In::kBoth, &Compiler::compile_unique_items},
      {"required", In::kBoth, &Compiler::compile_required},
      {"dependentRequired", In::k2020, &Compiler::compile_dependent_required},
      {"dependencies", In::k7, &Compiler::compile_dependencies},
      {"properties", In::kBoth, &Compiler::compile_properties},
      {"patternProperties", In::kBoth, &Compiler::compile_pattern_properties},
      {"additionalProperties", In::kBoth, &Compiler::compile_schema<&Node::additional_properties>},
      {"propertyNames", In::kBoth, &Compiler::compile_schema<&Node::property_names>},
      {"dependentSchemas", In::k2020, &Compiler::compile_dependent_schemas},
      {"items", In::k7, &Compiler::compile_draft7_items},
      {"items", In::k2020, &Compiler::compile_schema<&Node::rest_items>},
      {"prefixItems", In::k2020, &Compiler::compile_schemas<&Node::prefix_items>},
      {"contains", In::kBoth, &Compiler::compile_schema<&Node::contains>},
      {"allOf", In::kBoth, &Compiler::compile_schemas<&Node::all_of>},
      {"anyOf", In::kBoth, &Compiler::compile_schemas<&Node::any_of>},
      {"oneOf", In::kBoth, &Compiler::compile_schemas<&Node::one_of>},
      {"not", In::kBoth, &Compiler::compile_schema<&Node::negated>},
      {"if", In::kBoth, &Compiler::compile_schema<&Node::condition>},
      {"then", In::kBoth, &Compiler::compile_schema<&Node::then_branch>},
      {"else", In::kBoth, &Compiler::compile_schema<&Node::else_branch>},
      {"unevaluatedItems", In::k2020, &Compiler::compile_schema<&Node::unevaluated_items>},
      {"unevaluatedProperties", In::k2020,
       &Compiler::compile_schema<&Node::unevaluated_properties>},
  };
  return kHandlers;
}

}  // namespace

Result<std::unique_ptr<const CompiledSchema>> compile_schema(const json::value& schema,
                                                             const SchemaOptions& options) {
  return Compiler(options).run(schema);
}

}  // namespace wave::contract

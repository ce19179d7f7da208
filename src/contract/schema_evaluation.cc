#include "contract/schema_evaluation.h"

#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "contract/json_equal.h"
#include "contract/schema_messages.h"
#include "contract/schema_uri.h"

namespace wave::contract {
namespace {

/// The way from the root to a value, kept on the stack; it becomes text only for an error.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  size_t index = 0;
  bool is_index = false;
};

std::string pointer_of(const Path* path) {
  std::vector<const Path*> parts;
  for (; path != nullptr; path = path->parent) parts.push_back(path);
  std::string pointer;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    pointer += '/';
    pointer += (*part)->is_index ? std::to_string((*part)->index)
                                 : pointer_token(excerpt((*part)->name, 200));
  }
  return pointer;
}

/// The resources entered so far, innermost first: $dynamicRef's dynamic scope.
struct Scope {
  const Scope* parent = nullptr;
  const Resource* resource = nullptr;
};

/// The applications that are going on, innermost first.
struct Frame {
  const Frame* parent = nullptr;
  const Node* node = nullptr;
  const json::value* instance = nullptr;
};

/// A value, how we came to it, and under which schemas.
struct Site {
  const json::value& instance;
  const Path* path = nullptr;
  const Scope* scope = nullptr;
  const Frame* frame = nullptr;

  [[nodiscard]] Site at(const json::value& value, const Path* to) const {
    return {value, to, scope, frame};
  }
};

/// Which members or items of one value have been evaluated; kept only where an unevaluated* keyword
/// wants to know.
struct Marks {
  std::vector<bool> seen;
  bool all = false;

  void mark(size_t index) {
    if (index >= seen.size()) seen.resize(index + 1);
    seen[index] = true;
  }
  [[nodiscard]] bool has(size_t index) const { return all || (index < seen.size() && seen[index]); }
  void merge(const Marks& other) {
    all = all || other.all;
    for (size_t i = 0; i < other.seen.size(); ++i) {
      if (other.seen[i]) mark(i);
    }
  }
};

using Errors = std::vector<SchemaError>;

size_t code_points(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string_view as_text(const json::value& value) {
  return {value.get_string().data(), value.get_string().size()};
}

/// How far a branch of anyOf or oneOf is from matching: lower is nearer. A branch for another type
/// or with another tag (a const or enum right below) was not meant.
std::tuple<size_t, size_t, size_t> distance(const Errors& errors, const std::string& here) {
  size_t wrong_types = 0;
  size_t wrong_tags = 0;
  for (const SchemaError& error : errors) {
    const bool tag = error.keyword == "const" || error.keyword == "enum";
    const std::string_view below = std::string_view(error.instance).substr(here.size());
    if (below.empty() && (error.keyword == "type" || tag)) ++wrong_types;
    if (!below.empty() && tag && below.find('/', 1) == std::string_view::npos) ++wrong_tags;
  }
  return {wrong_types, wrong_tags, errors.size()};
}

// The checks stay out of line: inlined into one another, the temporaries of all of them would lie
// on the stack once for each level of the recursion.
#define WAVE_OUT_OF_LINE [[gnu::noinline]]

class Evaluation {
 public:
  explicit Evaluation(const EvaluationLimits& limits) : limits_(limits) {}

  Result<Errors> run(const Node& root, const json::value& instance) {
    Errors errors;
    const bool valid = apply(root, {instance}, nullptr, &errors);
    if (failure_) return fail(*std::move(failure_));
    if (!valid && errors.empty()) {
      errors.push_back({"", root.place, "", "does not match the schema"});
    }
    if (valid) errors.clear();
    return errors;
  }

 private:
  /// One application of one node: `marks` is null when nobody wants to know, `errors` when only the
  /// answer counts.
  struct Call {
    const Node& node;
    const Site& site;
    Marks* marks;
    Errors* errors;
    bool valid = true;

    [[nodiscard]] const json::value& instance() const { return site.instance; }
    /// Whether the answer is known and nothing more is wanted.
    [[nodiscard]] bool done() const { return !valid && errors == nullptr; }
  };

  // --- Bounds ---

  bool count_steps(uint64_t count) {
    steps_ += count;
    if (steps_ <= limits_.steps) return true;
    stop(Code::kLimit, fmt::format("validation took more than {} steps", limits_.steps));
    return false;
  }

  void stop(Code code, std::string message) {
    if (!failure_) failure_ = Error(code, std::move(message));
  }
  void stop(Error error) {
    if (!failure_) failure_ = std::move(error);
  }

  // --- Errors ---

  /// Whether there is room for another one; words cost far more than an answer.
  bool wants_error(const Call& call) {
    constexpr uint64_t kStepsPerError = 200;
    if (call.errors == nullptr || call.errors->size() >= limits_.errors) return false;
    return count_steps(kStepsPerError);
  }

  /// Notes a failed assertion. `message` is called only when somebody reads it.
  template <typename Message>
  WAVE_OUT_OF_LINE void reject(Call& call, std::string_view keyword, const Message& message) {
    call.valid = false;
    if (!wants_error(call)) return;
    call.errors->push_back({pointer_of(call.site.path),
                            fmt::format("{}/{}", call.node.place, pointer_token(keyword)),
                            std::string(keyword), message()});
  }

  // --- Applying ---

  bool apply(const Node& node, const Site& from, Marks* marks, Errors* errors) {
    if (failure_ || !count_steps(1)) return false;
    if (depth_ >= limits_.depth) {
      stop(Code::kLimit, fmt::format("validation went deeper than {} levels", limits_.depth));
      return false;
    }
    ++depth_;
    const Scope inner{from.scope, node.resource};
    const bool entered = from.scope == nullptr || from.scope->resource != node.resource;
    const Frame frame{from.frame, &node, &from.instance};
    const Site site{from.instance, from.path, entered ? &inner : from.scope, &frame};
    const bool valid = apply_entered(node, site, marks, errors);
    --depth_;
    return valid;
  }

  bool apply_entered(const Node& node, const Site& site, Marks* outer, Errors* errors) {
    if (node.raw == nullptr) {
      Call call{node, site, outer, errors};
      if (node.never) reject_presence(call);
      return call.valid;
    }
    // What is unevaluated is asked of this schema and those within it, not of those around it.
    const bool asks = node.unevaluated_items != nullptr || node.unevaluated_properties != nullptr;
    Marks own;
    Call call{node, site, asks || outer != nullptr ? &own : nullptr, errors};
    check(call);
    if (!call.valid || failure_) return false;
    if (outer != nullptr) outer->merge(own);
    return true;
  }

  WAVE_OUT_OF_LINE void reject_presence(Call& call) {
    call.valid = false;
    if (!wants_error(call)) return;
    call.errors->push_back({pointer_of(call.site.path), call.node.place, "",
                            fmt::format("must not be there; is {}", describe(call.instance()))});
  }

  void check(Call& call) {
    using Check = void (Evaluation::*)(Call&);
    static constexpr Check kAlways[] = {&Evaluation::check_references, &Evaluation::check_value,
                                        &Evaluation::check_combined, &Evaluation::check_condition};
    for (const Check step : kAlways) {
      (this->*step)(call);
      if (call.done() || failure_) return;
    }
    const json::value& instance = call.instance();
    if (instance.is_number()) check_number(call);
    if (instance.is_string()) check_string(call, as_text(instance));
    if (instance.is_array()) check_array(call, instance.get_array());
    if (instance.is_object()) check_object(call, instance.get_object());
  }

  /// A subschema of the same value: what it has evaluated counts for this one.
  bool apply_here(Call& call, const Node& node, Errors* errors) {
    return apply(node, call.site, call.marks, errors);
  }
  void require_here(Call& call, const Node& node) {
    if (!apply_here(call, node, call.errors)) call.valid = false;
  }

  // --- References ---

  void check_references(Call& call) {
    if (call.node.ref != nullptr) follow(call, *call.node.ref);
    if (call.node.dynamic_ref) follow(call, dynamic_target(*call.node.dynamic_ref, call.site));
  }

  static const Node& dynamic_target(const DynamicRef& ref, const Site& site) {
    const Node* target = ref.target;
    if (ref.anchor.empty()) return *target;
    // The outermost resource that has the anchor wins.
    for (const Scope* scope = site.scope; scope != nullptr; scope = scope->parent) {
      const auto found = scope->resource->dynamic_nodes.find(ref.anchor);
      if (found != scope->resource->dynamic_nodes.end()) target = found->second;
    }
    return *target;
  }

  WAVE_OUT_OF_LINE void follow(Call& call, const Node& target) {
    for (const Frame* frame = call.site.frame; frame != nullptr; frame = frame->parent) {
      if (frame->instance != &call.instance()) break;
      if (frame->node != &target) continue;
      stop(Code::kUsage, fmt::format("the schema is wrong at \"{}\": its $ref leads back to itself "
                                     "and would never end",
                                     call.node.place));
      call.valid = false;
      return;
    }
    require_here(call, target);
  }

  // --- Values of any type ---

  WAVE_OUT_OF_LINE void check_value(Call& call) {
    const Node& node = call.node;
    const json::value& instance = call.instance();
    if (node.types != 0 && (node.types & type_bits(instance)) == 0) {
      reject(call, "type", [&] { return type_message(node, instance); });
    }
    if (node.constant != nullptr && !equal(*node.constant, instance)) {
      reject(call, "const", [&] { return const_message(*node.constant, instance); });
    }
    if (node.enumeration != nullptr && !is_one_of(*node.enumeration, instance)) {
      reject(call, "enum", [&] { return enum_message(*node.enumeration, instance); });
    }
  }

  bool equal(const json::value& left, const json::value& right) {
    uint64_t steps = 0;
    const bool same = json_equal(left, right, steps);
    count_steps(steps);
    return same;
  }

  bool is_one_of(const json::array& allowed, const json::value& instance) {
    return std::any_of(allowed.begin(), allowed.end(),
                       [&](const json::value& one) { return !failure_ && equal(one, instance); });
  }

  // --- Combinations ---

  WAVE_OUT_OF_LINE void check_combined(Call& call) {
    for (const Node* part : call.node.all_of) {
      require_here(call, *part);
      if (call.done() || failure_) return;
    }
    if (!call.node.any_of.empty()) check_any_of(call);
    if (call.done() || failure_) return;
    if (!call.node.one_of.empty()) check_one_of(call);
    if (call.done() || failure_) return;
    if (call.node.negated != nullptr && apply(*call.node.negated, call.site, nullptr, nullptr)) {
      reject(call, "not", [&] {
        return fmt::format("must not match the schema at \"{}\"; is {}", call.node.negated->place,
                           describe(call.instance()));
      });
    }
  }

  /// The numbers of the branches that match; the errors of the nearest other one.
  struct Branches {
    std::vector<size_t> matching;
    size_t nearest = 0;
    Errors errors;
  };

  Branches try_branches(Call& call, const std::vector<const Node*>& nodes, size_t enough) {
    Branches branches;
    const bool explain = call.errors != nullptr && call.errors->size() < limits_.errors;
    const std::string here = explain ? pointer_of(call.site.path) : std::string();
    for (size_t i = 0; i < nodes.size() && !failure_; ++i) {
      Errors errors;
      if (apply_here(call, *nodes[i], explain ? &errors : nullptr)) {
        branches.matching.push_back(i);
        if (branches.matching.size() == enough) break;
        continue;
      }
      const bool nearer =
          branches.errors.empty() || distance(errors, here) < distance(branches.errors, here);
      if (!explain || !nearer) continue;
      branches.nearest = i;
      branches.errors = std::move(errors);
    }
    return branches;
  }

  WAVE_OUT_OF_LINE void check_any_of(Call& call) {
    // Every branch that matches evaluates properties of its own.
    const size_t enough = call.marks != nullptr ? SIZE_MAX : 1;
    Branches branches = try_branches(call, call.node.any_of, enough);
    if (branches.matching.empty()) reject_branches(call, "anyOf", call.node.any_of, branches);
  }

  WAVE_OUT_OF_LINE void check_one_of(Call& call) {
    Branches branches = try_branches(call, call.node.one_of, 2);
    if (branches.matching.empty()) reject_branches(call, "oneOf", call.node.one_of, branches);
    if (branches.matching.size() < 2) return;
    reject(call, "oneOf", [&] {
      return fmt::format(
          "must match exactly one of {} alternatives; matches {} (\"{}\") and {} "
          "(\"{}\")",
          call.node.one_of.size(), branches.matching[0] + 1,
          call.node.one_of[branches.matching[0]]->place, branches.matching[1] + 1,
          call.node.one_of[branches.matching[1]]->place);
    });
  }

  WAVE_OUT_OF_LINE void reject_branches(Call& call, std::string_view keyword,
                                        const std::vector<const Node*>& nodes, Branches& branches) {
    reject(call, keyword, [&] {
      if (branches.errors.empty()) return std::string("matches none of the alternatives");
      return fmt::format(
          "matches none of {} alternatives; the nearest is number {} (\"{}\"), for "
          "which:",
          nodes.size(), branches.nearest + 1, nodes[branches.nearest]->place);
    });
    if (call.errors == nullptr) return;
    for (SchemaError& error : branches.errors) {
      if (call.errors->size() < limits_.errors) call.errors->push_back(std::move(error));
    }
  }

  WAVE_OUT_OF_LINE void check_condition(Call& call) {
    if (call.node.condition == nullptr) return;
    const bool matches = apply_here(call, *call.node.condition, nullptr);
    const Node* branch = matches ? call.node.then_branch : call.node.else_branch;
    if (branch != nullptr && !failure_) require_here(call, *branch);
  }

  // --- Numbers ---

  WAVE_OUT_OF_LINE void check_number(Call& call) {
    const json::value& number = call.instance();
    const auto bound = [&](const json::value* limit, std::string_view keyword,
                           std::string_view words, auto holds) {
      if (limit == nullptr || holds(compare_numbers(number, *limit))) return;
      reject(call, keyword, [&] {
        return fmt::format("must be {} {}, is {}", words, short_json(*limit), short_json(number));
      });
    };
    const Node& node = call.node;
    bound(node.minimum, "minimum", "at least", [](auto order) { return order >= 0; });
    bound(node.maximum, "maximum", "at most", [](auto order) { return order <= 0; });
    bound(node.exclusive_minimum, "exclusiveMinimum", "greater than",
          [](auto order) { return order > 0; });
    bound(node.exclusive_maximum, "exclusiveMaximum", "less than",
          [](auto order) { return order < 0; });
    if (node.multiple_of != nullptr && !is_multiple_of(number, *node.multiple_of)) {
      reject(call, "multipleOf", [&] {
        return fmt::format("must be a multiple of {}, is {}", short_json(*node.multiple_of),
                           short_json(number));
      });
    }
  }

  // --- Strings ---

  WAVE_OUT_OF_LINE void check_string(Call& call, std::string_view text) {
    const Node& node = call.node;
    if (node.min_length || node.max_length) {
      check_count(call, code_points(text), node.min_length, node.max_length, "Length",
                  "characters");
    }
    if (node.pattern && !matches(*node.pattern, text)) {
      reject(call, "pattern", [&] {
        return fmt::format("must match the pattern {}; is \"{}\"",
                           excerpt(get_string(*node.raw, "pattern"), 200), excerpt(text, 80));
      });
    }
    if (node.format != nullptr && !node.format(text)) {
      reject(call, "format", [&] { return format_message(node.format_name, text); });
    }
  }

  bool matches(const EcmaRegex& pattern, std::string_view text) {
    uint64_t steps = 0;
    auto found = pattern.search(text, steps);
    count_steps(steps);
    if (found) return *found;
    stop(std::move(found).error());
    return false;
  }

  WAVE_OUT_OF_LINE void check_count(Call& call, uint64_t count, std::optional<uint64_t> min,
                                    std::optional<uint64_t> max, std::string_view suffix,
                                    std::string_view what) {
    if (min && count < *min) {
      reject(call, fmt::format("min{}", suffix),
             [&] { return fmt::format("must have at least {} {}, has {}", *min, what, count); });
    }
    if (max && count > *max) {
      reject(call, fmt::format("max{}", suffix),
             [&] { return fmt::format("must have at most {} {}, has {}", *max, what, count); });
    }
  }

  // --- Arrays ---

  WAVE_OUT_OF_LINE void check_array(Call& call, const json::array& items) {
    const Node& node = call.node;
    check_count(call, items.size(), node.min_items, node.max_items, "Items", "items");
    if (call.done()) return;
    if (node.unique_items) check_unique(call, items);
    if (call.done() || failure_) return;
    check_items(call, items);
    if (call.done() || failure_) return;
    if (node.contains != nullptr) check_contains(call, items);
    if (call.valid && !failure_ && node.unevaluated_items != nullptr) {
      check_unevaluated_items(call, items);
    }
  }

  bool apply_item(Call& call, const Node& node, const json::array& items, size_t i,
                  Errors* errors) {
    const Path path{call.site.path, {}, i, true};
    return apply(node, call.site.at(items[i], &path), nullptr, errors);
  }

  void check_items(Call& call, const json::array& items) {
    const std::vector<const Node*>& prefix = call.node.prefix_items;
    for (size_t i = 0; i < items.size() && !failure_; ++i) {
      const Node* schema = i < prefix.size() ? prefix[i] : call.node.rest_items;
      if (schema == nullptr) return;
      if (!apply_item(call, *schema, items, i, call.errors)) call.valid = false;
      if (call.done()) return;
      if (call.marks != nullptr) call.marks->mark(i);
    }
  }

  WAVE_OUT_OF_LINE void check_contains(Call& call, const json::array& items) {
    const uint64_t least = call.node.min_contains.value_or(1);
    const uint64_t most = call.node.max_contains.value_or(UINT64_MAX);
    uint64_t found = 0;
    for (size_t i = 0; i < items.size() && !failure_; ++i) {
      if (!apply_item(call, *call.node.contains, items, i, nullptr)) continue;
      ++found;
      if (call.marks != nullptr) call.marks->mark(i);
      if (call.marks == nullptr && found >= least && !call.node.max_contains) return;
    }
    if (failure_ || (found >= least && found <= most)) return;
    reject(call,
           found < least ? (call.node.min_contains ? "minContains" : "contains") : "maxContains",
           [&] {
             return fmt::format("must have at {} {} items that match the schema at \"{}\", has {}",
                                found < least ? "least" : "most", found < least ? least : most,
                                call.node.contains->place, found);
           });
  }

  WAVE_OUT_OF_LINE void check_unique(Call& call, const json::array& items) {
    if (items.size() < 2) return;
    std::unordered_multimap<uint64_t, size_t> by_hash;
    by_hash.reserve(items.size());
    for (size_t i = 0; i < items.size() && !failure_; ++i) {
      uint64_t steps = 0;
      const uint64_t hash = json_hash(items[i], steps);
      if (!count_steps(steps)) return;
      const auto [begin, end] = by_hash.equal_range(hash);
      for (auto other = begin; other != end && !failure_; ++other) {
        if (!equal(items[other->second], items[i])) continue;
        const size_t first = other->second;
        reject(call, "uniqueItems", [&] {
          return fmt::format("must not have equal items; items {} and {} are both {}", first, i,
                             short_json(items[i]));
        });
        return;
      }
      by_hash.emplace(hash, i);
    }
  }

  WAVE_OUT_OF_LINE void check_unevaluated_items(Call& call, const json::array& items) {
    for (size_t i = 0; i < items.size() && !failure_; ++i) {
      if (call.marks->has(i)) continue;
      if (!apply_item(call, *call.node.unevaluated_items, items, i, call.errors)) {
        call.valid = false;
      }
      if (call.done()) return;
    }
    call.marks->all = true;
  }

  // --- Objects ---

  WAVE_OUT_OF_LINE void check_object(Call& call, const json::object& object) {
    const Node& node = call.node;
    check_count(call, object.size(), node.min_properties, node.max_properties, "Properties",
                "properties");
    check_required(call, object);
    if (call.done()) return;
    check_properties(call, object);
    if (call.done() || failure_) return;
    for (const auto& [name, schema] : node.dependent_schemas) {
      if (object.contains(name)) require_here(call, *schema);
      if (call.done() || failure_) return;
    }
    if (call.valid && node.unevaluated_properties != nullptr) {
      check_unevaluated_properties(call, object);
    }
  }

  WAVE_OUT_OF_LINE void check_required(Call& call, const json::object& object) {
    for (const std::string& name : call.node.required) {
      if (object.contains(name)) continue;
      reject(call, "required", [&] { return missing_message(call.node, object, name); });
      if (call.done()) return;
    }
    const std::string_view keyword =
        call.node.resource->draft == Draft::k7 ? "dependencies" : "dependentRequired";
    for (const auto& [name, needed] : call.node.dependent_required) {
      if (!object.contains(name)) continue;
      for (const std::string& other : needed) {
        if (object.contains(other)) continue;
        reject(call, keyword, [&] {
          return fmt::format("{}, which the property \"{}\" needs",
                             missing_message(call.node, object, other), excerpt(name, 60));
        });
      }
    }
  }

  void check_properties(Call& call, const json::object& object) {
    const Node& node = call.node;
    const bool looks = !node.properties.empty() || !node.pattern_properties.empty() ||
                       node.additional_properties != nullptr || node.property_names != nullptr;
    if (!looks) return;
    size_t index = 0;
    for (const auto& member : object) {
      check_property(call, object, member, index++);
      if (call.done() || failure_) return;
    }
  }

  WAVE_OUT_OF_LINE void check_property(Call& call, const json::object& object,
                                       const json::key_value_pair& member, size_t index) {
    const Node& node = call.node;
    const std::string_view name(member.key().data(), member.key().size());
    const Path path{call.site.path, name, 0, false};
    const Site site = call.site.at(member.value(), &path);
    if (node.property_names != nullptr) check_name(call, name);
    bool evaluated = false;
    const auto apply_one = [&](const Node& schema) {
      evaluated = true;
      if (!apply(schema, site, nullptr, call.errors)) call.valid = false;
    };
    if (const auto own = node.properties.find(name); own != node.properties.end()) {
      apply_one(*own->second);
    }
    for (const auto& [pattern, schema] : node.pattern_properties) {
      if (call.done() || failure_) return;
      if (matches(pattern, name)) apply_one(*schema);
    }
    if (!evaluated && node.additional_properties != nullptr) {
      evaluated = true;
      if (node.additional_properties->never) {
        reject(call, "additionalProperties", [&] { return unknown_message(node, object, name); });
      } else {
        apply_one(*node.additional_properties);
      }
    }
    if (evaluated && call.marks != nullptr) call.marks->mark(index);
  }

  WAVE_OUT_OF_LINE void check_name(Call& call, std::string_view name) {
    const json::value text(name);
    Errors errors;
    const bool explain = call.errors != nullptr;
    // The name is a value of its own: no frame around it is about the same instance.
    if (apply(*call.node.property_names, call.site.at(text, call.site.path), nullptr,
              explain ? &errors : nullptr)) {
      return;
    }
    call.valid = false;
    for (SchemaError& error : errors) {
      if (call.errors->size() >= limits_.errors) return;
      error.message = fmt::format("the property name \"{}\" is not allowed: {}", excerpt(name, 60),
                                  error.message);
      call.errors->push_back(std::move(error));
    }
  }

  WAVE_OUT_OF_LINE void check_unevaluated_properties(Call& call, const json::object& object) {
    const Node& schema = *call.node.unevaluated_properties;
    size_t index = 0;
    for (const auto& member : object) {
      const size_t at = index++;
      if (call.marks->has(at)) continue;
      const std::string_view name(member.key().data(), member.key().size());
      if (schema.never) {
        reject(call, "unevaluatedProperties",
               [&] { return unknown_message(call.node, object, name); });
      } else {
        const Path path{call.site.path, name, 0, false};
        const Site site = call.site.at(member.value(), &path);
        if (!apply(schema, site, nullptr, call.errors)) call.valid = false;
      }
      if (call.done() || failure_) return;
    }
    call.marks->all = true;
  }

  const EvaluationLimits& limits_;
  uint64_t steps_ = 0;
  size_t depth_ = 0;
  std::optional<Error> failure_;
};

#undef WAVE_OUT_OF_LINE

}  // namespace

Result<std::vector<SchemaError>> evaluate_schema(const Node& root, const json::value& instance,
                                                 const EvaluationLimits& limits) {
  return Evaluation(limits).run(root, instance);
}

}  // namespace wave::contract

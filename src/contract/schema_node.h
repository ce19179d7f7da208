// A compiled schema: a graph of nodes, one for each schema object that can be reached.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "contract/ecma_regex.h"
#include "contract/formats.h"

namespace wave::contract {

enum class Draft { k7, k2020 };

struct Node;

/// A schema with a URI of its own: a document, or a part of one that has an $id.
struct Resource {
  std::string uri;  // absolute, without a fragment
  const json::value* root = nullptr;
  Draft draft = Draft::k2020;
  std::map<std::string, const json::value*, std::less<>> anchors;  // dynamic ones included
  std::map<std::string, const json::value*, std::less<>> dynamic_anchors;
  std::map<std::string, const Node*, std::less<>> dynamic_nodes;  // the same, compiled
};

/// The values of `type`, as bits.
enum TypeBit : unsigned {
  kNullBit = 1,
  kBooleanBit = 2,
  kObjectBit = 4,
  kArrayBit = 8,
  kStringBit = 16,
  kNumberBit = 32,
  kIntegerBit = 64,  // numbers without a fraction
};

struct DynamicRef {
  const Node* target = nullptr;  // where it leads without looking at the dynamic scope
  std::string anchor;            // empty: it is an ordinary $ref
};

/// What one schema object asserts. A null or empty field: the keyword is absent. Pointers lead into
/// the documents and nodes of the same CompiledSchema.
struct Node {
  std::string place;  // "/properties/name"; "<uri>#/..." in other documents
  const Resource* resource = nullptr;
  const json::object* raw = nullptr;  // null for a boolean schema
  bool never = false;                 // the schema `false`

  const Node* ref = nullptr;
  std::optional<DynamicRef> dynamic_ref;

  unsigned types = 0;
  const json::array* enumeration = nullptr;
  const json::value* constant = nullptr;

  const json::value* multiple_of = nullptr;
  const json::value* minimum = nullptr;
  const json::value* maximum = nullptr;
  const json::value* exclusive_minimum = nullptr;
  const json::value* exclusive_maximum = nullptr;

  std::optional<uint64_t> min_length, max_length, min_items, max_items;
  std::optional<uint64_t> min_properties, max_properties, min_contains, max_contains;
  bool unique_items = false;
  std::optional<EcmaRegex> pattern;
  FormatCheck format = nullptr;
  std::string format_name;

  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;

  std::map<std::string, const Node*, std::less<>> properties;
  std::vector<std::pair<EcmaRegex, const Node*>> pattern_properties;
  const Node* additional_properties = nullptr;
  const Node* property_names = nullptr;
  std::vector<std::pair<std::string, const Node*>> dependent_schemas;

  std::vector<const Node*> prefix_items;  // draft 7: `items` as an array
  const Node* rest_items = nullptr;       // 2020-12: `items`; draft 7: `items`, `additionalItems`
  const Node* contains = nullptr;

  std::vector<const Node*> all_of, any_of, one_of;
  const Node* negated = nullptr;  // `not`
  const Node* condition = nullptr;
  const Node* then_branch = nullptr;
  const Node* else_branch = nullptr;

  const Node* unevaluated_items = nullptr;
  const Node* unevaluated_properties = nullptr;
};

/// Owns everything its nodes point to.
struct CompiledSchema {
  std::deque<json::value> documents;
  std::deque<Resource> resources;
  std::deque<Node> nodes;
  const Node* root = nullptr;
};

}  // namespace wave::contract

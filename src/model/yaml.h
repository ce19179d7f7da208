// YAML as wave reads it: one document, a tree of values that remember where they stood. Scalars are
// typed the way Go's yaml.v3 types them, because that is what existing files were written for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/diagnostic.h"

namespace wave::model::yaml {

inline constexpr int kMaxDepth = 64;
/// Nodes of a document after its aliases are expanded: bounds the "billion laughs".
inline constexpr size_t kMaxNodes = 100'000;

enum class Style { kPlain, kSingleQuoted, kDoubleQuoted, kLiteral, kFolded };

/// A value of the document. Copies are deep; positions count from 1, columns in characters.
struct Node {
  enum class Kind { kScalar, kSequence, kMapping };
  struct Entry;

  Kind kind = Kind::kScalar;
  std::string text;  // of a scalar
  Style style = Style::kPlain;
  enum class Tag { kNone, kString, kInt, kFloat, kBool, kNull } tag = Tag::kNone;
  std::vector<Node> items;     // of a sequence
  std::vector<Entry> entries;  // of a mapping, in the order written, keys distinct
  int line = 0, column = 0;
  size_t begin = 0, end = 0;  // bytes of the document that hold the scalar

  [[nodiscard]] bool is_scalar() const { return kind == Kind::kScalar; }
  [[nodiscard]] bool is_sequence() const { return kind == Kind::kSequence; }
  [[nodiscard]] bool is_mapping() const { return kind == Kind::kMapping; }
  /// The value of a mapping's key, or null.
  [[nodiscard]] const Node* find(std::string_view key) const;

  /// The scalar's type by its spelling: "null", "true", "12", "0x1f", "1.5", ".inf".
  [[nodiscard]] bool is_null() const;
  [[nodiscard]] std::optional<bool> as_bool() const;      // also yes, no, on, off, y, n
  [[nodiscard]] std::optional<int64_t> as_int() const;    // also floats without a fraction
  [[nodiscard]] std::optional<double> as_double() const;  // also ints
  /// What people call it: "a list", "a mapping", "nothing", "text", "a number", "true or false".
  [[nodiscard]] std::string_view type_name() const;

 private:
  [[nodiscard]] bool may_be(Tag wanted) const;
};

struct Node::Entry {
  Node key;  // a scalar
  Node value;
};

/// A parsed file. `root` is absent when the text could not be read as YAML.
struct Document {
  std::string file;
  std::string source;
  std::optional<Node> root;

  [[nodiscard]] SourcePos pos(const Node& node) const { return {file, node.line, node.column}; }
  /// Where the `ordinal`-th occurrence of `needle` within the scalar stands in the file: exact for
  /// plain, quoted and block scalars as long as the needle itself needed no escaping.
  [[nodiscard]] SourcePos pos_of(const Node& scalar, std::string_view needle, size_t ordinal) const;
  /// The node (of a mapping: its key) that a key path such as "steps[2].retry.policy" leads to, or
  /// the nearest one on the way there.
  [[nodiscard]] SourcePos locate(std::string_view key_path) const;
};

/// Parses `source`, read from `file`. Everything wrong is added to `diagnostics` with `code`.
Document parse(std::string source, std::string file, Code code, Diagnostics& diagnostics);

/// The value as JSON: for keys that are kept untyped.
json::value to_json(const Node& node);

}  // namespace wave::model::yaml

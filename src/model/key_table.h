// One table of keys per mapping a user writes. The table is the only place that knows a key:
// parsing, "unknown key" and "did you mean", and the generated reference all read it.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/diagnostic.h"
#include "model/template.h"
#include "model/yaml.h"

namespace wave::model {

enum class KeyStatus {
  kSupported,
  kParsedOnly,   // read and typed; it changes nothing, or nothing yet that a run would need
  kUnsupported,  // writing it is reported: ignoring it would change what the user gets
};

struct TableDoc;

/// What there is to know of a key besides how it is read.
struct KeyDoc {
  std::string_view name;
  std::string_view type;
  std::string_view meaning;
  std::string_view fallback = {};              // the default, as one would write it
  std::vector<std::string_view> allowed = {};  // empty: any
  std::vector<std::string_view> unsupported_values = {};
  KeyStatus status = KeyStatus::kSupported;
  std::string_view remedy = {};  // of an unsupported key: what to do instead
  bool required = false;
  bool reports_itself = false;            // an unsupported key whose reader says so when it matters
  const TableDoc& (*nested)() = nullptr;  // the table of the mapping(s) below it
};

/// A table without its types, for the reference.
struct TableDoc {
  std::string_view title;
  std::string_view about;
  std::vector<KeyDoc> keys;
};

/// Reads values of one document: knows the path of the key being read and collects what is wrong.
class Binder {
 public:
  Binder(const yaml::Document& document, Code code, Diagnostics& diagnostics)
      : document_(document), code_(code), diagnostics_(diagnostics) {}

  /// While one of these lives, the path has one more part.
  class Part {
   public:
    Part(Binder& binder, std::string_view key);
    Part(Binder& binder, size_t index);
    ~Part() { binder_.path_.resize(length_); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

   private:
    Binder& binder_;
    size_t length_;
  };

  void error(const yaml::Node& node, std::string message, std::string hint = {}) {
    add(Severity::kError, node, std::move(message), std::move(hint));
  }
  void add(Severity severity, const yaml::Node& node, std::string message, std::string hint);
  /// An error: the key needs `wanted`, and `node` is something else.
  void mismatch(const yaml::Node& node, std::string_view wanted);
  /// Reports keys of `node` that `table` does not have, required ones that are missing, and values
  /// that are not allowed. Calls `read(index, value)` for each key that is to be read.
  void each_key(const yaml::Node& node, const TableDoc& table,
                const std::function<void(size_t, const yaml::Node&)>& read);

  bool read(const yaml::Node& node, std::string& value);
  bool read(const yaml::Node& node, bool& value);
  bool read(const yaml::Node& node, double& value);
  bool read(const yaml::Node& node, Template& value);
  bool read(const yaml::Node& node, std::vector<std::string>& value);
  bool read(const yaml::Node& node, std::map<std::string, std::string>& value);
  bool read(const yaml::Node& node, std::map<std::string, std::vector<std::string>>& value);
  bool read(const yaml::Node& node, json::object& value);
  bool read(const yaml::Node& node, json::array& value);
  /// A Go duration such as "90s"; a bare number is refused.
  bool read(const yaml::Node& node, Millis& value);
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  bool read(const yaml::Node& node, T& value) {
    int64_t number = 0;
    if (!read_number(node, std::numeric_limits<T>::max(), number)) return false;
    value = static_cast<T>(number);
    return true;
  }
  template <typename T>
  bool read(const yaml::Node& node, std::optional<T>& value) {
    T inner{};
    if (!read(node, inner)) return false;
    value = std::move(inner);
    return true;
  }

  [[nodiscard]] SourcePos pos(const yaml::Node& node) const { return document_.pos(node); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }
  [[nodiscard]] Code code() const { return code_; }
  [[nodiscard]] const yaml::Document& document() const { return document_; }
  /// What templates may name.
  TemplateScope scope;

 private:
  bool read_number(const yaml::Node& node, uint64_t max, int64_t& value);

  const yaml::Document& document_;
  Code code_;
  Diagnostics& diagnostics_;
  std::string path_;
};

/// A key of a mapping that becomes a T.
template <typename T>
struct Key {
  KeyDoc doc;
  std::function<void(T&, Binder&, const yaml::Node&)> read;

  Key&& fallback(std::string_view text) && {
    doc.fallback = text;
    return std::move(*this);
  }
  Key&& required() && {
    doc.required = true;
    return std::move(*this);
  }
  Key&& parsed_only() && {
    doc.status = KeyStatus::kParsedOnly;
    return std::move(*this);
  }
  Key&& unsupported(std::string_view remedy = {}) && {
    doc.status = KeyStatus::kUnsupported;
    doc.remedy = remedy;
    return std::move(*this);
  }
  Key&& reports_itself() && {
    doc.reports_itself = true;
    return std::move(*this);
  }
  Key&& one_of(std::initializer_list<std::string_view> values) && {
    doc.allowed = values;
    return std::move(*this);
  }
  /// Values that are allowed, and that this version does not carry out.
  Key&& not_yet(std::initializer_list<std::string_view> values) && {
    doc.unsupported_values = values;
    return std::move(*this);
  }
};

/// The keys of a mapping that becomes a T.
template <typename T>
class KeyTable {
 public:
  KeyTable(std::string_view title, std::string_view about, std::vector<Key<T>> keys)
      : doc_{title, about, {}} {
    for (Key<T>& key : keys) {
      doc_.keys.push_back(std::move(key.doc));
      readers_.push_back(std::move(key.read));
    }
  }

  void read(T& value, Binder& binder, const yaml::Node& node) const {
    binder.each_key(node, doc_, [&](size_t index, const yaml::Node& child) {
      readers_[index](value, binder, child);
    });
  }
  [[nodiscard]] const TableDoc& doc() const { return doc_; }

 private:
  TableDoc doc_;
  std::vector<std::function<void(T&, Binder&, const yaml::Node&)>> readers_;
};

/// A key of a member, as a key of what holds it.
template <typename T, typename V>
Key<T> within(V T::* member, Key<V> inner) {
  return {inner.doc,
          [member, read = std::move(inner.read)](T& value, Binder& binder, const yaml::Node& node) {
            read(value.*member, binder, node);
          }};
}

/// The name that documentation gives a C++ type.
template <typename V>
constexpr std::string_view type_name_of() {
  if constexpr (requires(V v) {
                  typename V::value_type;
                  v.has_value();
                }) {
    return type_name_of<typename V::value_type>();
  } else if constexpr (std::same_as<V, bool>) {
    return "true or false";
  } else if constexpr (std::integral<V>) {
    return "whole number";
  } else if constexpr (std::floating_point<V>) {
    return "number";
  } else if constexpr (std::same_as<V, Millis>) {
    return "duration";
  } else if constexpr (std::same_as<V, Template>) {
    return "template";
  } else if constexpr (std::same_as<V, std::vector<std::string>>) {
    return "list of text";
  } else if constexpr (std::same_as<V, std::map<std::string, std::string>>) {
    return "mapping of text";
  } else if constexpr (std::same_as<V, std::map<std::string, std::vector<std::string>>>) {
    return "mapping of lists";
  } else if constexpr (std::same_as<V, json::object>) {
    return "mapping";
  } else if constexpr (std::same_as<V, json::array>) {
    return "list";
  } else {
    return "text";
  }
}

/// A key that is read straight into a member.
template <typename T, typename V>
Key<T> key(std::string_view name, V T::* member, std::string_view meaning) {
  return {{.name = name, .type = type_name_of<V>(), .meaning = meaning},
          [member](T& value, Binder& binder, const yaml::Node& node) {
            binder.read(node, value.*member);
          }};
}

/// A key whose words stand for values of an enum.
template <typename T, typename M, typename E>
Key<T> choice(std::string_view name, M T::* member,
              std::initializer_list<std::pair<std::string_view, E>> words,
              std::string_view meaning) {
  const std::vector<std::pair<std::string_view, E>> known(words);
  Key<T> made{{.name = name, .type = "text", .meaning = meaning},
              [member, known](T& value, Binder& binder, const yaml::Node& node) {
                std::string text;
                if (!binder.read(node, text)) return;
                for (const auto& [word, meant] : known) {
                  if (word == text) value.*member = meant;
                }
              }};
  for (const auto& [word, meant] : known) made.doc.allowed.push_back(word);
  return made;
}

/// A key that is read by a function of its own.
template <typename T>
Key<T> custom(std::string_view name, std::string_view type, std::string_view meaning,
              std::function<void(T&, Binder&, const yaml::Node&)> read) {
  return {{.name = name, .type = type, .meaning = meaning}, std::move(read)};
}

template <typename V>
void set_pos(V& value, Binder& binder, const yaml::Node& node) {
  if constexpr (requires { value.pos; }) value.pos = binder.pos(node);
}

/// A key with a mapping below it that belongs to the same T.
template <auto table, typename T>
Key<T> section(std::string_view name, std::string_view meaning) {
  return {
      {.name = name,
       .type = "mapping",
       .meaning = meaning,
       .nested = +[]() -> const TableDoc& { return table().doc(); }},
      [](T& value, Binder& binder, const yaml::Node& node) { table().read(value, binder, node); }};
}

/// A key with a mapping that becomes a member (or an optional member).
template <auto table, typename T, typename V>
Key<T> object(std::string_view name, V T::* member, std::string_view meaning) {
  return {{.name = name,
           .type = "mapping",
           .meaning = meaning,
           .nested = +[]() -> const TableDoc& { return table().doc(); }},
          [member](T& value, Binder& binder, const yaml::Node& node) {
            if (!node.is_mapping()) return binder.mismatch(node, "a mapping");
            if constexpr (requires {
                            (value.*member).emplace();
                            (value.*member).has_value();
                          }) {
              auto& made = (value.*member).emplace();
              set_pos(made, binder, node);
              table().read(made, binder, node);
            } else {
              set_pos(value.*member, binder, node);
              table().read(value.*member, binder, node);
            }
          }};
}

/// A key with a list of mappings.
template <auto table, typename T, typename V>
Key<T> list(std::string_view name, std::vector<V> T::* member, std::string_view meaning) {
  return {{.name = name,
           .type = "list of mappings",
           .meaning = meaning,
           .nested = +[]() -> const TableDoc& { return table().doc(); }},
          [member](T& value, Binder& binder, const yaml::Node& node) {
            if (!node.is_sequence()) return binder.mismatch(node, "a list");
            for (size_t i = 0; i < node.items.size(); ++i) {
              const Binder::Part part(binder, i);
              V& item = (value.*member).emplace_back();
              set_pos(item, binder, node.items[i]);
              table().read(item, binder, node.items[i]);
            }
          }};
}

/// A key with a mapping from names to mappings; the name goes to the value's own `name`, if it has
/// one.
template <auto table, typename T, typename V>
Key<T> named(std::string_view name, std::map<std::string, V> T::* member,
             std::string_view meaning) {
  return {{.name = name,
           .type = "mapping by name",
           .meaning = meaning,
           .nested = +[]() -> const TableDoc& { return table().doc(); }},
          [member](T& value, Binder& binder, const yaml::Node& node) {
            if (!node.is_mapping()) return binder.mismatch(node, "a mapping");
            for (const yaml::Node::Entry& entry : node.entries) {
              const Binder::Part part(binder, entry.key.text);
              V& item = (value.*member)[entry.key.text];
              if constexpr (requires { item.name = entry.key.text; }) item.name = entry.key.text;
              set_pos(item, binder, entry.key);
              if (entry.value.is_null()) continue;
              table().read(item, binder, entry.value);
            }
          }};
}

}  // namespace wave::model

#include "model/yaml.h"

#include <libfyaml.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"

namespace wave::model::yaml {
namespace {

struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagDeleter {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

// The length of the longest prefix YAML allows: UTF-8 without control characters. Foreign bytes are
// turned away here rather than left to the library.
size_t printable_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return at;
    if (c == 0x7F) return at;
    if (c < 0x80) {
      ++at;
      continue;
    }
    const size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    const std::string_view sequence = text.substr(at, length);
    if (to_valid_utf8(sequence) != sequence || sequence.size() != length) return at;
    if (c == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0 && text[at + 1] != '\x85') {
      return at;  // C1 control characters
    }
    if (sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF") return at;
    if (sequence == "\xEF\xBB\xBF" && at > 0) return at;
    at += length;
  }
  return at;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

SourcePos pos_at(std::string_view source, size_t offset, std::string file) {
  SourcePos pos{std::move(file), 1, 1};
  for (size_t i = 0; i < offset && i < source.size(); ++i) {
    if (source[i] == '\n') {
      ++pos.line;
      pos.column = 1;
    } else if (!is_continuation(source[i])) {
      ++pos.column;
    }
  }
  return pos;
}

Style style_of(fy_token* token) {
  switch (fy_token_scalar_style(token)) {
    case FYSS_SINGLE_QUOTED:
      return Style::kSingleQuoted;
    case FYSS_DOUBLE_QUOTED:
      return Style::kDoubleQuoted;
    case FYSS_LITERAL:
      return Style::kLiteral;
    case FYSS_FOLDED:
      return Style::kFolded;
    default:
      return Style::kPlain;
  }
}

// What a copy of `node` costs: one for each value, more for long texts.
size_t weight_of(const Node& node) {
  size_t weight = 1 + node.text.size() / 64;
  for (const Node& item : node.items) weight += weight_of(item);
  for (const Node::Entry& entry : node.entries) {
    weight += weight_of(entry.key) + weight_of(entry.value);
  }
  return weight;
}

int depth_of(const Node& node) {
  int deepest = 0;
  for (const Node& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const Node::Entry& entry : node.entries) deepest = std::max(deepest, depth_of(entry.value));
  return deepest + 1;
}

// Builds the tree from libfyaml's events. Stops at the first thing that makes going on pointless
// (a syntax error, a limit); duplicate keys and the like are collected.
class Builder {
 public:
  Builder(const Document& document, Code code, Diagnostics& diagnostics)
      : document_(document), code_(code), diagnostics_(diagnostics) {}

  std::optional<Node> build() {
    fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = nullptr;
    diag_cfg.output_fn = [](fy_diag*, void*, const char*, size_t) {};
    diag_cfg.level = FYET_ERROR;
    const std::unique_ptr<fy_diag, DiagDeleter> diag(fy_diag_create(&diag_cfg));
    fy_diag_set_collect_errors(diag.get(), true);

    fy_parse_cfg cfg{};
    cfg.flags =
        static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE |
                                        FYPCF_ALLOW_DUPLICATE_KEYS | FYPCF_SLOPPY_FLOW_INDENTATION);
    cfg.diag = diag.get();
    parser_.reset(fy_parser_create(&cfg));
    if (!parser_ || !diag) {
      report({document_.file, 0, 0}, "the YAML parser could not be started");
      return std::nullopt;
    }
    fy_parser_set_string(parser_.get(), document_.source.data(), document_.source.size());
    bool done = false;
    while (!done && !stopped_) {
      fy_event* event = fy_parser_parse(parser_.get());
      if (event == nullptr) break;
      done = take(*event);
      fy_parser_event_free(parser_.get(), event);
    }
    if (!done && !stopped_) report_library_errors(*diag);
    parser_.reset();
    if (stopped_ || failed_) return std::nullopt;
    return std::move(root_);
  }

 private:
  struct Frame {
    Node node;
    std::string anchor;
    std::optional<Node> key;                    // of a mapping: the key whose value comes next
    std::vector<Node> merges;                   // of a mapping: what "<<" brings in
    std::unordered_map<std::string, int> seen;  // of a mapping: key -> line
  };

  void report(SourcePos pos, std::string message, std::string hint = {}) {
    diagnostics_.push_back(
        {Severity::kError, code_, std::move(pos), "", std::move(message), std::move(hint)});
  }

  void stop(SourcePos pos, std::string message, std::string hint = {}) {
    report(std::move(pos), std::move(message), std::move(hint));
    stopped_ = true;
  }

  void report_library_errors(fy_diag& diag) {
    void* iterator = nullptr;
    bool any = false;
    while (const fy_diag_error* error = fy_diag_errors_iterate(&diag, &iterator)) {
      report({document_.file, error->line, error->column},
             error->msg == nullptr ? "it is not valid YAML" : std::string(trim(error->msg)));
      any = true;
    }
    if (!any) report({document_.file, 0, 0}, "it is not valid YAML");
    failed_ = true;
  }

  // Whether the document is complete.
  bool take(fy_event& event) {
    switch (event.type) {
      case FYET_DOCUMENT_START:
        if (++documents_ > 1) {
          stop(event_pos(event), "a second YAML document starts here",
               "a file holds one document; remove the \"---\" and what follows");
        }
        return false;
      case FYET_MAPPING_START:
        open(Node::Kind::kMapping, event, event.mapping_start.anchor, event.mapping_start.tag);
        return false;
      case FYET_SEQUENCE_START:
        open(Node::Kind::kSequence, event, event.sequence_start.anchor, event.sequence_start.tag);
        return false;
      case FYET_MAPPING_END:
      case FYET_SEQUENCE_END:
        close();
        return false;
      case FYET_SCALAR:
        scalar(event);
        return false;
      case FYET_ALIAS:
        alias(event);
        return false;
      case FYET_STREAM_END:
        return true;
      default:
        return false;
    }
  }

  SourcePos event_pos(fy_event& event) const {
    const fy_mark* mark = fy_event_start_mark(&event);
    if (mark == nullptr) return {document_.file, 0, 0};
    return {document_.file, mark->line + 1, mark->column + 1};
  }

  void place(Node& node, fy_event& event) const {
    const fy_mark* start = fy_event_start_mark(&event);
    const fy_mark* end = fy_event_end_mark(&event);
    if (start == nullptr) return;
    node.line = start->line + 1;
    node.column = start->column + 1;
    node.begin = std::min(start->input_pos, document_.source.size());
    node.end = end == nullptr ? node.begin : std::min(end->input_pos, document_.source.size());
  }

  // The library's quoted scalars start behind the quote; people look for the quote.
  void include_quote(Node& node) const {
    const char quote = node.style == Style::kDoubleQuoted   ? '"'
                       : node.style == Style::kSingleQuoted ? '\''
                                                            : '\0';
    if (quote == '\0' || node.begin == 0 || document_.source[node.begin - 1] != quote) return;
    --node.begin;
    --node.column;
  }

  static std::string token_text(fy_token* token) {
    if (token == nullptr) return {};
    size_t length = 0;
    const char* text = fy_token_get_text(token, &length);
    return text == nullptr ? std::string() : std::string(text, length);
  }

  void apply_tag(Node& node, fy_token* tag) {
    if (tag == nullptr) return;
    const std::string name = token_text(tag);
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    const std::string_view type =
        name.starts_with(kCore) ? std::string_view(name).substr(kCore.size()) : name;
    if (type == "map" || type == "seq") return;
    if (type == "str" || type == "!") {
      node.tag = Node::Tag::kString;
    } else if (type == "int") {
      node.tag = Node::Tag::kInt;
    } else if (type == "float") {
      node.tag = Node::Tag::kFloat;
    } else if (type == "bool") {
      node.tag = Node::Tag::kBool;
    } else if (type == "null") {
      node.tag = Node::Tag::kNull;
    } else {
      report({document_.file, node.line, node.column},
             fmt::format("the tag \"{}\" is not known", excerpt(name, 80)),
             "known tags: !!str, !!int, !!float, !!bool, !!null, !!map, !!seq");
      failed_ = true;
    }
  }

  void open(Node::Kind kind, fy_event& event, fy_token* anchor, fy_token* tag) {
    if (static_cast<int>(stack_.size()) >= kMaxDepth) {
      stop(event_pos(event),
           fmt::format("lists and mappings are nested more than {} deep", kMaxDepth));
      return;
    }
    Frame frame;
    frame.node.kind = kind;
    place(frame.node, event);
    apply_tag(frame.node, tag);
    frame.anchor = token_text(anchor);
    if (!frame.anchor.empty()) open_anchors_.insert(frame.anchor);
    stack_.push_back(std::move(frame));
    spend(1, event_pos(event));
  }

  void close() {
    if (stack_.empty()) return;
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    for (Node& merged : frame.merges) merge(frame, std::move(merged));
    if (!frame.anchor.empty()) {
      open_anchors_.erase(frame.anchor);
      anchors_[frame.anchor] = frame.node;
    }
    add(std::move(frame.node));
  }

  void scalar(fy_event& event) {
    Node node;
    place(node, event);
    if (event.scalar.value != nullptr) {
      node.text = token_text(event.scalar.value);
      node.style = style_of(event.scalar.value);
    }
    include_quote(node);
    apply_tag(node, event.scalar.tag);
    spend(1, event_pos(event));
    if (const std::string anchor = token_text(event.scalar.anchor); !anchor.empty()) {
      anchors_[anchor] = node;
    }
    add(std::move(node));
  }

  void alias(fy_event& event) {
    const std::string name = token_text(event.alias.anchor);
    const SourcePos pos = event_pos(event);
    if (open_anchors_.contains(name)) {
      stop(pos, fmt::format("the alias *{} stands inside of what it refers to", name));
      return;
    }
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      stop(pos, fmt::format("the alias *{} has no anchor &{} before it", name, name));
      return;
    }
    // Counted before the copy is made: an attack must not cost memory first.
    if (!spend(weight_of(found->second), pos)) return;
    if (static_cast<int>(stack_.size()) + depth_of(found->second) > kMaxDepth) {
      stop(pos, fmt::format("lists and mappings are nested more than {} deep", kMaxDepth));
      return;
    }
    add(found->second);
  }

  bool spend(size_t nodes, SourcePos pos) {
    nodes_ += nodes;
    if (nodes_ <= kMaxNodes) return true;
    if (!stopped_) {
      stop(std::move(pos),
           fmt::format("the document has more than {} values with its aliases expanded", kMaxNodes),
           "use fewer aliases, or split the file");
    }
    return false;
  }

  void add(Node node) {
    if (stopped_) return;
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = stack_.back();
    if (parent.node.is_sequence()) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    if (!parent.key) {
      take_key(parent, std::move(node));
      return;
    }
    Node key = *std::move(parent.key);
    parent.key.reset();
    if (key.text == "<<" && key.style == Style::kPlain) {
      collect_merges(parent, std::move(node));
      return;
    }
    const auto [seen, fresh] = parent.seen.try_emplace(key.text, key.line);
    if (!fresh) {
      report({document_.file, key.line, key.column},
             fmt::format("the key \"{}\" is there twice", excerpt(key.text, 80)),
             fmt::format("it was first written in line {}; keep one of them", seen->second));
      failed_ = true;
      return;
    }
    parent.node.entries.push_back({std::move(key), std::move(node)});
  }

  void take_key(Frame& parent, Node node) {
    if (!node.is_scalar()) {
      report({document_.file, node.line, node.column}, "a key has to be text",
             "a \"{{ placeholder }}\" that starts a value needs quotes around it");
      failed_ = true;
      Node stand_in;
      stand_in.line = node.line;
      stand_in.column = node.column;
      stand_in.text = fmt::format("?{}:{}", node.line, node.column);
      node = std::move(stand_in);
    }
    parent.key = std::move(node);
  }

  void collect_merges(Frame& parent, Node node) {
    const auto take = [&](Node part) {
      if (part.is_mapping()) {
        parent.merges.push_back(std::move(part));
        return;
      }
      report({document_.file, part.line, part.column}, "\"<<\" needs a mapping or a list of them");
      failed_ = true;
    };
    if (!node.is_sequence()) return take(std::move(node));
    for (Node& item : node.items) take(std::move(item));
  }

  // Keys that were written win over merged ones, earlier merges over later ones.
  static void merge(Frame& frame, Node merged) {
    for (Node::Entry& entry : merged.entries) {
      if (!frame.seen.try_emplace(entry.key.text, entry.key.line).second) continue;
      frame.node.entries.push_back(std::move(entry));
    }
  }

  const Document& document_;
  Code code_;
  Diagnostics& diagnostics_;
  std::unique_ptr<fy_parser, ParserDeleter> parser_;
  std::vector<Frame> stack_;
  std::unordered_map<std::string, Node> anchors_;
  std::unordered_set<std::string> open_anchors_;
  std::optional<Node> root_;
  size_t nodes_ = 0;
  int documents_ = 0;
  bool stopped_ = false;  // going on makes no sense
  bool failed_ = false;   // the tree is not to be used
};

bool is_null_text(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::optional<bool> core_bool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

template <typename T>
std::optional<T> whole_number(std::string_view digits, int base) {
  T value{};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// yaml.v3: decimal with "_" between digits, 0x, 0o, 0b, and YAML 1.1's leading 0 for octal.
std::optional<int64_t> core_int(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '_') plain += c;
  }
  if (plain.empty() || text.starts_with('_')) return std::nullopt;
  bool negative = false;
  std::string_view digits = plain;
  if (digits[0] == '+' || digits[0] == '-') {
    negative = digits[0] == '-';
    digits.remove_prefix(1);
  }
  int base = 10;
  if (digits.starts_with("0x")) base = 16;
  if (digits.starts_with("0o")) base = 8;
  if (digits.starts_with("0b")) base = 2;
  if (base != 10) {
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0') {
    base = 8;
    digits.remove_prefix(1);
  }
  if (digits.empty() || digits[0] == '-' || digits[0] == '+') return std::nullopt;
  const auto magnitude = whole_number<uint64_t>(digits, base);
  if (!magnitude) return std::nullopt;
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (*magnitude > kMax) return std::nullopt;
  const auto value = static_cast<int64_t>(*magnitude);
  return negative ? -value : value;
}

std::optional<double> core_float(std::string_view text) {
  std::string_view body = text;
  bool negative = false;
  if (body.starts_with('-') || body.starts_with('+')) {
    negative = body[0] == '-';
    body.remove_prefix(1);
  }
  if (body == ".inf" || body == ".Inf" || body == ".INF") {
    const double infinity = std::numeric_limits<double>::infinity();
    return negative ? -infinity : infinity;
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (body.empty() || body.find_first_not_of("0123456789.eE+-_") != std::string_view::npos) {
    return std::nullopt;
  }
  if (body[0] == '+' || body[0] == '-' || body == ".") return std::nullopt;
  std::string plain;
  for (const char c : body) {
    if (c != '_') plain += c;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (error != std::errc() || end != plain.data() + plain.size()) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key.text == key) return &entry.value;
  }
  return nullptr;
}

// Quoted and block scalars are text whatever they spell; so is what carries another tag.
bool Node::may_be(Tag wanted) const {
  if (kind != Kind::kScalar) return false;
  if (tag != Tag::kNone) return tag == wanted;
  return style == Style::kPlain;
}

bool Node::is_null() const {
  if (kind != Kind::kScalar) return false;
  return tag == Tag::kNull || (may_be(Tag::kNull) && is_null_text(text));
}

std::optional<bool> Node::as_bool() const {
  if (!may_be(Tag::kBool)) return std::nullopt;
  if (const auto value = core_bool(text)) return value;
  // yaml.v3 keeps YAML 1.1's words where a bool is asked for.
  for (const std::string_view word : {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"n", "N", "no", "No", "NO", "off", "Off", "OFF"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

std::optional<int64_t> Node::as_int() const {
  if (!may_be(Tag::kInt)) return std::nullopt;
  if (const auto value = core_int(text)) return value;
  const auto number = core_float(text);
  if (!number || std::abs(*number) > 9e15 || std::floor(*number) != *number) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<double> Node::as_double() const {
  if (!may_be(Tag::kFloat) && !may_be(Tag::kInt)) return std::nullopt;
  if (const auto value = core_int(text)) return static_cast<double>(*value);
  return core_float(text);
}

std::string_view Node::type_name() const {
  if (kind == Kind::kSequence) return "a list";
  if (kind == Kind::kMapping) return "a mapping";
  if (is_null()) return "nothing";
  if (may_be(Tag::kBool) && core_bool(text)) return "true or false";
  if (as_double()) return "a number";
  return "text";
}

SourcePos Document::pos_of(const Node& scalar, std::string_view needle, size_t ordinal) const {
  const std::string_view raw =
      std::string_view(source).substr(scalar.begin, scalar.end - scalar.begin);
  // In a run such as "{{{" the last possible place counts, as it does for templates.
  const auto next = [&](size_t from) {
    size_t found = raw.find(needle, from);
    while (found != std::string_view::npos && raw.substr(found + 1).starts_with(needle)) ++found;
    return found;
  };
  size_t at = next(0);
  for (size_t i = 0; i < ordinal && at != std::string_view::npos; ++i) {
    at = next(at + needle.size());
  }
  if (at == std::string_view::npos) return pos(scalar);
  // Counted from the scalar's own position, not from the start of the file.
  SourcePos found{file, scalar.line, scalar.column};
  for (const char c : raw.substr(0, at)) {
    if (c == '\n') {
      ++found.line;
      found.column = 1;
    } else if (!is_continuation(c)) {
      ++found.column;
    }
  }
  return found;
}

SourcePos Document::locate(std::string_view key_path) const {
  if (!root) return {file, 0, 0};
  const Node* node = &*root;
  SourcePos best = pos(*node);
  while (!key_path.empty()) {
    if (key_path.starts_with('.')) key_path.remove_prefix(1);
    if (key_path.starts_with('[')) {
      const size_t close = key_path.find(']');
      if (close == std::string_view::npos) return best;
      const auto index = whole_number<size_t>(key_path.substr(1, close - 1), 10);
      if (!index || *index >= node->items.size()) return best;
      node = &node->items[*index];
      best = pos(*node);
      key_path.remove_prefix(close + 1);
      continue;
    }
    // Keys may contain dots: the longest key that the path starts with is meant.
    const Node::Entry* match = nullptr;
    for (const Node::Entry& entry : node->entries) {
      const std::string& key = entry.key.text;
      if (!key_path.starts_with(key) || (match && match->key.text.size() >= key.size())) continue;
      const char next = key.size() < key_path.size() ? key_path[key.size()] : '.';
      if (next == '.' || next == '[') match = &entry;
    }
    if (match == nullptr) return best;
    node = &match->value;
    const bool is_block = node->style == Style::kLiteral || node->style == Style::kFolded;
    best = node->is_scalar() && !is_block && !node->is_null() ? pos(*node) : pos(match->key);
    key_path.remove_prefix(match->key.text.size());
  }
  return best;
}

Document parse(std::string source, std::string file, Code code, Diagnostics& diagnostics) {
  Document document{std::move(file), std::move(source), std::nullopt};
  const size_t good = printable_prefix(document.source);
  if (good < document.source.size()) {
    diagnostics.push_back({Severity::kError, code, pos_at(document.source, good, document.file), "",
                           fmt::format("the byte 0x{:02x} here is not text",
                                       static_cast<unsigned char>(document.source[good])),
                           "save the file as UTF-8 without control characters"});
    return document;
  }
  const size_t before = diagnostics.size();
  document.root = Builder(document, code, diagnostics).build();
  if (!document.root && diagnostics.size() == before) {
    diagnostics.push_back(
        {Severity::kError, code, {document.file, 1, 1}, "", "the file is empty", ""});
  }
  return document;
}

json::value to_json(const Node& node) {
  if (node.is_sequence()) {
    json::array array;
    for (const Node& item : node.items) array.push_back(to_json(item));
    return array;
  }
  if (node.is_mapping()) {
    json::object object;
    for (const Node::Entry& entry : node.entries) object[entry.key.text] = to_json(entry.value);
    return object;
  }
  if (node.is_null()) return nullptr;
  if (node.style == Style::kPlain) {
    if (const auto value = core_bool(node.text); value && node.as_bool()) return *value;
    if (const auto value = core_int(node.text); value && node.as_int()) return *value;
    if (const auto value = node.as_double(); value && std::isfinite(*value)) return *value;
  }
  return json::string(node.text);
}

}  // namespace wave::model::yaml

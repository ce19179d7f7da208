#include "agent/script.h"

#include <libfyaml.h>

#include <array>
#include <charconv>
#include <memory>

#include "base/text.h"

namespace wave::agent {
namespace {

constexpr size_t kMaxScript = 4 << 20;
constexpr int kMaxDepth = 64;
constexpr auto kActions = std::to_array<std::string_view>({
    "say",    "think", "stderr",     "tool",  "read",     "write", "append", "mkdir",
    "run",    "spawn", "usage",      "sleep", "wait_for", "flood", "repeat", "ignore_term",
    "result", "fail",  "rate_limit", "exit",  "crash",    "hang",
});

std::unexpected<Error> script_error(int line, int column, std::string message,
                                    std::string hint = {}) {
  return fail(Error(Code::kInvalidPipeline, std::move(message), std::move(hint))
                  .at({"script", line, column}));
}

// ---- YAML to JSON -------------------------------------------------------------------------------

struct DiagDeleter {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};
struct DocumentDeleter {
  void operator()(fy_document* document) const { fy_document_destroy(document); }
};

SourcePos position(fy_node* node) {
  fy_token* token = nullptr;
  if (fy_node_is_scalar(node)) token = fy_node_get_scalar_token(node);
  const fy_mark* mark = token != nullptr ? fy_token_start_mark(token) : nullptr;
  if (mark == nullptr) return {"script", 0, 0};
  return {"script", mark->line + 1, mark->column + 1};
}

json::value plain_scalar(std::string_view text) {
  if (text.empty() || text == "null" || text == "~") return nullptr;
  if (text == "true") return true;
  if (text == "false") return false;
  const char* end = text.data() + text.size();
  int64_t integer = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, integer);
      error == std::errc() && at == end) {
    return integer;
  }
  const bool numeric = text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  double number = 0;
  if (const auto [at, error] = std::from_chars(text.data(), end, number);
      numeric && error == std::errc() && at == end) {
    return number;
  }
  return json::string(text);
}

Result<json::value> to_json_value(fy_node* node, int depth) {
  if (depth > kMaxDepth) return script_error(0, 0, "the script is nested too deeply");
  if (node == nullptr) return nullptr;
  if (fy_node_is_alias(node)) {
    const SourcePos pos = position(node);
    return script_error(pos.line, pos.column, "aliases are not part of a script");
  }
  switch (fy_node_get_type(node)) {
    case FYNT_SCALAR: {
      size_t length = 0;
      const char* text = fy_node_get_scalar(node, &length);
      const std::string_view view(text != nullptr ? text : "", text != nullptr ? length : 0);
      if (fy_node_get_style(node) == FYNS_PLAIN) return plain_scalar(view);
      return json::value(json::string(view));
    }
    case FYNT_SEQUENCE: {
      json::array array;
      void* cursor = nullptr;
      while (fy_node* item = fy_node_sequence_iterate(node, &cursor)) {
        WAVE_TRY(json::value value, to_json_value(item, depth + 1));
        array.push_back(std::move(value));
      }
      return json::value(std::move(array));
    }
    case FYNT_MAPPING: {
      json::object object;
      void* cursor = nullptr;
      while (fy_node_pair* pair = fy_node_mapping_iterate(node, &cursor)) {
        size_t length = 0;
        const char* key = fy_node_get_scalar(fy_node_pair_key(pair), &length);
        if (key == nullptr) return script_error(0, 0, "a key of the script is not a text");
        WAVE_TRY(json::value value, to_json_value(fy_node_pair_value(pair), depth + 1));
        object.emplace(std::string_view(key, length), std::move(value));
      }
      return json::value(std::move(object));
    }
  }
  return script_error(0, 0, "the script has a node of an unknown kind");
}

Result<json::value> read_yaml(std::string_view text) {
  const std::unique_ptr<fy_diag, DiagDeleter> diag(fy_diag_create(nullptr));
  if (!diag) return fail(Code::kInternal, "no memory for reading a script");
  fy_diag_set_collect_errors(diag.get(), true);
  fy_parse_cfg config{};
  config.flags = FYPCF_QUIET;
  config.diag = diag.get();
  const std::unique_ptr<fy_document, DocumentDeleter> document(
      fy_document_build_from_string(&config, text.data(), text.size()));
  if (!document) {
    void* cursor = nullptr;
    const fy_diag_error* error = fy_diag_errors_iterate(diag.get(), &cursor);
    if (error == nullptr) return script_error(0, 0, "the script is not YAML");
    return script_error(error->line, error->column,
                        error->msg != nullptr ? error->msg : "not YAML");
  }
  return to_json_value(fy_document_root(document.get()), 0);
}

// ---- actions ------------------------------------------------------------------------------------

Status check_actions(const json::value& value, int depth) {
  if (!value.is_array()) return script_error(0, 0, "a script is a list of actions");
  if (depth > 8) return script_error(0, 0, "repeat is nested too deeply");
  for (size_t i = 0; i < value.as_array().size(); ++i) {
    const json::value& action = value.as_array()[i];
    if (!action.is_object() || action.as_object().size() != 1) {
      return script_error(0, 0, fmt::format("action {} is not a map with one key", i + 1),
                          "write it as `- say: Hello`");
    }
    const std::string name(action.as_object().begin()->key());
    if (std::ranges::find(kActions, name) == kActions.end()) {
      const std::vector<std::string> known(kActions.begin(), kActions.end());
      const auto meant = did_you_mean(name, known);
      return script_error(
          0, 0, fmt::format("action {} is unknown: '{}'", i + 1, name),
          meant ? fmt::format("did you mean {}?", *meant) : "known are: " + join(known, ", "));
    }
    if (name != "repeat") continue;
    const json::value& body = action.as_object().begin()->value();
    if (!body.is_object()) return script_error(0, 0, "repeat has to be {times, actions}");
    const json::value* actions = find(body.as_object(), "actions");
    if (actions == nullptr) return script_error(0, 0, "repeat has no actions");
    WAVE_CHECK(check_actions(*actions, depth + 1));
  }
  return {};
}

Result<json::value> actions_of_attempt(json::value root, int attempt) {
  if (root.is_array()) return root;
  if (!root.is_object()) return script_error(0, 0, "a script is a list of actions");
  for (const auto& [key, value] : root.as_object()) {
    if (key != "actions" && key != "attempts") {
      return script_error(0, 0, fmt::format("unknown key '{}'", std::string_view(key)),
                          "a script has the keys actions or attempts");
    }
  }
  if (json::value* actions = root.as_object().if_contains("actions")) return *actions;
  const json::array& attempts = get_array(root.as_object(), "attempts");
  if (attempts.empty()) return script_error(0, 0, "the script has no actions");
  const size_t index = static_cast<size_t>(std::max(attempt, 1)) - 1;
  return attempts[std::min(index, attempts.size() - 1)];
}

}  // namespace

Result<json::array> parse_script(std::string_view text, int attempt) {
  if (text.size() > kMaxScript) return fail(Code::kLimit, "the script is too large");
  WAVE_TRY(json::value root, read_yaml(text));
  WAVE_TRY(json::value actions, actions_of_attempt(std::move(root), attempt));
  WAVE_CHECK(check_actions(actions, 0));
  return std::move(actions.as_array());
}

std::string script_in_prompt(std::string_view prompt) {
  constexpr std::string_view kOpen = "```wave-script";
  size_t open = prompt.rfind(kOpen);
  while (open != std::string_view::npos && open > 0 && prompt[open - 1] != '\n') {
    open = prompt.rfind(kOpen, open - 1);
  }
  if (open == std::string_view::npos) return {};
  const size_t start = prompt.find('\n', open);
  if (start == std::string_view::npos) return {};
  const size_t close = prompt.find("\n```", start);
  return std::string(prompt.substr(
      start + 1, close == std::string_view::npos ? std::string_view::npos : close - start));
}

Result<Millis> script_duration(const json::value& value) {
  if (value.is_string()) return parse_duration(value.as_string());
  boost::system::error_code error;
  const double number = value.to_number<double>(error);
  constexpr double kMaxMillis = 1e12;
  if (error || number < 0 || number > kMaxMillis) {
    return fail(Code::kInvalidPipeline, "not a duration: " + excerpt(dump_json(value), 40));
  }
  return Millis(static_cast<int64_t>(number));
}

}  // namespace wave::agent

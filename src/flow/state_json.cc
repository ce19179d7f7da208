// The parts of a state that travel in events.
#include "flow/state.h"

namespace wave::flow {
namespace {

Error bad_options(std::string_view what) {
  return {Code::kUsage, fmt::format("run options: {}", what)};
}

Result<std::vector<std::string>> read_names(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return std::vector<std::string>{};
  if (!value->is_array()) return fail(bad_options(fmt::format("{} is not a list", key)));
  std::vector<std::string> names = get_strings(object, key);
  if (names.size() != value->get_array().size()) {
    return fail(bad_options(fmt::format("{} has something else than strings", key)));
  }
  return names;
}

Result<std::string> read_text(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return fail(bad_options(fmt::format("{} is not a string", key)));
  return std::string(value->get_string());
}

}  // namespace

Usage& Usage::operator+=(const Usage& other) {
  tokens_in += other.tokens_in;
  tokens_out += other.tokens_out;
  tokens_cache_read += other.tokens_cache_read;
  tokens_cache_write += other.tokens_cache_write;
  cost_usd += other.cost_usd;
  return *this;
}

json::object to_json(const Usage& usage) {
  return {{"tokens_in", usage.tokens_in},
          {"tokens_out", usage.tokens_out},
          {"tokens_cache_read", usage.tokens_cache_read},
          {"tokens_cache_write", usage.tokens_cache_write},
          {"cost_usd", usage.cost_usd}};
}

Usage usage_from_json(const json::object& object) {
  return {.tokens_in = get_int(object, "tokens_in"),
          .tokens_out = get_int(object, "tokens_out"),
          .tokens_cache_read = get_int(object, "tokens_cache_read"),
          .tokens_cache_write = get_int(object, "tokens_cache_write"),
          .cost_usd = get_double(object, "cost_usd")};
}

json::object to_json(const Artifact& artifact) {
  return {{"step", artifact.step}, {"name", artifact.name},     {"type", artifact.type},
          {"path", artifact.path}, {"sha256", artifact.sha256}, {"size", artifact.size}};
}

Artifact artifact_from_json(const json::object& object) {
  return {.step = std::string(get_string(object, "step")),
          .name = std::string(get_string(object, "name")),
          .type = std::string(get_string(object, "type")),
          .path = std::string(get_string(object, "path")),
          .sha256 = std::string(get_string(object, "sha256")),
          .size = get_int(object, "size")};
}

json::object to_json(const RunOptions& options) {
  json::object object;
  const auto put = [&](std::string_view key, const std::string& text) {
    if (!text.empty()) object[key] = text;
  };
  put("input", options.input);
  put("model", options.model);
  if (options.force_model) object["force_model"] = true;
  put("adapter", options.adapter);
  if (!options.steps.empty()) object["steps"] = to_array(options.steps);
  if (!options.exclude.empty()) object["exclude"] = to_array(options.exclude);
  if (options.skip_gates) object["skip_gates"] = true;
  put("from_step", options.from_step);
  if (options.timeout) object["timeout_ms"] = options.timeout->count();
  if (!options.tags.empty()) {
    json::object tags;
    for (const auto& [key, value] : options.tags) tags[key] = value;
    object["tags"] = std::move(tags);
  }
  return object;
}

Result<RunOptions> run_options_from_json(const json::object& object) {
  RunOptions options;
  WAVE_TRY(options.input, read_text(object, "input"));
  WAVE_TRY(options.model, read_text(object, "model"));
  options.force_model = get_bool(object, "force_model");
  WAVE_TRY(options.adapter, read_text(object, "adapter"));
  WAVE_TRY(options.steps, read_names(object, "steps"));
  WAVE_TRY(options.exclude, read_names(object, "exclude"));
  options.skip_gates = get_bool(object, "skip_gates");
  WAVE_TRY(options.from_step, read_text(object, "from_step"));
  if (find(object, "timeout_ms") != nullptr) {
    const int64_t timeout = get_int(object, "timeout_ms", -1);
    if (timeout < 0) return fail(bad_options("timeout_ms is not a number of milliseconds"));
    options.timeout = Millis(timeout);
  }
  for (const auto& [key, value] : get_object(object, "tags")) {
    if (!value.is_string()) return fail(bad_options("a tag's value is not a string"));
    options.tags.emplace(key, value.get_string());
  }
  return options;
}

}  // namespace wave::flow

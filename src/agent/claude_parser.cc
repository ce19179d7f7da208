#include "agent/claude_parser.h"

#include "agent/claude_failure.h"
#include "agent/tools.h"
#include "base/text.h"

namespace wave::agent {
namespace {

constexpr size_t kMaxText = 4 << 10;
constexpr size_t kMaxDetail = 2 << 10;
constexpr size_t kMaxFinalText = 64 << 10;
constexpr size_t kMaxMessage = 2 << 10;
constexpr size_t kRememberedMessages = 64;

Activity make_activity(std::string_view kind, std::string_view content, size_t max_bytes,
                       const JsonLine& line) {
  Activity activity;
  activity.kind = kind;
  activity.content = excerpt(content, max_bytes);
  activity.offset = line.offset;
  activity.length = line.length;
  return activity;
}

// The text of a content that is a string, or a list of blocks with text in them.
std::string content_text(const json::value* content) {
  if (content == nullptr) return {};
  if (content->is_string()) return std::string(content->as_string());
  if (!content->is_array()) return {};
  std::string text;
  for (const auto& block : content->as_array()) {
    if (!block.is_object()) continue;
    const auto part = get_string(block.as_object(), "text");
    if (part.empty()) continue;
    if (!text.empty()) text += '\n';
    text += part;
  }
  return text;
}

flow::Usage model_usage(const json::object& models) {
  flow::Usage sum;
  for (const auto& [name, value] : models) {
    if (!value.is_object()) continue;
    const auto& object = value.as_object();
    flow::Usage one;
    one.tokens_in = get_int(object, "inputTokens");
    one.tokens_out = get_int(object, "outputTokens");
    one.tokens_cache_read = get_int(object, "cacheReadInputTokens");
    one.tokens_cache_write = get_int(object, "cacheCreationInputTokens");
    add_usage(sum, one);
  }
  return sum;
}

flow::Usage message_usage(const json::object& object) {
  flow::Usage usage;
  usage.tokens_in = get_int(object, "input_tokens");
  usage.tokens_out = get_int(object, "output_tokens");
  usage.tokens_cache_read = get_int(object, "cache_read_input_tokens");
  usage.tokens_cache_write = get_int(object, "cache_creation_input_tokens");
  return usage;
}

std::string retry_notice(const json::object& object) {
  const int64_t status = get_int(object, "error_status");
  return fmt::format("the API failed ({}{}), attempt {} of {} follows in {}",
                     get_string(object, "error", "unknown"),
                     status != 0 ? fmt::format(", status {}", status) : "",
                     get_int(object, "attempt"), get_int(object, "max_retries"),
                     format_duration(Millis(get_int(object, "retry_delay_ms"))));
}

}  // namespace

void ClaudeParser::feed_out(std::string_view bytes, Activities& activity) {
  lines_.feed(bytes, [&](const JsonLine& line) { take_line(line, activity); });
}

void ClaudeParser::feed_err(std::string_view bytes, Activities& activity) {
  stderr_.append(bytes);
  errors_.feed(bytes, activity);
}

void ClaudeParser::take_line(const JsonLine& line, Activities& activity) {
  auto object = parse_json_line(line.text);
  if (object) return take_object(*object, line, activity);
  if (line.oversized) {
    auto notice = make_activity(
        "notice", fmt::format("a line of {} bytes is too large to be read", line.length),
        kMaxDetail, line);
    notice.is_error = true;
    activity.push_back(std::move(notice));
    return;
  }
  noise_ = excerpt(line.text, kMaxMessage);
  activity.push_back(make_activity("output", line.text, kMaxDetail, line));
}

void ClaudeParser::take_object(const json::object& object, const JsonLine& line,
                               Activities& activity) {
  if (const auto session = get_string(object, "session_id"); !session.empty()) {
    session_id_ = excerpt(session, 128);
  }
  const auto type = get_string(object, "type");
  if (type == "system") return take_system(object, line, activity);
  if (type == "assistant") return take_assistant(object, line, activity);
  if (type == "user") return take_user(object, line, activity);
  if (type == "result") return take_result(object);
  // stream_event and what newer versions add: said again by the lines above, or of no interest.
}

void ClaudeParser::take_system(const json::object& object, const JsonLine& line,
                               Activities& activity) {
  const auto subtype = get_string(object, "subtype");
  const auto notice = [&](std::string_view content, bool is_error) {
    auto said = make_activity("notice", content, kMaxDetail, line);
    said.is_error = is_error;
    activity.push_back(std::move(said));
  };
  if (subtype == "init") {
    model_ = excerpt(get_string(object, "model"), 128);
  } else if (subtype == "api_retry") {
    retry_delay_ms_ = get_int(object, "retry_delay_ms");
    retry_status_ = get_int(object, "error_status");
    retry_kind_ = excerpt(get_string(object, "error"), 64);
    notice(retry_notice(object), true);
  } else if (subtype == "permission_denied") {
    auto denied = make_activity("notice", get_string(object, "message"), kMaxDetail, line);
    denied.tool_name = excerpt(get_string(object, "tool_name"), 128);
    denied.is_error = true;
    activity.push_back(std::move(denied));
  } else if (subtype == "compact_boundary") {
    const auto& meta = get_object(object, "compact_metadata");
    notice(fmt::format("the conversation was compacted from {} to {} tokens",
                       get_int(meta, "pre_tokens"), get_int(meta, "post_tokens")),
           false);
  } else if (subtype == "informational") {
    notice(get_string(object, "content"), get_string(object, "level") == "error");
  } else if (subtype == "model_refusal_no_fallback") {
    notice("the model refused to answer", true);
  }
}

void ClaudeParser::take_assistant(const json::object& object, const JsonLine& line,
                                  Activities& activity) {
  const auto& message = get_object(object, "message");
  const auto* parent = find(object, "parent_tool_use_id");
  const bool main_agent = parent == nullptr || parent->is_null();
  const bool synthetic = get_string(message, "model") == "<synthetic>";
  if (synthetic) {
    error_kind_ = excerpt(get_string(object, "error"), 64);
    error_status_ = get_int(object, "api_error_status");
  } else {
    retry_status_ = 0;  // the API answers again
    retry_kind_.clear();
    retry_delay_ms_ = 0;
    count_message(message);
  }
  for (const auto& value : get_array(message, "content")) {
    if (!value.is_object()) continue;
    const auto& block = value.as_object();
    const auto type = get_string(block, "type");
    if (type == "text") {
      const auto text = get_string(block, "text");
      if (main_agent && !synthetic && !text.empty()) last_text_ = excerpt(text, kMaxFinalText);
      if (text.empty()) continue;
      auto said = make_activity(synthetic ? "notice" : "text", text, kMaxText, line);
      said.is_error = synthetic;
      activity.push_back(std::move(said));
    } else if (type == "thinking") {
      activity.push_back(
          make_activity("thinking", get_string(block, "thinking"), kMaxDetail, line));
    } else if (type == "tool_use" || type == "server_tool_use") {
      const auto& input = get_object(block, "input");
      auto used = make_activity("tool_use", dump_json(input), kMaxDetail, line);
      used.tool_name = excerpt(get_string(block, "name"), 128);
      used.tool_target = tool_target(input);
      used.progress = !is_read_only_tool(used.tool_name);
      activity.push_back(std::move(used));
    }
  }
}

void ClaudeParser::take_user(const json::object& object, const JsonLine& line,
                             Activities& activity) {
  const auto& message = get_object(object, "message");
  if (const auto* content = find(message, "content"); content != nullptr && content->is_string()) {
    activity.push_back(make_activity("notice", content->as_string(), kMaxDetail, line));
    return;
  }
  for (const auto& value : get_array(message, "content")) {
    if (!value.is_object()) continue;
    const auto& block = value.as_object();
    if (get_string(block, "type") == "tool_result") {
      auto result =
          make_activity("tool_result", content_text(find(block, "content")), kMaxDetail, line);
      result.is_error = get_bool(block, "is_error");
      activity.push_back(std::move(result));
    } else if (get_string(block, "type") == "text") {
      // Words that Claude Code puts into the conversation by itself, to make the model go on.
      activity.push_back(make_activity("notice", get_string(block, "text"), kMaxDetail, line));
    }
  }
}

void ClaudeParser::take_result(const json::object& object) {
  Ending ending;
  ending.seen = true;
  // Fail closed: a result that does not say that it is none is an error.
  ending.is_error = get_bool(object, "is_error", true);
  ending.subtype = excerpt(get_string(object, "subtype"), 128);
  ending.terminal_reason = excerpt(get_string(object, "terminal_reason"), 128);
  ending.stop_reason = excerpt(get_string(object, "stop_reason"), 128);
  ending.api_status = get_int(object, "api_error_status");
  ending.text = excerpt(get_string(object, "result"), kMaxFinalText);
  if (ending.is_error && ending.text.empty()) {
    ending.text = excerpt(join(get_strings(object, "errors"), "; "), kMaxMessage);
  }
  ending_ = std::move(ending);
  turns_ = static_cast<int>(get_int(object, "num_turns"));
  const auto& models = get_object(object, "modelUsage");
  usage_ = models.empty() ? message_usage(get_object(object, "usage")) : model_usage(models);
  usage_.cost_usd = get_double(object, "total_cost_usd");
}

void ClaudeParser::count_message(const json::object& message) {
  const auto id = get_string(message, "id");
  if (id.empty() || std::ranges::find(counted_messages_, id) != counted_messages_.end()) return;
  counted_messages_.emplace_back(excerpt(id, 128));
  if (counted_messages_.size() > kRememberedMessages) counted_messages_.pop_front();
  add_usage(unfinished_usage_, message_usage(get_object(message, "usage")));
  if (!ending_.seen) ++turns_;
}

AgentResult ClaudeParser::failed_result(const process::HostExit& exit) const {
  if (auto failure = failure_from_exit(exit)) {
    if (retry_status_ != 0 || !retry_kind_.empty()) {
      failure->message +=
          fmt::format("; the API had failed before ({}, status {})", retry_kind_, retry_status_);
    }
    return *std::move(failure);
  }
  AgentResult result;
  if (ending_.seen && ending_.is_error) {
    const ClaudeError error{ending_.api_status != 0 ? ending_.api_status : error_status_,
                            error_kind_,
                            ending_.terminal_reason,
                            ending_.subtype,
                            ending_.stop_reason,
                            ending_.text};
    const auto [failure, code] = classify(error);
    result.failure = failure;
    result.code = code;
    result.message = ending_.text.empty() ? "ended with an error: " + ending_.subtype
                                          : excerpt(ending_.text, kMaxMessage);
    if (failure == flow::FailureClass::kRateLimit) {
      result.retry_after = retry_after_in(ending_.text);
      if (!result.retry_after && retry_delay_ms_ > 0) result.retry_after = Millis(retry_delay_ms_);
    }
    return result;
  }
  const std::string said = stderr_.empty() ? noise_ : stderr_.text();
  result.message =
      fmt::format("{}{}{}", describe_exit(exit),
                  ending_.seen ? " after it had reported success" : " without reporting a result",
                  said.empty() ? "" : ": " + said);
  // Not one line of its protocol: it refused its options, its environment or its settings.
  const bool refused_to_start = session_id_.empty() && !ending_.seen && exit.exit_code > 0;
  result.failure =
      refused_to_start ? flow::FailureClass::kDeterministic : flow::FailureClass::kTransient;
  return result;
}

AgentResult ClaudeParser::finish(const process::HostExit& exit, Activities& activity) {
  lines_.finish([&](const JsonLine& line) { take_line(line, activity); });
  errors_.finish(activity);
  const bool succeeded = ending_.seen && !ending_.is_error && exit.reason == "exited" &&
                         exit.signal == 0 && exit.exit_code == 0;
  AgentResult result;
  if (succeeded) {
    result.succeeded = true;
  } else {
    result = failed_result(exit);
  }
  result.usage = ending_.seen ? usage_ : unfinished_usage_;
  result.session_id = session_id_;
  result.model = model_;
  result.final_text = succeeded && !ending_.text.empty() ? ending_.text : last_text_;
  result.turns = turns_;
  return result;
}

std::string ClaudeParser::save() const {
  json::array counted;
  for (const auto& id : counted_messages_) counted.emplace_back(id);
  json::object state{
      {"lines", lines_.save()},
      {"errors", errors_.save()},
      {"stderr", stderr_.save()},
      {"session_id", session_id_},
      {"model", model_},
      {"error_kind", error_kind_},
      {"error_status", error_status_},
      {"last_text", last_text_},
      {"noise", noise_},
      {"retry_delay_ms", retry_delay_ms_},
      {"retry_status", retry_status_},
      {"retry_kind", retry_kind_},
      {"turns", turns_},
      {"usage", save_usage(usage_)},
      {"unfinished_usage", save_usage(unfinished_usage_)},
      {"counted", std::move(counted)},
  };
  if (ending_.seen) {
    state["ending"] = json::object{{"is_error", ending_.is_error},
                                   {"subtype", ending_.subtype},
                                   {"terminal_reason", ending_.terminal_reason},
                                   {"stop_reason", ending_.stop_reason},
                                   {"text", ending_.text},
                                   {"api_status", ending_.api_status}};
  }
  return dump_json(state);
}

Status ClaudeParser::restore(std::string_view text) {
  WAVE_TRY(const json::value value, parse_json(text));
  if (!value.is_object()) return fail(Code::kStore, "the parser's state is not an object");
  const auto& state = value.as_object();
  lines_.restore(get_object(state, "lines"));
  errors_.restore(get_object(state, "errors"));
  stderr_.restore(get_string(state, "stderr"));
  session_id_ = get_string(state, "session_id");
  model_ = get_string(state, "model");
  error_kind_ = get_string(state, "error_kind");
  error_status_ = get_int(state, "error_status");
  last_text_ = get_string(state, "last_text");
  noise_ = get_string(state, "noise");
  retry_delay_ms_ = get_int(state, "retry_delay_ms");
  retry_status_ = get_int(state, "retry_status");
  retry_kind_ = get_string(state, "retry_kind");
  turns_ = static_cast<int>(get_int(state, "turns"));
  usage_ = restore_usage(get_object(state, "usage"));
  unfinished_usage_ = restore_usage(get_object(state, "unfinished_usage"));
  counted_messages_.clear();
  for (auto& id : get_strings(state, "counted")) counted_messages_.push_back(std::move(id));
  ending_ = {};
  if (find(state, "ending") == nullptr) return {};
  const auto& ending = get_object(state, "ending");
  ending_.seen = true;
  ending_.is_error = get_bool(ending, "is_error", true);
  ending_.subtype = get_string(ending, "subtype");
  ending_.terminal_reason = get_string(ending, "terminal_reason");
  ending_.stop_reason = get_string(ending, "stop_reason");
  ending_.text = get_string(ending, "text");
  ending_.api_status = get_int(ending, "api_status");
  return {};
}

}  // namespace wave::agent

// Events as lines of JSON, and back.
#include <array>

#include "base/text.h"
#include "flow/event.h"

namespace wave::flow {
namespace {

constexpr int kVersion = 1;
constexpr std::array<std::string_view, 10> kEnvelope{
    "v", "seq", "run_id", "ts", "event", "step", "persona", "attempt", "visit", "actor"};

bool is_envelope_name(std::string_view name) {
  return std::ranges::find(kEnvelope, name) != kEnvelope.end();
}

void append_quoted(std::string& out, std::string_view text) {
  const bool plain = std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; });
  if (plain) {
    out += '"';
    out += text;
    out += '"';
  } else {
    out += json::serialize(json::string(text));
  }
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out += ",\"";
  out += name;
  out += "\":";
  append_quoted(out, text);
}

void append_member(std::string& out, std::string_view name, int number) {
  if (number == 0) return;
  fmt::format_to(std::back_inserter(out), ",\"{}\":{}", name, number);
}

void append_data(std::string& out, const json::object& data) {
  for (const auto& [name, value] : data) {
    if (is_envelope_name(name)) continue;
    out += ',';
    append_quoted(out, name);
    out += ':';
    append_json(out, value);
  }
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::unexpected<Error> malformed(std::string what) {
  return fail(Code::kStore, "not an event: " + std::move(what),
              "The run's log was damaged, or written by something else than wave.");
}

Result<int> small_number(const json::object& object, std::string_view name) {
  const json::value* value = find(object, name);
  if (value == nullptr) return 0;
  const int64_t number = get_int(object, name, -1);
  if (number < 0 || number > INT32_MAX) {
    return malformed(fmt::format("{} is not a small positive number", name));
  }
  return static_cast<int>(number);
}

Result<std::string> text(const json::object& object, std::string_view name) {
  const json::value* value = find(object, name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return malformed(fmt::format("{} is not a string", name));
  return std::string(value->get_string());
}

Status check_version(const json::object& object) {
  const json::value* version = find(object, "v");
  if (version == nullptr || !version->is_number()) return malformed("it has no version v");
  const int64_t number = get_int(object, "v", -1);
  if (number == kVersion) return {};
  return fail(Code::kStoreNewer,
              fmt::format("the event has schema version {}, this wave knows {}", number, kVersion),
              "Use the wave that wrote this run, or a newer one.");
}

bool has_type(const json::value& value, FieldType type) {
  switch (type) {
    case FieldType::kString:
      return value.is_string();
    case FieldType::kInteger:
      return value.is_int64() || value.is_uint64();
    case FieldType::kNumber:
      return value.is_number();
    case FieldType::kBoolean:
      return value.is_bool();
    case FieldType::kObject:
      return value.is_object();
    case FieldType::kArray:
      return value.is_array();
    case FieldType::kTime:
      return value.is_string() && parse_time(value.get_string()).has_value();
  }
  return false;
}

}  // namespace

std::string encode(const Event& event) {
  std::string line;
  line.reserve(256);
  fmt::format_to(std::back_inserter(line), "{{\"v\":{},\"seq\":{},\"run_id\":", kVersion,
                 event.seq);
  append_quoted(line, event.run_id);
  line += ",\"ts\":\"";
  line += format_time(event.ts);
  line += "\",\"event\":\"";
  line += to_string(event.kind);
  line += '"';
  append_member(line, "step", event.step);
  append_member(line, "persona", event.persona);
  append_member(line, "attempt", event.attempt);
  append_member(line, "visit", event.visit);
  append_member(line, "actor", event.actor);
  append_data(line, event.data);
  line += '}';
  return is_ascii(line) ? line : to_valid_utf8(line);
}

Result<Event> decode(std::string_view line) {
  auto parsed = parse_json(line);
  if (!parsed) return malformed(parsed.error().message);
  if (!parsed->is_object()) return malformed("it is not a JSON object");
  json::object& object = parsed->get_object();
  WAVE_CHECK(check_version(object));

  Event event;
  const int64_t seq = get_int(object, "seq", -1);
  if (seq < 0) return malformed("it has no sequence number seq");
  event.seq = static_cast<uint64_t>(seq);
  const auto kind = kind_from_name(get_string(object, "event"));
  if (!kind) {
    return malformed(fmt::format("unknown kind '{}'", excerpt(get_string(object, "event"), 64)));
  }
  event.kind = *kind;
  const auto ts = parse_time(get_string(object, "ts"));
  if (!ts) return malformed("it has no time ts");
  event.ts = *ts;
  WAVE_TRY(event.run_id, text(object, "run_id"));
  WAVE_TRY(event.step, text(object, "step"));
  WAVE_TRY(event.persona, text(object, "persona"));
  WAVE_TRY(event.actor, text(object, "actor"));
  WAVE_TRY(event.attempt, small_number(object, "attempt"));
  WAVE_TRY(event.visit, small_number(object, "visit"));
  event.data.reserve(object.size());
  for (auto& [name, value] : object) {
    if (!is_envelope_name(name)) event.data.emplace(name, std::move(value));
  }
  return event;
}

Status check_fields(const Event& event) {
  const KindInfo& kind = info(event.kind);
  const auto wrong = [&](std::string what) {
    return fail(Code::kInternal, fmt::format("event {}: {}", kind.name, what));
  };
  if (kind.of_step && event.step.empty()) return wrong("it names no step");
  for (const FieldInfo& field : kind.fields) {
    const json::value* value = find(event.data, field.name);
    if (value == nullptr) {
      if (field.required) return wrong(fmt::format("field '{}' is missing", field.name));
    } else if (!has_type(*value, field.type)) {
      return wrong(fmt::format("field '{}' is not of type {}", field.name, to_string(field.type)));
    }
  }
  return {};
}

}  // namespace wave::flow

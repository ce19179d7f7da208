#include "agent/json_lines.h"

#include <cstring>

#include "base/text.h"

namespace wave::agent {
namespace {

constexpr size_t kUnicodeEscape = 6;  // \uXXXX

bool is_escape_complete(std::string_view unit) {
  if (unit.size() < 2) return false;
  return unit[1] == 'u' ? unit.size() == kUnicodeEscape : true;
}

// 0xD8..0xDB: high half of a surrogate pair, 0xDC..0xDF: low half.
enum class Surrogate { kNone, kHigh, kLow };
Surrogate surrogate(std::string_view unit) {
  if (unit.size() != kUnicodeEscape || unit[1] != 'u') return Surrogate::kNone;
  if (unit[2] != 'd' && unit[2] != 'D') return Surrogate::kNone;
  switch (unit[3]) {
    case '8':
    case '9':
    case 'a':
    case 'A':
    case 'b':
    case 'B':
      return Surrogate::kHigh;
    case 'c':
    case 'C':
    case 'd':
    case 'D':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
      return Surrogate::kLow;
    default:
      return Surrogate::kNone;
  }
}

constexpr std::string_view kReplacement = "\\ufffd";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x80 && c != '"' && c != '\\' && c != '\n';
}

size_t sequence_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
}

}  // namespace

void JsonLineReader::feed(std::string_view bytes, const Sink& sink) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\n') {  // never stands inside a JSON string, so it always ends the line
      end_line(position_, sink);
      ++position_;
      line_start_ = position_;
      continue;
    }
    if (in_string_ && unit_.empty() && high_.empty() && is_plain(c)) {
      size_t end = i + 1;
      while (end < bytes.size() && is_plain(bytes[end])) ++end;
      const std::string_view run = bytes.substr(i, end - i);
      const size_t room = kMaxString - std::min(kMaxString, string_kept_);
      keep(run.substr(0, room));
      string_kept_ += std::min(room, run.size());
      position_ += run.size();
      i = end - 1;
      continue;
    }
    take(c);
    ++position_;
  }
}

void JsonLineReader::take(char c) {
  if (in_string_) return take_in_string(c);
  if (c == '"') {
    in_string_ = true;
    string_kept_ = 0;
  }
  keep({&c, 1});
}

void JsonLineReader::take_in_string(char c) {
  if (unit_.empty() && c == '"') {
    flush_high_surrogate();
    in_string_ = false;
    keep("\"");
    return;
  }
  // A new unit begins where a UTF-8 sequence was broken off.
  const bool in_escape = !unit_.empty() && unit_[0] == '\\';
  const bool continuation = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  if (!unit_.empty() && !in_escape && !continuation) {
    end_unit();
    return take_in_string(c);
  }
  unit_ += c;
  if (unit_[0] == '\\' ? is_escape_complete(unit_) : unit_.size() >= sequence_length(unit_[0])) {
    end_unit();
  }
}

// A unit is kept or dropped as a whole, so that what is left is a valid JSON string.
void JsonLineReader::end_unit() {
  const Surrogate kind = surrogate(unit_);
  if (kind == Surrogate::kLow) {
    if (high_.empty()) {
      unit_ = kReplacement;
    } else {
      unit_.insert(0, high_);
      high_.clear();
    }
  } else {
    flush_high_surrogate();
    if (kind == Surrogate::kHigh) {
      high_ = std::move(unit_);
      unit_.clear();
      return;
    }
  }
  if (string_kept_ + unit_.size() <= kMaxString) {
    keep(unit_);
    string_kept_ += unit_.size();
  } else {
    string_kept_ = kMaxString;  // nothing shorter slips in behind the cut
  }
  unit_.clear();
}

void JsonLineReader::flush_high_surrogate() {
  if (high_.empty()) return;
  high_.clear();
  if (string_kept_ + kReplacement.size() > kMaxString) return;
  keep(kReplacement);
  string_kept_ += kReplacement.size();
}

void JsonLineReader::keep(std::string_view bytes) {
  if (line_.size() + bytes.size() > kMaxLine) {
    oversized_ = true;
    return;
  }
  if (!oversized_) line_ += bytes;
}

void JsonLineReader::end_line(uint64_t end_offset, const Sink& sink) {
  if (!unit_.empty()) keep(unit_);  // a line that ends inside a string: not JSON, shown as it is
  std::string_view text = line_;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (!trim(text).empty() || oversized_) {
    sink({text, line_start_, end_offset - line_start_, oversized_});
  }
  line_.clear();
  if (line_.capacity() > kMaxString) line_.shrink_to_fit();
  unit_.clear();
  high_.clear();
  string_kept_ = 0;
  in_string_ = false;
  oversized_ = false;
}

void JsonLineReader::finish(const Sink& sink) {
  if (position_ > line_start_) end_line(position_, sink);
  line_start_ = position_;
}

json::object JsonLineReader::save() const {
  json::object state;
  // The partial line is base64-free but may end anywhere: bytes above ASCII are kept as code
  // points.
  const auto as_text = [](std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) {
        text += c;
      } else {
        text += static_cast<char>(0xC0 | (byte >> 6));
        text += static_cast<char>(0x80 | (byte & 0x3F));
      }
    }
    return text;
  };
  state["line"] = as_text(line_);
  state["unit"] = as_text(unit_);
  state["high"] = as_text(high_);
  state["position"] = position_;
  state["line_start"] = line_start_;
  state["string_kept"] = string_kept_;
  state["in_string"] = in_string_;
  state["oversized"] = oversized_;
  return state;
}

void JsonLineReader::restore(const json::object& state) {
  const auto as_bytes = [](std::string_view text) {
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < 0x80 || i + 1 >= text.size()) {
        bytes += text[i];
      } else {
        ++i;
        bytes +=
            static_cast<char>(((byte & 0x03) << 6) | (static_cast<unsigned char>(text[i]) & 0x3F));
      }
    }
    return bytes;
  };
  line_ = as_bytes(get_string(state, "line"));
  unit_ = as_bytes(get_string(state, "unit"));
  high_ = as_bytes(get_string(state, "high"));
  position_ = static_cast<uint64_t>(get_int(state, "position"));
  line_start_ = static_cast<uint64_t>(get_int(state, "line_start"));
  string_kept_ = static_cast<size_t>(get_int(state, "string_kept"));
  in_string_ = get_bool(state, "in_string");
  oversized_ = get_bool(state, "oversized");
}

Result<json::object> parse_json_line(std::string_view text) {
  auto value = parse_json(text);
  if (!value) value = parse_json(to_valid_utf8(text));
  if (!value) return fail(std::move(value).error());
  if (!value->is_object()) return fail(Code::kAgentFailed, "the line is not a JSON object");
  return std::move(value->as_object());
}

}  // namespace wave::agent

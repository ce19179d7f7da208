#include "cli/remote/sse_parser.h"

namespace wave::cli::remote {

bool SseParser::feed(std::string_view piece, const Take& take) {
  for (const char c : piece) {
    const bool belongs_to_return = c == '\n' && after_return_;
    after_return_ = c == '\r';
    if (belongs_to_return) continue;
    if (c == '\n' || c == '\r') {
      std::string_view line = line_;
      constexpr std::string_view kMark = "\xEF\xBB\xBF";
      if (!begun_ && line.starts_with(kMark)) line.remove_prefix(kMark.size());
      begun_ = true;
      read_line(line, take);
      line_.clear();
      continue;
    }
    line_ += c;
    if (line_.size() + event_.data.size() > kMostBytes) return false;
  }
  return true;
}

void SseParser::read_line(std::string_view line, const Take& take) {
  if (line.empty()) {
    if (has_data_) take(event_);
    event_.event.clear();
    event_.data.clear();
    has_data_ = false;
    return;
  }
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  } else if (name == "event") {
    event_.event = value;
  } else if (name == "id" && !value.contains('\0')) {
    event_.id = value;
  }
}

}  // namespace wave::cli::remote

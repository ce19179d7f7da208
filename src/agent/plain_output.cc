#include "agent/plain_output.h"

#include "agent/exit_failure.h"
#include "base/text.h"

namespace wave::agent {

void PlainOutput::feed(std::string_view bytes, std::vector<Activity>& activity) {
  const size_t newline = bytes.rfind('\n');
  const size_t complete = newline == std::string_view::npos ? 0 : newline + 1;
  const auto keep = [this](std::string_view part) {
    excerpt_ += part.substr(0, kMaxExcerpt - std::min(kMaxExcerpt, excerpt_.size()));
  };
  if (complete > 0) {
    keep(bytes.substr(0, complete));
    position_ += complete;
    emit(position_ - start_, activity);
  }
  keep(bytes.substr(complete));
  position_ += bytes.size() - complete;
}

void PlainOutput::finish(std::vector<Activity>& activity) {
  if (position_ > start_) emit(position_ - start_, activity);
}

void PlainOutput::emit(uint64_t length, std::vector<Activity>& activity) {
  std::string content = to_valid_utf8(trim(excerpt_));
  if (length > excerpt_.size()) content += "…";
  if (!content.empty()) {
    Activity output;
    output.kind = "output";
    output.content = std::move(content);
    output.stream = stream_;
    output.offset = start_;
    output.length = length;
    output.progress = is_progress_;
    activity.push_back(std::move(output));
  }
  excerpt_.clear();
  start_ = position_;
}

json::object PlainOutput::save() const {
  return {{"excerpt", hex_encode(excerpt_)}, {"position", position_}, {"start", start_}};
}

void PlainOutput::restore(const json::object& state) {
  excerpt_ = hex_decode(get_string(state, "excerpt"));
  position_ = static_cast<uint64_t>(get_int(state, "position"));
  start_ = static_cast<uint64_t>(get_int(state, "start"));
}

}  // namespace wave::agent

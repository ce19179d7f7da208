#include "workspace/names.h"

#include "base/text.h"

namespace wave::workspace {
namespace {

constexpr size_t kMaxComponent = 200;  // file systems allow 255; suffixes need some

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

std::string safe_component(std::string_view text) {
  std::string safe(utf8_prefix(text, kMaxComponent));
  for (char& c : safe) {
    if (c == '/' || static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = '_';
  }
  if (safe == "." || safe == "..") std::ranges::fill(safe, '_');
  return safe.empty() ? "artifact" : safe;
}

std::string dependency_variable(std::string_view step, std::string_view name) {
  std::string variable = "WAVE_DEP_" + to_upper(step) + "_" + to_upper(name);
  std::ranges::replace_if(variable, [](char c) { return !is_letter_or_digit(c); }, '_');
  return variable;
}

std::string archive_name(std::string_view name, std::string_view type) {
  std::string file = safe_component(name);
  if (type == "json" && !file.ends_with(".json")) file += ".json";
  return file;
}

}  // namespace wave::workspace

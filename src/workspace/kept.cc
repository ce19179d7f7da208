#include "workspace/kept.h"

#include <fmt/core.h>

#include <charconv>
#include <vector>

#include "base/text.h"

namespace wave::workspace {
namespace {

constexpr size_t kMostKeptBytes = size_t{16} << 20;
constexpr unsigned kMaxMode = 0777;

/// Appends records while there is room.
class Records {
 public:
  void add(std::string_view kind, std::string_view payload) {
    const size_t needed = kind.size() + payload.size() + 2;
    if (text_.size() + needed > kMostKeptBytes) {
      cut_ = true;
      return;
    }
    text_.append(kind).append(" ").append(payload).push_back('\0');
  }
  std::string finish(bool cut) {
    if (cut || cut_) text_.append("cut ").push_back('\0');
    return std::move(text_);
  }

 private:
  std::string text_;
  bool cut_ = false;
};

bool parse_mode(std::string_view text, unsigned& mode) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  return error == std::errc() && end == text.data() + text.size() && mode <= kMaxMode;
}

void read_record(std::string_view record, Kept& kept) {
  const size_t space = record.find(' ');
  if (space == std::string_view::npos) return;
  const std::string_view kind = record.substr(0, space);
  const std::string payload(record.substr(space + 1));
  if (kind == "left") kept.left_out.insert(payload);
  if (kind == "empty") kept.empty_folders.insert(payload);
  if (kind == "converted") kept.converted.insert(payload);
  if (kind == "cut") kept.cut = true;
  if (kind != "mode" && kind != "exact") return;
  const size_t second = payload.find(' ');
  if (second == std::string::npos) return;
  const std::string path = payload.substr(second + 1);
  if (kind == "exact") kept.exact[path] = payload.substr(0, second);
  unsigned mode = 0;
  if (kind == "mode" && parse_mode(payload.substr(0, second), mode)) kept.modes[path] = mode;
}

}  // namespace

// What must not be lost comes first: a name that is left out protects what bears it.
std::string encode(const Kept& kept) {
  Records records;
  for (const std::string& path : kept.left_out) records.add("left", path);
  for (const auto& [path, id] : kept.exact) records.add("exact", id + " " + path);
  for (const std::string& path : kept.converted) records.add("converted", path);
  for (const std::string& path : kept.empty_folders) records.add("empty", path);
  for (const auto& [path, mode] : kept.modes) {
    records.add("mode", fmt::format("{:o} {}", mode, path));
  }
  return records.finish(kept.cut);
}

Kept decode_kept(std::string_view text) {
  Kept kept;
  for (const std::string& record : split(text, '\0')) read_record(record, kept);
  return kept;
}

std::string encode(const UsualModes& usual) {
  return fmt::format("{:o} {:o} {:o}", usual.file, usual.program, usual.folder);
}

bool decode(std::string_view text, UsualModes& usual) {
  const std::vector<std::string> words = split(text, ' ');
  return words.size() == 3 && parse_mode(words[0], usual.file) &&
         parse_mode(words[1], usual.program) && parse_mode(words[2], usual.folder);
}

bool holds(const std::set<std::string>& paths, std::string_view path) {
  while (!path.empty()) {
    if (paths.contains(std::string(path))) return true;
    const size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return false;
    path = path.substr(0, slash);
  }
  return false;
}

}  // namespace wave::workspace

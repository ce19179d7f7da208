#include "workspace/notes.h"

#include <fmt/core.h>

#include "base/text.h"

namespace wave::workspace {
namespace {

constexpr std::string_view kBranch = "Wave-Branch: ";
constexpr std::string_view kStaged = "Wave-Staged: ";
constexpr std::string_view kState = "Wave-State: ";
constexpr std::string_view kKept = "Wave-Kept: ";
constexpr std::string_view kModes = "Wave-Modes: ";

}  // namespace

std::string with_notes(const std::string& message, const Notes& notes) {
  std::string text = message + "\n\n";
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) text.append(key).append(value).push_back('\n');
  };
  add(kBranch, notes.branch);
  add(kStaged, notes.staged);
  add(kState, notes.state);
  add(kKept, notes.kept);
  add(kModes, encode(notes.usual));
  return text;
}

Notes read_notes(std::string_view message) {
  Notes notes;
  for (const std::string& line : split(message, '\n')) {
    const auto take = [&](std::string_view key, std::string& value) {
      if (line.starts_with(key)) value = line.substr(key.size());
    };
    take(kBranch, notes.branch);
    take(kStaged, notes.staged);
    take(kState, notes.state);
    take(kKept, notes.kept);
    if (line.starts_with(kModes)) notes.complete = decode(line.substr(kModes.size()), notes.usual);
  }
  return notes;
}

}  // namespace wave::workspace

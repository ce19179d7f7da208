#include "scenario.h"

#include <fmt/core.h>

#include <fstream>
#include <stdexcept>

namespace wave::test {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, any = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any || !word.empty()) words.push_back(std::exchange(word, {}));
      any = false;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) words.push_back(word);
  return words;
}

Scenario read_scenario(const std::filesystem::path& path) {
  Scenario scenario{.name = path.stem()};
  std::ifstream in(path);
  std::string* text = nullptr;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.starts_with("-- file ")) {
      text = &scenario.files[line.substr(8)];
    } else if (line == "-- manifest") {
      text = &scenario.manifest;
    } else if (line.starts_with("-- wave ")) {
      text = nullptr;
      scenario.steps.push_back(
          {.arguments = words_of(line.substr(8)), .expectations = {}, .line = number});
    } else if (text != nullptr) {
      *text += line + "\n";
    } else if (!line.empty() && !line.starts_with("#")) {
      if (scenario.steps.empty()) {
        throw std::runtime_error(
            fmt::format("{}:{}: no `-- wave` before this line", path.native(), number));
      }
      const size_t blank = line.find(' ');
      const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
      scenario.steps.back().expectations.push_back(
          {.verb = line.substr(0, blank), .words = words_of(rest), .rest = rest, .line = number});
    }
  }
  return scenario;
}

}  // namespace wave::test

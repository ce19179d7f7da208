// Scenario files, read.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace wave::test {

struct Expectation {
  std::string verb;                // exit, out:, event ...
  std::vector<std::string> words;  // what follows
  std::string rest;                // ... unsplit
  int line = 0;
};

struct ScenarioStep {
  std::vector<std::string> arguments;  // of wave
  std::vector<Expectation> expectations;
  int line = 0;
};

struct Scenario {
  std::string name;
  std::map<std::string, std::string> files;
  std::string manifest;
  std::vector<ScenarioStep> steps;
};

/// Reads a file; throws std::runtime_error naming the line that is wrong.
Scenario read_scenario(const std::filesystem::path& path);
/// Splits at blanks; double quotes hold words together.
std::vector<std::string> words_of(const std::string& text);

}  // namespace wave::test

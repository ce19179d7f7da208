// A project in a temporary folder: a git repository with a manifest whose agents are scripted.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "support/program.h"

namespace wave::test {

class Project {
 public:
  /// A repository with one commit, a manifest with adapter `scripted` and personas `worker` and
  /// `reviewer`.
  Project();
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;
  ~Project();

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  /// Writes a file below the root, folders included.
  void write(const std::string& path, std::string_view text) const;
  [[nodiscard]] std::string read(const std::string& path) const;
  /// `.agents/pipelines/<name>.yaml`; `steps` is what stands below "steps:", indented by two.
  void pipeline(const std::string& name, std::string_view steps) const;
  /// `.agents/scripts/<step>.yaml`: what the scripted agent of a step does.
  void script(const std::string& step, std::string_view yaml) const;
  /// Adds to the manifest's end, which is at the top level.
  void manifest_append(std::string_view yaml) const;

  /// The environment wave runs in: a home of its own, no credentials.
  [[nodiscard]] std::map<std::string, std::string> environment() const;
  [[nodiscard]] Exit git(std::vector<std::string> arguments) const;

 private:
  std::filesystem::path folder_, root_;
};

}  // namespace wave::test

// A small project in memory for the room's tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "model/project.h"

namespace wave::model {

inline constexpr const char* kTestManifest = R"(apiVersion: v1
kind: WaveManifest
metadata:
  name: demo
project:
  language: cpp
  test_command: ctest --output
  services:
    api: {path: api, test_command: make api}
adapters:
  claude: {binary: claude, mode: headless}
  scripted: {mode: headless}
personas:
  coder: {adapter: scripted, system_prompt_file: .agents/personas/coder.md}
  reviewer: {adapter: scripted, system_prompt_file: .agents/personas/reviewer.md}
  github-commenter: {adapter: claude, system_prompt_file: .agents/personas/coder.md}
)";

/// The files of a project with the manifest above; `more` adds to them or replaces them.
inline std::map<std::string, std::string> project_files(
    const std::map<std::string, std::string>& more = {}) {
  std::map<std::string, std::string> files = {
      {"wave.yaml", kTestManifest},
      {".agents/personas/coder.md", "You write code for run {{ run.id }}."},
      {".agents/personas/reviewer.md", "You review."},
      {".agents/contracts/ok.json", R"({"type": "object"})"},
      {".agents/contracts/bad.json", "{\n  \"type\": \n}"},
      {".agents/contracts/criteria.md", "Be strict."},
      {".agents/prompts/task.md", "# Task\n\nDo {{ input }} well.\n"},
  };
  for (const auto& [path, text] : more) files[path] = text;
  return files;
}

inline std::string with_position(const Diagnostic& d) {
  return std::to_string(d.pos.line) + ":" + std::to_string(d.pos.column) + " " +
         std::string(to_string(d.severity)) + " " + d.key + ": " + d.message;
}

inline std::vector<std::string> texts(const Diagnostics& diagnostics) {
  std::vector<std::string> all;
  for (const Diagnostic& d : diagnostics) all.push_back(with_position(d));
  return all;
}

inline std::string all_text(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics) text += to_text(d) + "\n";
  return text;
}

/// A pipeline "p" with this YAML, loaded with everything around it.
inline Loaded<Project> load_yaml(const std::string& yaml,
                                 std::map<std::string, std::string> more = {}) {
  more[".agents/pipelines/p.yaml"] = yaml;
  const MemorySource files(project_files(more));
  return load_project(files, "p");
}

/// The same with only the steps written.
inline Loaded<Project> load_steps(const std::string& steps,
                                  const std::map<std::string, std::string>& more = {}) {
  return load_yaml("kind: WavePipeline\nmetadata: {name: p}\nsteps:\n" + steps, more);
}

}  // namespace wave::model

#include "support/project.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/file.h"

namespace wave::test {
namespace {

constexpr std::string_view kManifest = R"(apiVersion: v1
kind: WaveManifest
metadata:
  name: test-project
adapters:
  scripted:
    binary: wave
    mode: headless
personas:
  worker:
    adapter: scripted
    system_prompt_file: .agents/personas/worker.md
  reviewer:
    adapter: scripted
    system_prompt_file: .agents/personas/worker.md
runtime:
  workspace_root: .agents/workspaces
)";

}  // namespace

Project::Project() {
  std::string name = (std::filesystem::temp_directory_path() / "wave-project-XXXXXX").native();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = name;
  root_ = folder_ / "project";
  std::filesystem::create_directories(root_);
  std::filesystem::create_directories(folder_ / "home");
  write("wave.yaml", kManifest);
  write(".agents/personas/worker.md", "You do what you are told.\n");
  write("README.md", "A project of a test.\n");
  EXPECT_EQ(git({"init", "-q", "-b", "main"}).code, 0);
  EXPECT_EQ(git({"add", "README.md"}).code, 0);
  EXPECT_EQ(git({"commit", "-q", "-m", "begin"}).code, 0);
}

Project::~Project() {
  for (const pid_t pid : processes_with("HOME=" + (folder_ / "home").native()))
    ::kill(pid, SIGKILL);
  (void)run({"chmod", "-R", "u+w", folder_}, "/", environment());
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Project::write(const std::string& path, std::string_view text) const {
  const auto full = root_ / path;
  std::filesystem::create_directories(full.parent_path());
  std::ofstream(full, std::ios::binary) << text;
}

std::string Project::read(const std::string& path) const {
  return read_file(root_ / path, 64 << 20).value_or("");
}

void Project::pipeline(const std::string& name, std::string_view steps) const {
  write(".agents/pipelines/" + name + ".yaml",
        fmt::format("kind: WavePipeline\nmetadata:\n  name: {}\nsteps:\n{}", name, steps));
}

void Project::script(const std::string& step, std::string_view yaml) const {
  write(".agents/scripts/" + step + ".yaml", yaml);
}

void Project::manifest_append(std::string_view yaml) const {
  write("wave.yaml", read("wave.yaml") + std::string(yaml));
}

std::map<std::string, std::string> Project::environment() const {
  return {{"PATH", std::getenv("PATH")},
          {"HOME", folder_ / "home"},
          {"LANG", "C.UTF-8"},
          {"TERM", "dumb"},
          {"GIT_CONFIG_GLOBAL", "/dev/null"},
          {"GIT_CONFIG_NOSYSTEM", "1"},
          {"GIT_AUTHOR_NAME", "test"},
          {"GIT_AUTHOR_EMAIL", "test@localhost"},
          {"GIT_COMMITTER_NAME", "test"},
          {"GIT_COMMITTER_EMAIL", "test@localhost"}};
}

Exit Project::git(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "git");
  return run(std::move(arguments), root_, environment());
}

}  // namespace wave::test

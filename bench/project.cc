#include "project.h"

#include <cstdlib>
#include <fstream>

#include "measure.h"

namespace wave::bench {

std::map<std::string, std::string> environment(const std::filesystem::path& project) {
  return {{"PATH", std::getenv("PATH")},
          {"HOME", project.parent_path()},
          {"GIT_AUTHOR_NAME", "bench"},
          {"GIT_AUTHOR_EMAIL", "bench@localhost"},
          {"GIT_COMMITTER_NAME", "bench"},
          {"GIT_COMMITTER_EMAIL", "bench@localhost"},
          {"TERM", "dumb"}};
}

std::filesystem::path make_project(const std::filesystem::path& folder) {
  const auto project = folder / "project";
  std::filesystem::create_directories(project / ".agents/pipelines");
  std::ofstream(project / "wave.yaml")
      << "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: bench}\n"
         "runtime:\n  workspace_root: .agents/workspaces\n"
         "  max_concurrency: 8\n";
  std::ofstream(project / "file") << "content\n";
  const auto env = environment(project);
  (void)run({"git", "init", "-q", "-b", "main"}, project, env);
  (void)run({"git", "add", "file"}, project, env);
  (void)run({"git", "commit", "-q", "-m", "begin"}, project, env);
  return project;
}

void write_pipeline(const std::filesystem::path& project, const std::string& name,
                    const std::string& steps) {
  std::ofstream(project / ".agents/pipelines" / (name + ".yaml"))
      << "kind: WavePipeline\nmetadata: {name: " << name << "}\nsteps:\n"
      << steps;
}

}  // namespace wave::bench

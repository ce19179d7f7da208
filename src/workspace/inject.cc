// Artifacts of earlier steps, placed where a step looks for them. Always copies: what one step does
// to its inputs must not reach the step that made them.
#include <fcntl.h>

#include "workspace/beneath.h"
#include "workspace/names.h"
#include "workspace/workspace.h"

namespace wave::workspace {
namespace {

const std::string kArtifacts = ".agents/artifacts/";
const std::string kOutput = ".agents/output/";

/// Places artifacts one by one and remembers which path came from which.
class Injector {
 public:
  Injector(const Prepared& workspace, Beneath folder)
      : root_(workspace.root), folder_(std::move(folder)) {}

  Status add(const Injection& artifact) {
    WAVE_TRY(const std::string path, path_of(artifact));
    auto blob = open_file(artifact.blob, O_RDONLY);
    if (!blob) {
      return fail(blob.error().wrapped(
          fmt::format("the stored artifact {}:{} cannot be read", artifact.step, artifact.name)));
    }
    WAVE_CHECK(place(artifact, path, blob->get()));
    if (!artifact.explicit_injection) {
      WAVE_CHECK(place(artifact, kOutput + safe_component(artifact.file_name), blob->get()));
    }
    result_.placed.push_back({artifact.step, artifact.name, path});
    name_variable(artifact, path);
    return {};
  }

  InjectionResult take() {
    result_.environment["WAVE_DEPS_DIR"] = root_ / ".agents" / "artifacts";
    return std::move(result_);
  }

 private:
  static Result<std::string> path_of(const Injection& artifact) {
    if (!artifact.explicit_injection) {
      return kArtifacts + safe_component(artifact.step) + "/" + safe_component(artifact.file_name);
    }
    const std::string& as = artifact.as.empty() ? artifact.name : artifact.as;
    const fs::path wanted(as);
    const bool climbs =
        std::ranges::any_of(wanted, [](const fs::path& part) { return part == ".."; });
    if (wanted.is_absolute() || climbs) {
      return fail(Code::kPathEscape, fmt::format("\"{}\" leads out of {}", as, kArtifacts),
                  "use a plain name in inject_artifacts.as");
    }
    std::string path = kArtifacts;
    for (const fs::path& part : wanted.lexically_normal()) {
      if (part.empty() || part == ".") continue;
      if (!path.ends_with('/')) path += '/';
      path += safe_component(part.native());
    }
    return path.ends_with('/') ? path + "artifact" : path;
  }

  Status place(const Injection& artifact, const std::string& path, int blob) {
    if (auto placed = folder_.place(path, blob); !placed) {
      return fail(placed.error().wrapped(
          fmt::format("cannot inject the artifact {}:{}", artifact.step, artifact.name)));
    }
    const std::string source = artifact.step + ":" + artifact.name;
    const auto [at, first] = placed_.try_emplace(path, Source{source, artifact.blob});
    if (!first && at->second.blob != artifact.blob) {
      warn(fmt::format("{} and {} both go to {}; the last one stays", at->second.name, source,
                       path));
    }
    at->second = {source, artifact.blob};
    return {};
  }

  void name_variable(const Injection& artifact, const std::string& path) {
    const std::string variable = dependency_variable(artifact.step, artifact.name);
    const std::string source = artifact.step + ":" + artifact.name;
    const auto [at, first] = named_.try_emplace(variable, source);
    // The same artifact injected twice, as a dependency and by name: the dependency's path stays.
    if (!first && at->second == source) return;
    if (!first) {
      warn(fmt::format("{} and {} share the variable {}; it names the last one", at->second, source,
                       variable));
    }
    at->second = source;
    result_.environment[variable] = root_ / path;
  }

  void warn(std::string text) { result_.warnings.push_back(std::move(text)); }

  struct Source {
    std::string name;
    fs::path blob;
  };
  fs::path root_;
  Beneath folder_;
  std::map<std::string, Source> placed_;
  std::map<std::string, std::string> named_;  // variable -> step:name
  InjectionResult result_;
};

}  // namespace

Result<InjectionResult> inject(const Prepared& workspace, const std::vector<Injection>& artifacts) {
  WAVE_TRY(Beneath folder, Beneath::open(workspace.root));
  WAVE_CHECK(folder.make_directories(kArtifacts));
  Injector injector(workspace, std::move(folder));
  for (const Injection& artifact : artifacts) WAVE_CHECK(injector.add(artifact));
  return injector.take();
}

}  // namespace wave::workspace

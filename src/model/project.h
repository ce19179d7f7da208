// Loading a project: the doors of this room.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/diagnostic.h"
#include "model/file_source.h"
#include "model/manifest.h"
#include "model/pipeline.h"

namespace wave::model {

struct LoadOptions {
  std::string manifest_path = "wave.yaml";
};

/// A manifest and one pipeline, checked together: everything a run needs, children included.
struct Project {
  Manifest manifest;
  Pipeline pipeline;
  std::map<std::string, Pipeline> children;  // sub-pipelines that are reachable, by name
};

/// A loaded value and everything there is to say about it. `value` is usable when there is no
/// error.
template <typename T>
struct Loaded {
  T value;
  Diagnostics diagnostics;

  [[nodiscard]] bool ok() const { return !has_errors(diagnostics); }
};

/// The manifest with its personas (in it, and as files), their prompts and the base protocol.
Loaded<Manifest> load_manifest(const FileSource& files, const LoadOptions& options = {});

/// One pipeline by name (".agents/pipelines/<name>.yaml") or by path, with what it refers to:
/// prompts, schemas, criteria, sub-pipelines. Checked against `manifest`.
Loaded<Project> load_project(const FileSource& files, std::string_view pipeline,
                             const LoadOptions& options = {});

/// A pipeline from YAML text, as if it lay at `path`.
Loaded<Pipeline> parse_pipeline(std::string_view yaml, std::string_view path,
                                const Manifest& manifest, const FileSource& files);

/// Names of the pipelines of the project, sorted.
std::vector<std::string> pipeline_names(const FileSource& files);

/// Everything wrong with the project: manifest, all pipelines, personas, prompts and schemas.
Diagnostics validate_project(const FileSource& files, const LoadOptions& options = {});

/// The value of a manifest expression (project.test_command ...): the empty string if not set.
std::string project_value(const Manifest& manifest, const Expression& expression);

}  // namespace wave::model

// Reading wave.yaml and the personas' files, for whoever loads a pipeline with them.
#pragma once

#include <map>
#include <string>

#include "model/file_source.h"
#include "model/project.h"

namespace wave::model {

struct ReadManifest {
  Manifest manifest;
  Diagnostics diagnostics;
  /// What is wrong with a persona or adapter only for those who use it, by name.
  std::map<std::string, Diagnostics> persona_problems;
  std::map<std::string, Diagnostics> adapter_problems;
};

ReadManifest read_manifest(const FileSource& files, const LoadOptions& options);

/// What a template may name whatever the pipeline: the project's keys.
TemplateScope project_scope(const Manifest& manifest);

/// Whether this version has the adapter.
bool is_carried_out_adapter(std::string_view adapter);
/// Whether an adapter of that name is known without a definition in the manifest.
bool is_known_adapter(std::string_view adapter);

/// The value of forge.<name> as far as the manifest says it ("type" and "cli_tool"); nothing when
/// it depends on the git remotes.
std::optional<std::string> known_forge_value(const Manifest& manifest, std::string_view name);

}  // namespace wave::model

// Reading one pipeline file: its YAML, what its keys mean together, the files it names.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/file_source.h"
#include "model/pipeline.h"
#include "model/yaml.h"

namespace wave::model {

/// A sub-pipeline that is named.
struct ChildReference {
  std::string name;
  std::string key;      // where, such as "steps[2].pipeline"
  bool certain = true;  // false: a value that only a run knows may name it too
};

/// A pipeline file and what there is to say about it.
struct ReadPipeline {
  Pipeline pipeline;
  yaml::Document document;
  Diagnostics diagnostics;
  std::set<std::string> personas;  // used, by name
  std::set<std::string> adapters;  // used, by name
  std::vector<ChildReference> children;
};

/// Reads and checks everything but the references to other pipelines.
ReadPipeline read_pipeline(std::string text, std::string path, const Manifest& manifest,
                           const FileSource& files);

/// Adds what is wrong with the steps and their references to `read` (pipeline_check.cc).
void check_pipeline(ReadPipeline& read, const Manifest& manifest);

}  // namespace wave::model

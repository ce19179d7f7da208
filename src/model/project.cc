#include "model/project.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/text.h"
#include "model/manifest_reader.h"
#include "model/pipeline_reader.h"

namespace wave::model {
namespace {

constexpr std::string_view kPipelineFolder = ".agents/pipelines";

std::string pipeline_path(std::string_view name) {
  return fmt::format("{}/{}.yaml", kPipelineFolder, name);
}

void append(Diagnostics& to, Diagnostics from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// By place: the order in which people read.
void sort_by_place(Diagnostics& diagnostics) {
  std::ranges::sort(diagnostics, [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.pos.file, a.pos.line, a.pos.column, a.severity, a.key, a.message) <
           std::tie(b.pos.file, b.pos.line, b.pos.column, b.severity, b.key, b.message);
  });
}

void append_use(Diagnostics& to, const std::map<std::string, Diagnostics>& problems,
                const std::set<std::string>& used) {
  for (const std::string& name : used) {
    const auto found = problems.find(name);
    if (found != problems.end()) append(to, found->second);
  }
}

// The personas that stand in the manifest itself. One that is only a file may be an unused
// leftover: it matters to who names it.
std::set<std::string> written_personas(const Manifest& manifest) {
  std::set<std::string> names;
  for (const auto& [name, persona] : manifest.personas) {
    if (persona.pos.file == manifest.path) names.insert(name);
  }
  return names;
}

// The pipelines of a project that were read so far, each once.
class Library {
 public:
  Library(const FileSource& files, const Manifest& manifest)
      : files_(files), manifest_(manifest), names_(pipeline_names(files)) {}

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  /// The pipeline of that name; null (with a reason in `why`) when its file cannot be read.
  ReadPipeline* read(const std::string& name, Error* why = nullptr) {
    const auto known = read_.find(name);
    if (known != read_.end()) return &known->second;
    Result<std::string> text = files_.read(pipeline_path(name));
    if (!text) {
      if (why != nullptr) *why = text.error();
      return nullptr;
    }
    return &read_
                .emplace(name,
                         read_pipeline(*std::move(text), pipeline_path(name), manifest_, files_))
                .first->second;
  }

  void add(const std::string& name, ReadPipeline pipeline) {
    read_.emplace(name, std::move(pipeline));
  }

  /// Reports sub-pipelines of `pipeline` that do not exist.
  void check_children(ReadPipeline& pipeline) const {
    for (const ChildReference& child : pipeline.children) {
      if (std::ranges::binary_search(names_, child.name)) continue;
      const auto meant = did_you_mean(child.name, names_);
      pipeline.diagnostics.push_back(
          {child.certain ? Severity::kError : Severity::kWarning, Code::kInvalidPipeline,
           pipeline.document.locate(child.key), child.key,
           fmt::format("there is no pipeline \"{}\"", excerpt(child.name, 80)),
           meant ? fmt::format("did you mean \"{}\"?", *meant) : ""});
    }
  }

  /// Reports circles of pipelines that call each other, among those that were read.
  void check_cycles() {
    std::set<std::string> done;
    for (auto& [name, pipeline] : read_) {
      std::vector<std::string> path;
      visit(name, path, done);
    }
  }

  std::map<std::string, ReadPipeline>& all() { return read_; }

 private:
  // Recursion is bounded by the number of pipelines: each name is on the path once.
  void visit(const std::string& name, std::vector<std::string>& path, std::set<std::string>& done) {
    const auto found = read_.find(name);
    if (found == read_.end() || done.contains(name)) return;
    path.push_back(name);
    for (const ChildReference& child : found->second.children) {
      const auto start = std::ranges::find(path, child.name);
      if (start == path.end()) {
        visit(child.name, path, done);
        continue;
      }
      const std::vector<std::string> circle(start, path.end());
      ReadPipeline& pipeline = found->second;
      pipeline.diagnostics.push_back(
          {Severity::kError, Code::kInvalidPipeline, pipeline.document.locate(child.key), child.key,
           fmt::format("the pipelines call each other in a circle: {} -> {}", join(circle, " -> "),
                       child.name),
           "remove one of the calls"});
    }
    path.pop_back();
    done.insert(name);
  }

  const FileSource& files_;
  const Manifest& manifest_;
  std::vector<std::string> names_;
  std::map<std::string, ReadPipeline> read_;
};

// Where a pipeline lies that was asked for by name or path, and its text.
struct Found {
  std::string path;
  std::string text;
};

Result<Found> find_pipeline(const FileSource& files, std::string_view wanted) {
  std::vector<std::string> places = {
      pipeline_path(wanted), fmt::format("{}/{}", kPipelineFolder, wanted), std::string(wanted)};
  if (wanted.contains('/') || wanted.ends_with(".yaml") || wanted.ends_with(".yml")) {
    std::ranges::reverse(places);
  }
  for (std::string& place : places) {
    Result<std::string> text = files.read(place);
    if (text) return Found{std::move(place), *std::move(text)};
    if (text.error().code != Code::kNotFound) return std::unexpected(std::move(text).error());
  }
  const std::vector<std::string> names = pipeline_names(files);
  const auto meant = did_you_mean(wanted, names);
  return fail(Code::kNotFound, fmt::format("there is no pipeline \"{}\"", excerpt(wanted, 120)),
              meant           ? fmt::format("did you mean \"{}\"?", *meant)
              : names.empty() ? "there are none; `wave init` writes some"
                              : fmt::format("there are {}", join(names, ", ")));
}

// The name under which others call the pipeline at `path`; the path itself if it lies elsewhere.
std::string name_of(std::string_view path) {
  const std::string prefix = std::string(kPipelineFolder) + "/";
  if (path.starts_with(prefix) && path.ends_with(".yaml")) {
    path.remove_prefix(prefix.size());
    path.remove_suffix(5);
  }
  return std::string(path);
}

}  // namespace

Loaded<Manifest> load_manifest(const FileSource& files, const LoadOptions& options) {
  ReadManifest read = read_manifest(files, options);
  append_use(read.diagnostics, read.persona_problems, written_personas(read.manifest));
  for (auto& [name, problems] : read.adapter_problems)
    append(read.diagnostics, std::move(problems));
  sort_by_place(read.diagnostics);
  return {std::move(read.manifest), std::move(read.diagnostics)};
}

Loaded<Project> load_project(const FileSource& files, std::string_view pipeline,
                             const LoadOptions& options) {
  Loaded<Project> loaded;
  ReadManifest manifest = read_manifest(files, options);
  loaded.diagnostics = std::move(manifest.diagnostics);
  Result<Found> found = find_pipeline(files, pipeline);
  if (!found) {
    loaded.diagnostics.push_back(
        {Severity::kError, found.error().code, {}, "", found.error().message, found.error().hint});
    loaded.value.manifest = std::move(manifest.manifest);
    return loaded;
  }
  Library library(files, manifest.manifest);
  const std::string root = name_of(found->path);
  library.add(root, read_pipeline(std::move(found->text), found->path, manifest.manifest, files));
  std::vector<std::string> open{root};
  std::set<std::string> personas;
  std::set<std::string> adapters;
  while (!open.empty()) {
    ReadPipeline* read = library.read(open.back());
    open.pop_back();
    library.check_children(*read);
    personas.insert(read->personas.begin(), read->personas.end());
    adapters.insert(read->adapters.begin(), read->adapters.end());
    for (const ChildReference& child : read->children) {
      if (library.all().contains(child.name) || !is_safe_name(child.name)) continue;
      if (library.read(child.name) != nullptr) open.push_back(child.name);
    }
  }
  library.check_cycles();
  append_use(loaded.diagnostics, manifest.persona_problems, personas);
  append_use(loaded.diagnostics, manifest.adapter_problems, adapters);
  for (auto& [name, read] : library.all()) {
    append(loaded.diagnostics, std::move(read.diagnostics));
    if (name == root) {
      loaded.value.pipeline = std::move(read.pipeline);
    } else {
      loaded.value.children.emplace(name, std::move(read.pipeline));
    }
  }
  loaded.value.manifest = std::move(manifest.manifest);
  sort_by_place(loaded.diagnostics);
  return loaded;
}

Loaded<Pipeline> parse_pipeline(std::string_view yaml, std::string_view path,
                                const Manifest& manifest, const FileSource& files) {
  ReadPipeline read = read_pipeline(std::string(yaml), std::string(path), manifest, files);
  Library(files, manifest).check_children(read);
  sort_by_place(read.diagnostics);
  return {std::move(read.pipeline), std::move(read.diagnostics)};
}

std::vector<std::string> pipeline_names(const FileSource& files) {
  std::vector<std::string> names;
  for (const std::string& file : files.list(kPipelineFolder)) {
    if (file.ends_with(".yaml") && file.size() > 5)
      names.push_back(file.substr(0, file.size() - 5));
  }
  std::ranges::sort(names);
  return names;
}

Diagnostics validate_project(const FileSource& files, const LoadOptions& options) {
  ReadManifest manifest = read_manifest(files, options);
  Diagnostics diagnostics = std::move(manifest.diagnostics);
  for (auto& [name, problems] : manifest.adapter_problems) append(diagnostics, std::move(problems));
  std::set<std::string> personas = written_personas(manifest.manifest);
  Library library(files, manifest.manifest);
  for (const std::string& name : library.names()) {
    Error why;
    ReadPipeline* read = library.read(name, &why);
    if (read == nullptr) {
      diagnostics.push_back({Severity::kError,
                             Code::kInvalidPipeline,
                             {pipeline_path(name), 0, 0},
                             "",
                             why.message,
                             why.hint});
      continue;
    }
    library.check_children(*read);
  }
  library.check_cycles();
  for (auto& [name, read] : library.all()) {
    personas.insert(read.personas.begin(), read.personas.end());
    append(diagnostics, std::move(read.diagnostics));
  }
  append_use(diagnostics, manifest.persona_problems, personas);
  sort_by_place(diagnostics);
  return diagnostics;
}

}  // namespace wave::model

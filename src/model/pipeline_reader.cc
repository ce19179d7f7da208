#include "model/pipeline_reader.h"

#include <array>

#include "base/text.h"
#include "model/manifest_reader.h"
#include "model/pipeline_tables.h"
#include "model/project.h"
#include "model/template_parse.h"

namespace wave::model {
namespace {

std::string text_of(const yaml::Node* node) {
  return node != nullptr && node->is_scalar() ? node->text : std::string();
}

// Where schemas may lie (wave-model.md 3.20).
bool is_schema_folder(std::string_view path) {
  static constexpr std::array<std::string_view, 4> kFolders = {
      ".agents/contracts/", ".agents/schemas/", "contracts/", "schemas/"};
  if (path.starts_with("./")) path.remove_prefix(2);
  return std::ranges::any_of(kFolders, [&](auto folder) { return path.starts_with(folder); });
}

// Collects the names templates may use, before the first template is read.
class ScopeScan {
 public:
  explicit ScopeScan(TemplateScope& scope) : scope_(scope) {}

  void steps(const yaml::Node* list) {
    if (list == nullptr) return;
    for (const yaml::Node& step : list->items) {
      if (step.is_mapping()) this->step(step);
    }
  }

 private:
  void step(const yaml::Node& step) {
    const std::string id = text_of(step.find("id"));
    if (id.empty()) return;
    scope_.steps.insert(id);
    if (const yaml::Node* outputs = step.find("output_artifacts")) {
      for (const yaml::Node& output : outputs->items) add(id, text_of(output.find("name")));
    }
    if (const yaml::Node* memory = step.find("memory")) injected(*memory);
    for (const char* key : {"pipeline", "iterate", "branch", "loop", "strategy", "concurrency"}) {
      if (step.find(key) != nullptr) scope_.open_steps.insert(id);
    }
    if (step.find("iterate") != nullptr) add(id, "collected-output");
    if (const yaml::Node* aggregate = step.find("aggregate")) {
      const std::string into = text_of(aggregate->find("into"));
      const size_t slash = into.rfind('/');
      const std::string file = slash == std::string::npos ? into : into.substr(slash + 1);
      add(id, file.substr(0, file.rfind('.')));
    }
    if (const yaml::Node* loop = step.find("loop")) steps(loop->find("steps"));
  }

  void injected(const yaml::Node& memory) {
    const yaml::Node* list = memory.find("inject_artifacts");
    if (list == nullptr) return;
    for (const yaml::Node& item : list->items) {
      for (const char* key : {"as", "artifact"}) {
        if (std::string name = text_of(item.find(key)); !name.empty()) {
          scope_.artifacts.insert(std::move(name));
        }
      }
    }
  }

  void add(const std::string& step, const std::string& name) {
    if (name.empty()) return;
    scope_.artifacts.insert(name);
    scope_.artifacts.insert(step + "." + name);
  }

  TemplateScope& scope_;
};

// Completes a bound pipeline: files, kinds, placeholders in lists.
class Completer {
 public:
  Completer(ReadPipeline& read, const Manifest& manifest, const FileSource& files,
            TemplateScope scope)
      : read_(read), manifest_(manifest), files_(files), scope_(std::move(scope)) {}

  void complete() {
    Pipeline& pipeline = read_.pipeline;
    if (pipeline.name.empty()) pipeline.name = file_stem(pipeline.path);
    for (const size_t i : resolve_list(pipeline.required_tools, "requires.tools")) {
      const std::string key = fmt::format("requires.tools[{}]", i);
      pipeline.required_tool_places.push_back({read_.document.locate(key), key});
    }
    skills(pipeline.skills, "skills");
    steps(pipeline.steps, "steps");
  }

 private:
  static std::string file_stem(std::string_view path) {
    const std::string_view file = path.substr(path.rfind('/') + 1);
    return std::string(file.substr(0, file.rfind('.')));
  }

  void report(Severity severity, const std::string& key, std::string message,
              std::string hint = {}) {
    read_.diagnostics.push_back({severity, Code::kInvalidPipeline, read_.document.locate(key), key,
                                 std::move(message), std::move(hint)});
  }

  void steps(std::vector<Step>& list, const std::string& path) {
    for (size_t i = 0; i < list.size(); ++i) step(list[i], fmt::format("{}[{}]", path, i));
  }

  void step(Step& step, const std::string& path) {
    decide_kind(step, path);
    skills(step.skills, path + ".skills");
    if (!step.exec.source_path.empty()) {
      const bool items = step.iterate || !step.strategy.empty() || step.loop;
      prompt_file(step.exec, path + ".exec.source_path", items);
    }
    for (size_t i = 0; i < step.inject_artifacts.size(); ++i) {
      InjectArtifact& inject = step.inject_artifacts[i];
      if (inject.as.empty()) inject.as = inject.artifact;
      const std::string key = fmt::format("{}.memory.inject_artifacts[{}].schema_path", path, i);
      if (!inject.schema_path.empty()) schema_file(inject.schema_path, key);
    }
    for (size_t i = 0; i < step.contracts.size(); ++i) {
      contract(step, step.contracts[i], contract_key(path, i));
    }
    if (step.loop) steps(step.loop->steps, path + ".loop.steps");
  }

  // The contract may have been written as the only one or in the list.
  std::string contract_key(const std::string& path, size_t index) const {
    const std::string listed = fmt::format("{}.handover.contracts[{}]", path, index);
    const SourcePos inside = read_.document.locate(listed);
    const SourcePos outside = read_.document.locate(path + ".handover");
    return inside == outside ? path + ".handover.contract" : listed;
  }

  // By the original's order of dispatch (wave-model.md 3.4).
  void decide_kind(Step& step, const std::string& path) {
    using enum StepKind;
    const auto is = [&](StepKind kind, std::string_view key) {
      step.kind = kind;
      if (kind == kPersona || kind == kCommand || kind == kGate) return;
      report(Severity::kUnsupported, fmt::format("{}.{}", path, key),
             fmt::format("steps of kind {} are not carried out by this version", to_string(kind)));
    };
    if (step.concurrency > 1) return is(kConcurrency, "concurrency");
    if (get_string(step.strategy, "type") == "matrix") return is(kMatrix, "strategy");
    if (step.gate) return is(kGate, "gate");
    if (step.iterate) return is(kIterate, "iterate");
    if (step.aggregate) return is(kAggregate, "aggregate");
    if (step.branch) return is(kBranch, "branch");
    if (step.loop) return is(kLoop, "loop");
    if (!step.pipeline.empty()) return is(kSubPipeline, "pipeline");
    if (step.type == "conditional") return is(kConditional, "type");
    if (step.type == "command" || !step.script.empty()) return is(kCommand, "script");
    is(kPersona, "persona");
  }

  void prompt_file(Exec& exec, const std::string& key, bool items) {
    Result<std::string> text = files_.read(exec.source_path);
    if (!text) {
      report(Severity::kError, key,
             fmt::format("the prompt cannot be read: {}", text.error().message), text.error().hint);
      return;
    }
    if (!exec.source.empty()) {
      report(Severity::kWarning, key, "\"source\" is there as well and wins", "keep one of them");
      return;
    }
    TemplateScope scope = scope_;
    scope.items = items;
    exec.source = parse_template(*text, {exec.source_path, 1, 1}, key, scope, read_.diagnostics);
    if (exec.source.empty()) report(Severity::kError, key, "the prompt file is empty");
  }

  // The schema's text; checked to be JSON.
  std::string schema_file(const std::string& path, const std::string& key) {
    if (!is_schema_folder(path) || path.size() > 255) {
      report(Severity::kError, key,
             fmt::format("\"{}\" lies in no folder for schemas", excerpt(path, 255)),
             "schemas lie below .agents/contracts, .agents/schemas, contracts or schemas");
      return {};
    }
    Result<std::string> text = files_.read(path);
    if (!text) {
      report(Severity::kError, key,
             fmt::format("the schema cannot be read: {}", text.error().message), text.error().hint);
      return {};
    }
    check_schema(*text, path, key);
    return *std::move(text);
  }

  void check_schema(const std::string& text, const std::string& path, const std::string& key) {
    if (!checked_schemas_.insert(path.empty() ? key : path).second) return;
    const Result<json::value> schema = parse_json(text);
    if (schema && (schema->is_object() || schema->is_bool())) return;
    SourcePos pos = read_.document.locate(key);
    if (!path.empty()) {
      pos = {path, 0, 0};
      if (!schema && schema.error().source) {
        pos.line = schema.error().source->line;
        pos.column = schema.error().source->column;
      }
    }
    read_.diagnostics.push_back(
        {Severity::kError, Code::kInvalidPipeline, std::move(pos), key,
         schema ? "a JSON schema is an object, true or false"
                : fmt::format("the schema is no JSON: {}", schema.error().message),
         ""});
  }

  void contract(const Step& step, Contract& contract, const std::string& key) {
    if (contract.source.empty() && !step.output_artifacts.empty()) {
      contract.source = step.output_artifacts.front().path;
    }
    if (contract.rework_step.empty()) contract.rework_step = step.retry.rework_step;
    if (!contract.schema_path.empty()) {
      contract.schema_text = schema_file(contract.schema_path, key + ".schema_path");
    } else if (!contract.schema.empty()) {
      contract.schema_text = contract.schema;
      if (contract.type == "json_schema") check_schema(contract.schema, "", key + ".schema");
    }
    if (contract.criteria_path.empty()) {
      for (const std::string& one : contract.criteria) contract.criteria_text += "- " + one + "\n";
    } else {
      Result<std::string> text = files_.read(contract.criteria_path);
      if (text) {
        contract.criteria_text = *std::move(text);
      } else {
        report(Severity::kError, key + ".criteria_path",
               fmt::format("the criteria cannot be read: {}", text.error().message),
               text.error().hint);
      }
    }
  }

  // Puts in what is known at load; what is empty then drops out. The answer is where in the written
  // list those stand that are left.
  std::vector<size_t> resolve_list(std::vector<std::string>& list, const std::string& key) {
    std::vector<std::string> resolved;
    std::vector<size_t> places;
    for (size_t i = 0; i < list.size(); ++i) {
      const std::string path = fmt::format("{}[{}]", key, i);
      const Template parsed =
          parse_template(list[i], read_.document.locate(path), path, scope_, read_.diagnostics);
      std::string text;
      for (const Template::Part& part : parsed.parts) {
        if (const auto* literal = std::get_if<std::string>(&part)) {
          text += *literal;
          continue;
        }
        const auto& expression = std::get<Expression>(part);
        if (expression.variable == Variable::kProject) {
          text += project_value(manifest_, expression);
        } else if (expression.variable == Variable::kForge) {
          const auto known = known_forge_value(manifest_, expression.path.front());
          text += known.value_or("{{ " + expression.text + " }}");
        } else {
          report(Severity::kError, path,
                 fmt::format("\"{}\" is not known before the run", expression.text),
                 "only project.* and forge.* can stand here");
        }
      }
      text = trim(text);
      if (text.empty()) continue;
      resolved.push_back(std::move(text));
      places.push_back(i);
    }
    list = std::move(resolved);
    return places;
  }

  void skills(std::vector<std::string>& list, const std::string& key) {
    if (resolve_list(list, key).empty()) return;
    report(Severity::kUnsupported, key,
           fmt::format("skills are not carried out by this version: {}", join(list, ", ")),
           "put what the skill says into the prompt, or into the persona's");
  }

  ReadPipeline& read_;
  const Manifest& manifest_;
  const FileSource& files_;
  TemplateScope scope_;
  std::set<std::string> checked_schemas_;
};

}  // namespace

ReadPipeline read_pipeline(std::string text, std::string path, const Manifest& manifest,
                           const FileSource& files) {
  ReadPipeline read;
  read.pipeline.path = path;
  read.document =
      yaml::parse(std::move(text), std::move(path), Code::kInvalidPipeline, read.diagnostics);
  if (!read.document.root) return read;
  const yaml::Node& root = *read.document.root;
  TemplateScope scope = project_scope(manifest);
  ScopeScan(scope).steps(root.find("steps"));

  PipelineDraft draft;
  draft.pipeline.path = read.pipeline.path;
  Binder binder(read.document, Code::kInvalidPipeline, read.diagnostics);
  binder.scope = scope;
  pipeline_keys().read(draft, binder, root);
  draft.pipeline.hooks = finish_hooks(std::move(draft.hooks), binder);
  read.pipeline = std::move(draft.pipeline);
  Completer(read, manifest, files, std::move(scope)).complete();
  check_pipeline(read, manifest);
  return read;
}

}  // namespace wave::model

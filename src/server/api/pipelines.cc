#include "base/hash.h"
#include "base/text.h"
#include "engine/input_check.h"
#include "engine/required_tools.h"
#include "model/project.h"
#include "server/api/handlers.h"
#include "server/api/run_json.h"

namespace wave::server::api {
namespace {

constexpr size_t kMostDiagnostics = 200;

json::array diagnostics_json(const model::Diagnostics& diagnostics) {
  json::array list;
  for (const model::Diagnostic& diagnostic : diagnostics) {
    if (list.size() == kMostDiagnostics) break;
    list.push_back(json::object{{"severity", model::to_string(diagnostic.severity)},
                                {"code", code_name(diagnostic.code)},
                                {"file", diagnostic.pos.file},
                                {"line", diagnostic.pos.line},
                                {"column", diagnostic.pos.column},
                                {"key", text_or_null(diagnostic.key)},
                                {"message", to_valid_utf8(diagnostic.message)},
                                {"hint", text_or_null(diagnostic.hint)}});
  }
  return list;
}

std::string path_of(const std::string& name) {
  return ".agents/pipelines/" + name + ".yaml";
}

json::object input_json(const model::PipelineInput& input) {
  const json::object& schema = input.schema;
  return {{"source", text_or_null(input.source)},
          {"type", input.type},
          {"schema", schema.empty() ? json::value(nullptr) : json::value(schema)},
          {"held", engine::is_held(schema)},
          {"is_text", schema.empty() || engine::wants_text(schema)}};
}

json::object pipeline_json(const std::string& name, const model::Pipeline& pipeline,
                           const model::Diagnostics& diagnostics) {
  std::vector<std::string> steps;
  for (const model::Step& step : pipeline.steps) steps.push_back(step.id);
  const bool valid = !model::has_errors(diagnostics);
  return {{"name", name},
          {"path", path_of(name)},
          {"description", text_or_null(pipeline.description)},
          {"category", text_or_null(pipeline.category)},
          {"disabled", pipeline.disabled},
          {"valid", valid},
          {"runnable", valid && !model::has_unsupported(diagnostics)},
          {"input_example", text_or_null(pipeline.input.example)},
          {"input", input_json(pipeline.input)},
          {"step_count", pipeline.steps.size()},
          {"steps", to_array(steps)},
          {"diagnostics", diagnostics_json(diagnostics)}};
}

model::LoadOptions load_options(const Call& call) {
  return {.manifest_path = call.services.settings.load()->manifest_path};
}

/// One pipeline as the project's folder has it now, with what this machine lacks for it.
model::Loaded<model::Project> load(const Call& call, const model::FileSource& files,
                                   const std::string& name) {
  auto loaded = model::load_project(files, name, load_options(call));
  std::ranges::move(engine::missing_tools(loaded.value, {.folder = call.services.paths.project,
                                                         .environment = call.services.environment}),
                    std::back_inserter(loaded.diagnostics));
  return loaded;
}

}  // namespace

Result<http::Response> list_pipelines(Call& call) {
  const model::DiskSource files(call.services.paths.project);
  json::array pipelines;
  for (const std::string& name : model::pipeline_names(files)) {
    const auto loaded = load(call, files, name);
    pipelines.push_back(pipeline_json(name, loaded.value.pipeline, loaded.diagnostics));
  }
  return whole_list("pipelines", std::move(pipelines));
}

Result<http::Response> get_pipeline(Call& call) {
  const model::DiskSource files(call.services.paths.project);
  const std::string name = call.text("name");
  const std::vector<std::string> names = model::pipeline_names(files);
  // Only what the folder lists is ever opened: a name is no path.
  if (std::ranges::find(names, name) == names.end()) {
    const auto meant = did_you_mean(name, names);
    return fail(
        Code::kNotFound, fmt::format("there is no pipeline '{}'", name),
        meant ? fmt::format("did you mean '{}'?", *meant) : "GET /api/pipelines lists them");
  }
  WAVE_TRY(const std::string source, files.read(path_of(name)));
  const auto loaded = load(call, files, name);
  return json_response(
      json::object{{"pipeline", pipeline_json(name, loaded.value.pipeline, loaded.diagnostics)},
                   {"source", to_valid_utf8(call.services.redactor.redact(source))},
                   {"sha256", sha256_hex(source)},
                   {"graph", graph_json(loaded.value.pipeline)}});
}

Result<http::Response> validate_pipeline(Call& call) {
  const json::object& body = call.body.get_object();
  const model::DiskSource disk(call.services.paths.project);
  const std::string name(get_string(body, "name", "validated"));
  const std::string path = path_of(name);
  // As if it lay in the project: with everything that it refers to.
  const model::OverlaySource files(disk, {{path, std::string(get_string(body, "yaml"))}});
  const auto loaded = load(call, files, path);
  const bool valid = loaded.ok();
  return json_response(json::object{
      {"valid", valid},
      {"runnable", valid && !model::has_unsupported(loaded.diagnostics)},
      {"name", text_or_null(loaded.value.pipeline.name)},
      {"graph", loaded.value.pipeline.steps.empty() ? json::value(nullptr)
                                                    : graph_json(loaded.value.pipeline)},
      {"diagnostics", diagnostics_json(loaded.diagnostics)}});
}

}  // namespace wave::server::api

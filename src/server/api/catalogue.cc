// Personas, contracts and adapters of the project.
#include "agent/adapter.h"
#include "base/text.h"
#include "model/project.h"
#include "process/run_command.h"
#include "server/api/handlers.h"
#include "server/api/run_json.h"

namespace wave::server::api {
namespace {

constexpr std::string_view kContracts = ".agents/contracts";

model::Manifest load_manifest(const Call& call, const model::FileSource& files) {
  const auto settings = call.services.settings.load();
  return model::load_manifest(files, {.manifest_path = settings->manifest_path}).value;
}

/// Which pipelines name each persona.
std::map<std::string, std::vector<std::string>> users_of_personas(const model::FileSource& files,
                                                                  const model::Manifest& manifest) {
  std::map<std::string, std::vector<std::string>> users;
  for (const std::string& name : model::pipeline_names(files)) {
    const std::string path = ".agents/pipelines/" + name + ".yaml";
    const auto text = files.read(path);
    if (!text) continue;
    const auto loaded = model::parse_pipeline(*text, path, manifest, files);
    for (const model::Step& step : loaded.value.steps) {
      std::vector<std::string>& list = users[step.persona.source()];
      if (list.empty() || list.back() != name) list.push_back(name);
    }
  }
  return users;
}

json::object persona_json(const model::Persona& persona, const std::vector<std::string>& users) {
  return {{"name", persona.name},
          {"description", text_or_null(persona.description)},
          {"adapter", text_or_null(persona.adapter)},
          {"model", text_or_null(persona.model)},
          {"temperature",
           persona.temperature ? json::value(*persona.temperature) : json::value(nullptr)},
          {"allowed_tools", to_array(persona.permissions.allowed_tools)},
          {"denied_tools", to_array(persona.permissions.deny)},
          {"skills", to_array(persona.skills)},
          {"used_by", to_array(users)}};
}

json::object contract_json(const std::string& file, const std::string& text) {
  const auto parsed = parse_json(text);
  const bool is_object = parsed && parsed->is_object();
  const auto member = [&](std::string_view key) {
    return is_object ? text_or_null(std::string(get_string(parsed->get_object(), key)))
                     : json::value(nullptr);
  };
  const std::string name = file.ends_with(".json") ? file.substr(0, file.size() - 5) : file;
  return {{"name", name},
          {"path", fmt::format("{}/{}", kContracts, file)},
          {"title", member("title")},
          {"description", member("description")},
          {"valid", parsed.has_value()}};
}

}  // namespace

Result<http::Response> list_personas(Call& call) {
  const model::DiskSource files(call.services.paths.project);
  const model::Manifest manifest = load_manifest(call, files);
  auto users = users_of_personas(files, manifest);
  json::array personas;
  for (const auto& [name, persona] : manifest.personas) {
    personas.push_back(persona_json(persona, users[name]));
  }
  return whole_list("personas", std::move(personas));
}

Result<http::Response> get_persona(Call& call) {
  const model::DiskSource files(call.services.paths.project);
  const model::Manifest manifest = load_manifest(call, files);
  const std::string name = call.text("name");
  const auto found = manifest.personas.find(name);
  if (found == manifest.personas.end()) {
    std::vector<std::string> known;
    for (const auto& [persona, about] : manifest.personas) known.push_back(persona);
    const auto meant = did_you_mean(name, known);
    return fail(Code::kNotFound, fmt::format("there is no persona '{}'", name),
                meant ? fmt::format("did you mean '{}'?", *meant) : "GET /api/personas lists them");
  }
  auto users = users_of_personas(files, manifest);
  const model::Persona& persona = found->second;
  return json_response(
      json::object{{"persona", persona_json(persona, users[name])},
                   {"prompt_file", text_or_null(persona.system_prompt_file)},
                   {"prompt", text_or_null(call.services.redactor.redact(persona.system_prompt))}});
}

Result<http::Response> list_contracts(Call& call) {
  const model::DiskSource files(call.services.paths.project);
  json::array contracts;
  for (const std::string& file : files.list(kContracts)) {
    const auto text = files.read(fmt::format("{}/{}", kContracts, file));
    if (text) contracts.push_back(contract_json(file, *text));
  }
  return whole_list("contracts", std::move(contracts));
}

Result<http::Response> get_contract(Call& call) {
  const model::DiskSource files(call.services.paths.project);
  const std::string name = call.text("name");
  // Only what the folder lists is ever opened: a name is no path.
  for (const std::string& file : files.list(kContracts)) {
    if (file != name && file != name + ".json") continue;
    WAVE_TRY(const std::string text, files.read(fmt::format("{}/{}", kContracts, file)));
    return json_response(
        json::object{{"contract", contract_json(file, text)},
                     {"schema", to_valid_utf8(call.services.redactor.redact(text))}});
  }
  return fail(Code::kNotFound, fmt::format("there is no contract '{}'", name),
              "GET /api/contracts lists them");
}

Result<http::Response> list_adapters(Call& call) {
  const model::DiskSource files(call.services.paths.project);
  const model::Manifest manifest = load_manifest(call, files);
  const auto variable = call.services.environment.find("PATH");
  const std::string path =
      variable == call.services.environment.end() ? std::string() : variable->second;
  json::array adapters;
  for (const agent::Adapter* adapter : agent::all_adapters()) {
    const agent::AdapterInfo& info = adapter->info();
    const auto configured = manifest.adapters.find(info.name);
    const std::string binary = agent::program_of(info, manifest);
    const bool available = binary.empty() || process::find_program(binary, path).has_value();
    adapters.push_back(json::object{{"name", info.name},
                                    {"description", info.description},
                                    {"binary", text_or_null(binary)},
                                    {"available", available},
                                    {"configured", configured != manifest.adapters.end()},
                                    {"enforces_permissions", info.enforces_permissions}});
  }
  return whole_list("adapters", std::move(adapters));
}

}  // namespace wave::server::api

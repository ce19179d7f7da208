#include "model/manifest_reader.h"

#include <array>

#include "base/text.h"
#include "model/manifest_tables.h"
#include "model/secret_keys.h"
#include "model/webhook_tables.h"

namespace wave::model {
namespace {

constexpr std::string_view kPersonaFolder = ".agents/personas";
constexpr std::string_view kBaseProtocol = "base-protocol";

struct ProjectValue {
  std::string_view name;
  std::string ProjectConfig::* member;
};
constexpr std::array kProjectValues = {
    ProjectValue{"language", &ProjectConfig::language},
    ProjectValue{"flavour", &ProjectConfig::flavour},
    ProjectValue{"test_command", &ProjectConfig::test_command},
    ProjectValue{"lint_command", &ProjectConfig::lint_command},
    ProjectValue{"build_command", &ProjectConfig::build_command},
    ProjectValue{"format_command", &ProjectConfig::format_command},
    ProjectValue{"source_glob", &ProjectConfig::source_glob},
    ProjectValue{"skill", &ProjectConfig::skill},
    ProjectValue{"contract_test_command", &ProjectConfig::contract_test_command},
};

struct ServiceValue {
  std::string_view name;
  std::string Service::* member;
};
constexpr std::array kServiceValues = {
    ServiceValue{"path", &Service::path},
    ServiceValue{"language", &Service::language},
    ServiceValue{"build_command", &Service::build_command},
    ServiceValue{"test_command", &Service::test_command},
    ServiceValue{"contract_test_command", &Service::contract_test_command},
    ServiceValue{"source_glob", &Service::source_glob},
};

std::string persona_file(std::string_view name, std::string_view ending) {
  return fmt::format("{}/{}.{}", kPersonaFolder, name, ending);
}

// Reads one manifest; a value for the duration of read_manifest.
class ManifestReader {
 public:
  ManifestReader(const FileSource& files, std::string path) : files_(files) {
    out_.manifest.path = std::move(path);
  }

  ReadManifest read() {
    Result<std::string> text = files_.read(out_.manifest.path);
    if (!text) {
      const bool missing = text.error().code == Code::kNotFound;
      report(Severity::kError, {out_.manifest.path, 0, 0}, "", text.error().message,
             missing ? "`wave init` writes one" : text.error().hint);
      return std::move(out_);
    }
    document_ =
        yaml::parse(*std::move(text), out_.manifest.path, Code::kInvalidManifest, out_.diagnostics);
    if (!document_.root) return std::move(out_);
    bind();
    out_.manifest.secrets = written_secrets(*document_.root);
    set_aside_unused();
    apply_defaults();
    read_file_personas();
    read_base_protocol();
    scope_ = project_scope(out_.manifest);
    for (auto& [name, persona] : out_.manifest.personas) finish_persona(persona);
    check_runtime();
    if (out_.manifest.server) {
      check_webhooks(out_.manifest.server->webhooks, document_, files_, out_.diagnostics);
    }
    return std::move(out_);
  }

 private:
  void report(Severity severity, SourcePos pos, std::string key, std::string message,
              std::string hint) {
    out_.diagnostics.push_back({severity, Code::kInvalidManifest, std::move(pos), std::move(key),
                                std::move(message), std::move(hint)});
  }

  void report_at(Severity severity, std::string key, std::string message, std::string hint = {}) {
    SourcePos pos = document_.locate(key);
    report(severity, std::move(pos), std::move(key), std::move(message), std::move(hint));
  }

  void bind() {
    ManifestDraft draft;
    draft.manifest.path = out_.manifest.path;
    Binder binder(document_, Code::kInvalidManifest, out_.diagnostics);
    manifest_keys().read(draft, binder, *document_.root);
    draft.manifest.hooks = finish_hooks(std::move(draft.hooks), binder);
    out_.manifest = std::move(draft.manifest);
    for (const auto& [name, adapter] : out_.manifest.adapters) check_name("adapters", name);
    for (const auto& [name, persona] : out_.manifest.personas) {
      check_name("personas", name);
      in_manifest_.insert(name);
    }
  }

  void check_name(std::string_view section, const std::string& name) {
    if (is_safe_name(name)) return;
    report_at(Severity::kError, fmt::format("{}.{}", section, name),
              fmt::format("\"{}\" is no safe name", excerpt(name, 80)),
              "use letters, digits, \".\", \"_\" and \"-\", starting with a letter or digit");
  }

  // What is not carried out matters only to those who use the persona or adapter.
  void set_aside_unused() {
    const auto owner = [](const auto& by_name, std::string_view key, std::string_view section) {
      std::string best;
      for (const auto& [name, value] : by_name) {
        if (key.starts_with(fmt::format("{}.{}.", section, name)) && name.size() > best.size()) {
          best = name;
        }
      }
      return best;
    };
    Diagnostics kept;
    for (Diagnostic& diagnostic : out_.diagnostics) {
      const bool aside = diagnostic.severity == Severity::kUnsupported;
      const std::string persona =
          aside ? owner(out_.manifest.personas, diagnostic.key, "personas") : "";
      const std::string adapter =
          aside ? owner(out_.manifest.adapters, diagnostic.key, "adapters") : "";
      if (!persona.empty()) {
        out_.persona_problems[persona].push_back(std::move(diagnostic));
      } else if (!adapter.empty()) {
        out_.adapter_problems[adapter].push_back(std::move(diagnostic));
      } else {
        kept.push_back(std::move(diagnostic));
      }
    }
    out_.diagnostics = std::move(kept);
  }

  void apply_defaults() {
    Manifest& manifest = out_.manifest;
    if (manifest.api_version.empty()) manifest.api_version = "v1";
    if (manifest.kind.empty()) manifest.kind = "WaveManifest";
    if (trim(manifest.name).empty()) {
      report_at(Severity::kWarning, "metadata.name", "the project has no name",
                "write metadata: {name: ...}");
    }
    ProjectConfig& project = manifest.project;
    if (project.contract_test_command.empty()) project.contract_test_command = project.test_command;
    for (auto& [name, service] : project.services) {
      if (service.contract_test_command.empty()) {
        service.contract_test_command = service.test_command;
      }
    }
    for (auto& [name, adapter] : manifest.adapters) fill_adapter(adapter);
    if (trim(manifest.runtime.workspace_root).empty()) {
      manifest.runtime.workspace_root = RuntimeConfig().workspace_root;
    }
  }

  static void fill_adapter(AdapterConfig& adapter) {
    if (adapter.binary.empty()) adapter.binary = adapter.name;
    if (adapter.mode.empty()) adapter.mode = "headless";
  }

  // Personas that exist only as files.
  void read_file_personas() {
    std::set<std::string> names;
    for (const std::string& file : files_.list(kPersonaFolder)) {
      const std::string_view stem = std::string_view(file).substr(0, file.rfind('.'));
      if (!file.ends_with(".md") && !file.ends_with(".yaml")) continue;
      if (stem == kBaseProtocol || !is_safe_name(stem)) continue;
      if (!out_.manifest.personas.contains(std::string(stem))) names.emplace(stem);
    }
    for (const std::string& name : names) read_file_persona(name);
  }

  void read_file_persona(const std::string& name) {
    Persona persona;
    persona.name = name;
    persona.pos = {persona_file(name, "md"), 1, 1};
    const std::string path = persona_file(name, "yaml");
    if (Result<std::string> text = files_.read(path)) {
      Diagnostics& problems = out_.diagnostics;
      const yaml::Document document =
          yaml::parse(*std::move(text), path, Code::kInvalidManifest, problems);
      if (document.root) {
        Diagnostics found;
        Binder binder(document, Code::kInvalidManifest, found);
        persona_file_keys().read(persona, binder, *document.root);
        for (Diagnostic& diagnostic : found) {
          Diagnostics& target = diagnostic.severity == Severity::kUnsupported
                                    ? out_.persona_problems[name]
                                    : problems;
          target.push_back(std::move(diagnostic));
        }
      }
    } else if (text.error().code != Code::kNotFound) {
      report(Severity::kError, {path, 0, 0}, "", text.error().message, text.error().hint);
    }
    if (persona.adapter.empty()) persona.adapter = usual_adapter();
    out_.manifest.personas.emplace(name, std::move(persona));
  }

  std::string usual_adapter() const {
    const auto& adapters = out_.manifest.adapters;
    if (adapters.size() == 1) return adapters.begin()->first;
    return "claude";
  }

  void read_base_protocol() {
    const std::string path = persona_file(kBaseProtocol, "md");
    Result<std::string> text = files_.read(path);
    if (text) {
      out_.manifest.base_protocol = *std::move(text);
      parse_template(out_.manifest.base_protocol, {path, 1, 1}, "", project_scope(out_.manifest),
                     out_.diagnostics);
    } else if (text.error().code != Code::kNotFound) {
      report(Severity::kError, {path, 0, 0}, "", text.error().message, text.error().hint);
    }
  }

  void finish_persona(Persona& persona) {
    const bool written = in_manifest_.contains(persona.name);
    const std::string key = written ? "personas." + persona.name : "";
    const auto complain = [&](Diagnostics& to, Severity severity, std::string_view name,
                              std::string message, std::string hint) {
      const std::string path = written ? fmt::format("{}.{}", key, name) : std::string(name);
      to.push_back({severity, Code::kInvalidManifest,
                    written ? document_.locate(path) : persona.pos, path, std::move(message),
                    std::move(hint)});
    };
    const bool named = !persona.system_prompt_file.empty();
    if (!named) persona.system_prompt_file = persona_file(persona.name, "md");
    Result<std::string> prompt = files_.read(persona.system_prompt_file);
    if (prompt) {
      persona.system_prompt = *std::move(prompt);
      parse_template(persona.system_prompt, {persona.system_prompt_file, 1, 1}, "", scope_,
                     out_.diagnostics);
    } else {
      complain(
          written ? out_.diagnostics : out_.persona_problems[persona.name], Severity::kError,
          "system_prompt_file",
          fmt::format("the system prompt cannot be read: {}", prompt.error().message),
          named ? prompt.error().hint : "write the file, or name another in system_prompt_file");
    }
    if (persona.adapter.empty()) return;  // reported as missing
    Diagnostics& use = out_.persona_problems[persona.name];
    if (!out_.manifest.adapters.contains(persona.adapter)) {
      if (is_known_adapter(persona.adapter)) {
        AdapterConfig& adapter = out_.manifest.adapters[persona.adapter];
        adapter.name = persona.adapter;
        fill_adapter(adapter);
      } else {
        std::vector<std::string> known;
        for (const auto& [name, adapter] : out_.manifest.adapters) known.push_back(name);
        const auto meant = did_you_mean(persona.adapter, known);
        complain(use, Severity::kError, "adapter",
                 fmt::format("there is no adapter \"{}\"", persona.adapter),
                 meant ? fmt::format("did you mean \"{}\"?", *meant)
                       : fmt::format("defined are {}", join(known, ", ")));
        return;
      }
    }
    if (!is_carried_out_adapter(persona.adapter)) {
      complain(
          use, Severity::kUnsupported, "adapter",
          fmt::format("the adapter \"{}\" is not carried out by this version", persona.adapter),
          "use claude or scripted");
    }
  }

  void check_runtime() {
    const RuntimeConfig& runtime = out_.manifest.runtime;
    const auto warn = [&](std::string key, std::string message) {
      report_at(Severity::kWarning, std::move(key), std::move(message), "");
    };
    if (runtime.relay.token_threshold_percent > 0) {
      warn("runtime.relay.token_threshold_percent",
           "long conversations are not summarised by this version");
    }
    if (runtime.relay.token_threshold_percent > 100) {
      report_at(Severity::kError, "runtime.relay.token_threshold_percent",
                "a share is at most 100");
    }
    if (runtime.routing.auto_route) {
      warn("runtime.routing.auto_route",
           "models are not chosen by the persona's name by this version");
    }
    if (!runtime.routing.rules.empty()) {
      warn("runtime.routing.rules", "inputs are not routed by this version");
    }
    if (!runtime.fallbacks.empty()) {
      warn("runtime.fallbacks", "no other adapter is tried by this version");
    }
    if (runtime.max_concurrency == 0) {
      report_at(Severity::kError, "runtime.max_concurrency", "no step could ever run",
                "1 is the least");
    }
  }

  const FileSource& files_;
  yaml::Document document_;
  ReadManifest out_;
  TemplateScope scope_;
  std::set<std::string> in_manifest_;
};

struct ForgeTool {
  std::string_view forge, tool;
};
constexpr std::array kForgeTools = {ForgeTool{"github", "gh"}, ForgeTool{"gitlab", "glab"},
                                    ForgeTool{"gitea", "tea"}, ForgeTool{"bitbucket", "bb"}};

}  // namespace

ReadManifest read_manifest(const FileSource& files, const LoadOptions& options) {
  return ManifestReader(files, options.manifest_path).read();
}

TemplateScope project_scope(const Manifest& manifest) {
  TemplateScope scope;
  for (const ProjectValue& value : kProjectValues) scope.project.emplace(value.name);
  for (const auto& [name, service] : manifest.project.services) {
    for (const ServiceValue& value : kServiceValues) {
      scope.project.insert(fmt::format("services.{}.{}", name, value.name));
    }
  }
  return scope;
}

std::string project_value(const Manifest& manifest, const Expression& expression) {
  if (expression.variable != Variable::kProject || expression.path.empty()) return {};
  if (expression.path.size() == 1) {
    for (const ProjectValue& value : kProjectValues) {
      if (value.name == expression.path[0]) return manifest.project.*value.member;
    }
    return {};
  }
  if (expression.path.size() != 3 || expression.path[0] != "services") return {};
  const auto service = manifest.project.services.find(expression.path[1]);
  if (service == manifest.project.services.end()) return {};
  for (const ServiceValue& value : kServiceValues) {
    if (value.name == expression.path[2]) return service->second.*value.member;
  }
  return {};
}

bool is_carried_out_adapter(std::string_view adapter) {
  return adapter == "claude" || adapter == "scripted";
}

bool is_known_adapter(std::string_view adapter) {
  static constexpr std::array<std::string_view, 7> kKnown = {
      "claude", "scripted", "codex", "gemini", "opencode", "browser", "mock"};
  return std::ranges::find(kKnown, adapter) != kKnown.end();
}

std::optional<std::string> known_forge_value(const Manifest& manifest, std::string_view name) {
  for (const ForgeTool& known : kForgeTools) {
    if (manifest.forge != known.forge) continue;
    if (name == "type") return std::string(known.forge);
    if (name == "cli_tool") return std::string(known.tool);
  }
  return std::nullopt;
}

}  // namespace wave::model

// What a pipeline's steps have to fulfil together (wave-model.md 2.5): names, references, order,
// rework, gates, permissions. Each check is a small function; all of them run.
#include <re2/re2.h>

#include <array>
#include <map>

#include "base/re2_text.h"
#include "base/text.h"
#include "model/approvers.h"
#include "model/manifest_reader.h"
#include "model/permissions.h"
#include "model/pipeline_reader.h"
#include "model/project.h"

namespace wave::model {
namespace {

// A step with the path of its key.
struct Place {
  const Step* step = nullptr;
  std::string key;
  bool top = true;  // false: within a loop
};

class Checker {
 public:
  Checker(ReadPipeline& read, const Manifest& manifest) : read_(read), manifest_(manifest) {
    collect(read.pipeline.steps, "steps", true);
  }

  void check() {
    const Pipeline& pipeline = read_.pipeline;
    if (!is_safe_name(pipeline.name)) {
      error("metadata.name", fmt::format("\"{}\" is no safe name", excerpt(pipeline.name, 80)),
            kSafeNameHint);
    }
    const yaml::Node* steps = read_.document.root->find("steps");
    if (pipeline.steps.empty() && steps != nullptr && steps->is_sequence()) {
      error("steps", "the pipeline has no step");
    }
    check_ids();
    check_dependencies();
    for (const Place& place : places_) check_step(place);
    check_rework_only();
    check_threads();
    check_outputs();
  }

 private:
  static constexpr const char* kSafeNameHint =
      "use letters, digits, \".\", \"_\" and \"-\", starting with a letter or digit, at most 128";

  void collect(const std::vector<Step>& steps, const std::string& path, bool top) {
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::string key = fmt::format("{}[{}]", path, i);
      places_.push_back({&steps[i], key, top});
      if (!steps[i].id.empty()) by_id_.try_emplace(steps[i].id, places_.size() - 1);
      if (steps[i].loop) collect(steps[i].loop->steps, key + ".loop.steps", false);
    }
  }

  void report(Severity severity, const std::string& key, std::string message, std::string hint) {
    read_.diagnostics.push_back({severity, Code::kInvalidPipeline, read_.document.locate(key), key,
                                 std::move(message), std::move(hint)});
  }
  void error(const std::string& key, std::string message, std::string hint = {}) {
    report(Severity::kError, key, std::move(message), std::move(hint));
  }
  void warn(const std::string& key, std::string message, std::string hint = {}) {
    report(Severity::kWarning, key, std::move(message), std::move(hint));
  }
  void unsupported(const std::string& key, std::string message, std::string hint = {}) {
    report(Severity::kUnsupported, key, std::move(message), std::move(hint));
  }

  const Step* find(const std::string& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : places_[found->second].step;
  }

  std::string ids_hint(std::string_view word) const {
    std::vector<std::string> ids;
    for (const auto& [id, index] : by_id_) ids.push_back(id);
    if (const auto meant = did_you_mean(word, ids))
      return fmt::format("did you mean \"{}\"?", *meant);
    constexpr size_t kMany = 20;
    std::string list = join(std::span(ids).first(std::min(ids.size(), kMany)), ", ");
    return "steps are " + list + (ids.size() > kMany ? ", ..." : "");
  }

  // The step that a key names; reports when there is none.
  const Step* named_step(const std::string& key, const std::string& id) {
    const Step* step = find(id);
    if (step == nullptr) {
      error(key, fmt::format("there is no step \"{}\"", excerpt(id, 80)), ids_hint(id));
    }
    return step;
  }

  void check_ids() {
    std::map<std::string, const Place*> seen;
    for (const Place& place : places_) {
      const std::string& id = place.step->id;
      if (id.empty()) continue;  // reported as missing
      if (!is_safe_name(id)) {
        error(place.key + ".id", fmt::format("\"{}\" is no safe name", excerpt(id, 80)),
              kSafeNameHint);
      }
      const auto [first, fresh] = seen.try_emplace(id, &place);
      if (fresh) continue;
      const SourcePos pos = read_.document.locate(first->second->key + ".id");
      error(place.key + ".id", fmt::format("there are two steps \"{}\"", id),
            fmt::format("the first is in line {}; rename one of them", pos.line));
    }
  }

  void check_dependencies() {
    for (const Place& place : places_) {
      std::set<std::string> seen;
      const Step& step = *place.step;
      for (size_t i = 0; i < step.dependencies.size(); ++i) {
        const std::string key = fmt::format("{}.dependencies[{}]", place.key, i);
        const std::string& id = step.dependencies[i];
        if (!seen.insert(id).second) warn(key, fmt::format("\"{}\" is there twice", id));
        if (id == step.id) {
          error(key, "a step cannot depend on itself");
          continue;
        }
        const Step* dependency = named_step(key, id);
        if (dependency != nullptr && dependency->rework_only && !step.rework_only) {
          error(key,
                fmt::format("\"{}\" runs only to repair another step, so nothing can wait for it",
                            id),
                "depend on the step that it repairs");
        }
      }
    }
    find_cycles();
  }

  // Depth first, iteratively: each cycle is reported once, where it closes.
  void find_cycles() {
    enum class Colour { kWhite, kGrey, kBlack };
    std::map<std::string, Colour> colour;
    struct Frame {
      const Place* place;
      size_t next;
    };
    for (const Place& start : places_) {
      if (colour[start.step->id] != Colour::kWhite) continue;
      std::vector<Frame> stack{{&start, 0}};
      colour[start.step->id] = Colour::kGrey;
      while (!stack.empty()) {
        Frame& frame = stack.back();
        const Step& step = *frame.place->step;
        if (frame.next == step.dependencies.size()) {
          colour[step.id] = Colour::kBlack;
          stack.pop_back();
          continue;
        }
        const size_t index = frame.next++;
        const auto found = by_id_.find(step.dependencies[index]);
        if (found == by_id_.end() || found->first == step.id) continue;
        const Place& next = places_[found->second];
        if (colour[found->first] == Colour::kGrey) {
          std::string cycle;
          bool inside = false;
          for (const Frame& on_path : stack) {
            inside = inside || on_path.place->step->id == found->first;
            if (inside) cycle += on_path.place->step->id + " -> ";
          }
          cyclic_ = true;
          error(fmt::format("{}.dependencies[{}]", frame.place->key, index),
                fmt::format("the dependencies go in a circle: {}{}", cycle, found->first),
                "remove one of them");
        } else if (colour[found->first] == Colour::kWhite) {
          colour[found->first] = Colour::kGrey;
          stack.push_back({&next, 0});
        }
      }
    }
  }

  // The steps that have to be done before `step`.
  const std::set<std::string>& ancestors(const Step& step) {
    const auto [entry, fresh] = ancestors_.try_emplace(step.id);
    std::set<std::string>& found = entry->second;
    if (!fresh) return found;
    std::vector<const Step*> open{&step};
    while (!open.empty()) {
      const Step* at = open.back();
      open.pop_back();
      for (const std::string& id : at->dependencies) {
        const Step* dependency = find(id);
        if (dependency != nullptr && found.insert(id).second) open.push_back(dependency);
      }
    }
    return found;
  }

  void check_step(const Place& place) {
    const Step& step = *place.step;
    check_kind(place);
    check_persona(place);
    check_artifacts(place);
    check_injections(place);
    check_templates(place);
    check_workspace(place);
    check_retry(place);
    for (size_t i = 0; i < step.contracts.size(); ++i) {
      check_contract(place, step.contracts[i], contract_key(place, i));
    }
    if (step.gate) check_gate(place, *step.gate);
    check_edges(place);
    check_permissions(place);
    collect_children(place);
    if (step.max_concurrent_agents > 10) {
      error(place.key + ".max_concurrent_agents", "at most 10 agents can work at a time");
    }
    if (step.loop && step.loop->max_iterations == 0) {
      error(place.key + ".loop.max_iterations", "a loop needs at least one iteration");
    }
  }

  std::string contract_key(const Place& place, size_t index) const {
    const yaml::Node* handover = node_of(place)->find("handover");
    const yaml::Node* listed = handover == nullptr ? nullptr : handover->find("contracts");
    if (listed == nullptr || listed->items.empty()) return place.key + ".handover.contract";
    return fmt::format("{}.handover.contracts[{}]", place.key, index);
  }

  // The YAML of a step.
  const yaml::Node* node_of(const Place& place) const {
    const yaml::Node* node = &*read_.document.root;
    std::string_view path = place.key;
    while (!path.empty() && node != nullptr) {
      if (path.starts_with('.')) path.remove_prefix(1);
      const size_t bracket = path.find('[');
      for (const std::string& name : split(path.substr(0, bracket), '.')) {
        node = node == nullptr ? nullptr : node->find(name);
      }
      const size_t close = path.find(']');
      const size_t index = std::stoul(std::string(path.substr(bracket + 1, close - bracket - 1)));
      node = node == nullptr ? nullptr : &node->items[index];
      path.remove_prefix(close + 1);
    }
    return node;
  }

  void check_kind(const Place& place) {
    const Step& step = *place.step;
    const std::string& key = place.key;
    if (step.type == "command" && step.script.empty()) {
      error(key + ".script", "a command step needs a script");
    }
    if (step.type == "gate" && !step.gate) error(key + ".gate", "a gate step needs \"gate\"");
    if (step.type == "pipeline" && step.pipeline.empty()) {
      error(key + ".pipeline", "a pipeline step needs \"pipeline\"");
    }
    if (step.type == "conditional" && step.edges.empty()) {
      error(key + ".edges", "a conditional step needs edges");
    }
    if (step.concurrency > 1 && !step.strategy.empty()) {
      error(key + ".concurrency", "\"concurrency\" and \"strategy\" exclude each other");
    }
    if (step.gate && !step.script.empty()) {
      error(key + ".script", "a gate runs no script", "make it a step of its own");
    }
    if (step.kind == StepKind::kCommand && !step.persona.empty()) {
      warn(key + ".persona", "a command step has no agent; its persona is not used");
    }
    if (step.kind == StepKind::kIterate && step.pipeline.empty()) {
      error(key + ".pipeline", "iterate needs the pipeline to run for each item");
    }
    if (step.iterate && step.iterate->parallel == false && step.iterate->max_concurrent > 1) {
      warn(key + ".iterate.max_concurrent", "it has no effect without mode: parallel");
    }
    if (step.kind == StepKind::kPersona) check_prompt(place);
  }

  void check_prompt(const Place& place) {
    const Step& step = *place.step;
    if (step.persona.empty()) {
      error(place.key, "the step has nothing to do",
            "give it a persona with a prompt, a script or a gate");
      return;
    }
    if (step.exec.type == Exec::Type::kSlashCommand) {
      if (step.exec.command.empty()) {
        error(place.key + ".exec.command", "a slash command needs its name");
      }
    } else if (step.exec.source.empty() && step.exec.source_path.empty()) {
      error(place.key + ".exec", "the step has no prompt", "write exec.source or exec.source_path");
    }
  }

  // A persona's name may have placeholders: what the manifest knows is put in.
  void check_persona(const Place& place) {
    const Step& step = *place.step;
    const bool has_agent = step.kind == StepKind::kPersona || step.kind == StepKind::kMatrix ||
                           step.kind == StepKind::kConcurrency;
    if (has_agent && !step.persona.empty()) {
      use_persona(step.persona, place.key + ".persona", step.adapter.empty());
    }
    if (!step.adapter.empty()) use_adapter(step.adapter, place.key + ".adapter");
  }

  void use_adapter(const std::string& name, const std::string& key) {
    read_.adapters.insert(name);
    if (!manifest_.adapters.contains(name) && !is_known_adapter(name)) {
      std::vector<std::string> known;
      for (const auto& [adapter, config] : manifest_.adapters) known.push_back(adapter);
      const auto meant = did_you_mean(name, known);
      error(key, fmt::format("there is no adapter \"{}\"", excerpt(name, 80)),
            meant ? fmt::format("did you mean \"{}\"?", *meant)
                  : fmt::format("defined are {}", join(known, ", ")));
    } else if (!is_carried_out_adapter(name)) {
      unsupported(key, fmt::format("the adapter \"{}\" is not carried out by this version", name),
                  "use claude or scripted");
    }
  }

  void use_persona(const Template& wanted, const std::string& key, bool with_adapter) {
    std::string before;
    std::string after;
    bool open = false;  // something in between is known only to the run
    for (const Template::Part& part : wanted.parts) {
      std::optional<std::string> text;
      if (const auto* literal = std::get_if<std::string>(&part)) {
        text = *literal;
      } else {
        const auto& expression = std::get<Expression>(part);
        if (expression.variable == Variable::kProject) text = project_value(manifest_, expression);
        if (expression.variable == Variable::kForge) {
          text = known_forge_value(manifest_, expression.path.front());
        }
      }
      if (text) {
        (open ? after : before) += *text;
      } else {
        open = true;
        after.clear();
      }
    }
    bool any = false;
    for (const auto& [name, persona] : manifest_.personas) {
      const bool fits = open ? name.size() >= before.size() + after.size() &&
                                   name.starts_with(before) && name.ends_with(after)
                             : name == before;
      if (!fits) continue;
      any = true;
      read_.personas.insert(name);
      if (with_adapter) read_.adapters.insert(persona.adapter);
    }
    if (any) return;
    if (open) {
      error(key, fmt::format("no persona fits \"{}\"", wanted.source()));
      return;
    }
    std::vector<std::string> names;
    for (const auto& [name, persona] : manifest_.personas) names.push_back(name);
    const auto meant = did_you_mean(before, names);
    error(key, fmt::format("there is no persona \"{}\"", excerpt(before, 80)),
          meant ? fmt::format("did you mean \"{}\"?", *meant)
                : fmt::format("define it in {}, or write .agents/personas/{}.md", manifest_.path,
                              excerpt(before, 80)));
  }

  void check_artifacts(const Place& place) {
    std::set<std::string> names;
    const Step& step = *place.step;
    for (size_t i = 0; i < step.output_artifacts.size(); ++i) {
      const OutputArtifact& artifact = step.output_artifacts[i];
      const std::string key = fmt::format("{}.output_artifacts[{}]", place.key, i);
      if (artifact.name.empty()) continue;  // reported as missing
      if (!is_safe_name(artifact.name)) {
        error(key + ".name", fmt::format("\"{}\" is no safe name", excerpt(artifact.name, 80)),
              kSafeNameHint);
      }
      if (!names.insert(artifact.name).second) {
        error(key + ".name", fmt::format("there are two artifacts \"{}\"", artifact.name),
              "rename one of them");
      }
      if (artifact.path.empty() && !artifact.from_stdout) {
        error(key + ".path", "a file artifact needs its path",
              "or take it from stdout: source: stdout");
      }
      check_path(artifact.path, key + ".path");
    }
  }

  void check_path(const Template& path, const std::string& key) {
    const std::string text = path.source();
    const std::vector<std::string> parts = split(text, '/');
    if (std::ranges::find(parts, "..") != parts.end()) {
      error(key, "the path leads out of the workspace", "remove the \"..\"");
    } else if (text.starts_with('/')) {
      error(key, "the path has to be relative to the workspace", "remove the \"/\" at its start");
    }
  }

  void check_injections(const Place& place) {
    const Step& step = *place.step;
    std::set<std::string> names;
    for (size_t i = 0; i < step.inject_artifacts.size(); ++i) {
      const InjectArtifact& inject = step.inject_artifacts[i];
      const std::string key = fmt::format("{}.memory.inject_artifacts[{}]", place.key, i);
      if (!inject.as.empty() && !is_safe_name(inject.as)) {
        error(key + ".as", fmt::format("\"{}\" is no safe name", excerpt(inject.as, 80)),
              kSafeNameHint);
      }
      if (!inject.as.empty() && !names.insert(inject.as).second) {
        error(key, fmt::format("two artifacts are put in as \"{}\"", inject.as),
              "give one of them another name with \"as\"");
      }
      if (inject.step.empty() == inject.pipeline.empty()) {
        error(key, inject.step.empty() ? "either \"step\" or \"pipeline\" is needed"
                                       : "\"step\" and \"pipeline\" exclude each other");
        continue;
      }
      if (!inject.pipeline.empty()) {
        if (inject.optional) continue;
        unsupported(key + ".pipeline",
                    "artifacts of other pipelines are not carried out by this version",
                    "mark it optional, or let a step of this pipeline make it");
        continue;
      }
      check_injected_step(step, inject, key);
    }
  }

  void check_injected_step(const Step& step, const InjectArtifact& inject, const std::string& key) {
    const Step* source = named_step(key + ".step", inject.step);
    if (source == nullptr) return;
    check_order(step, *source, key + ".step");
    if (has_open_outputs(*source) || has_artifact(*source, inject.artifact)) {
      check_injected_type(*source, inject, key);
      return;
    }
    std::vector<std::string> names;
    for (const OutputArtifact& artifact : source->output_artifacts) names.push_back(artifact.name);
    const auto meant = did_you_mean(inject.artifact, names);
    error(key + ".artifact",
          fmt::format("step \"{}\" has no artifact \"{}\"", source->id, inject.artifact),
          meant           ? fmt::format("did you mean \"{}\"?", *meant)
          : names.empty() ? "it has none"
                          : fmt::format("it has {}", join(names, ", ")));
  }

  void check_injected_type(const Step& source, const InjectArtifact& inject,
                           const std::string& key) {
    if (inject.type.empty()) return;
    for (const OutputArtifact& artifact : source.output_artifacts) {
      if (artifact.name != inject.artifact || artifact.type == inject.type) continue;
      error(key + ".type",
            fmt::format("the artifact is of type {}, not {}", artifact.type, inject.type));
    }
  }

  // What `step` takes from `source` has to be there by then.
  void check_order(const Step& step, const Step& source, const std::string& key) {
    if (cyclic_ || step.rework_only || source.rework_only || &step == &source) return;
    if (ancestors(step).contains(source.id)) return;
    if (ancestors(source).contains(step.id)) {
      error(key, fmt::format("\"{}\" runs after \"{}\"", source.id, step.id));
    } else {
      warn(key,
           fmt::format("\"{}\" does not depend on \"{}\", which may run later", step.id, source.id),
           fmt::format("add \"{}\" to its dependencies", source.id));
    }
  }

  static bool has_artifact(const Step& step, std::string_view name) {
    return std::ranges::any_of(step.output_artifacts,
                               [&](const auto& a) { return a.name == name; });
  }

  // Steps whose artifacts come from elsewhere.
  static bool has_open_outputs(const Step& step) {
    using enum StepKind;
    return step.kind != kPersona && step.kind != kCommand && step.kind != kGate;
  }

  void check_templates(const Place& place) {
    const Step& step = *place.step;
    const auto check = [&](const Template& text, std::string_view key) {
      for (const Expression* expression : text.expressions())
        check_expression(step, *expression, fmt::format("{}.{}", place.key, key));
    };
    check(step.exec.source, "exec.source");
    check(step.script, "script");
    check(step.workspace.branch, "workspace.branch");
    check(step.workspace.base, "workspace.base");
    check(step.input, "input");
    if (step.kind == StepKind::kCommand) {
      check_script(step.script, place.key + ".script");
    }
  }

  void check_script(const Template& script, const std::string& key) {
    const size_t before = read_.diagnostics.size();
    compile_script(
        script, [&](const Expression& e) { return manifest_value(e); }, key, read_.diagnostics);
    for (size_t i = before; i < read_.diagnostics.size(); ++i) {
      SourcePos& pos = read_.diagnostics[i].pos;
      if (pos.line == 0) pos = read_.document.locate(key);
    }
  }

  // A stand-in for what only a run knows of the forge.
  std::string manifest_value(const Expression& expression) const {
    if (expression.variable == Variable::kProject) return project_value(manifest_, expression);
    return known_forge_value(manifest_, expression.path.front()).value_or("x");
  }

  void check_expression(const Step& step, const Expression& expression, const std::string& key) {
    using enum Variable;
    if (expression.variable == kGate) {
      const Step* gate = find(expression.path.front());
      if (gate != nullptr && !gate->gate) {
        report_at(Severity::kError, expression, key,
                  fmt::format("step \"{}\" is no gate", gate->id));
      }
    }
    const bool names_step = expression.variable == kGate || expression.variable == kStepOutput ||
                            expression.variable == kStepAnyOutput ||
                            (expression.variable == kArtifactPath && expression.path.size() == 2);
    if (!names_step || cyclic_ || step.rework_only) return;
    const Step* source = find(expression.path.front());
    if (source == nullptr || source == &step || source->rework_only) return;
    if (expression.variable == kStepAnyOutput && source->output_artifacts.empty() &&
        !has_open_outputs(*source)) {
      report_at(Severity::kError, expression, key,
                fmt::format("step \"{}\" has no artifact", source->id));
      return;
    }
    if (ancestors(step).contains(source->id)) return;
    report_at(
        Severity::kWarning, expression, key,
        fmt::format("\"{}\" does not depend on \"{}\", which may run later", step.id, source->id));
  }

  void report_at(Severity severity, const Expression& expression, const std::string& key,
                 std::string message) {
    read_.diagnostics.push_back(
        {severity, Code::kInvalidPipeline, expression.pos, key, std::move(message), ""});
  }

  void check_workspace(const Place& place) {
    const Step& step = *place.step;
    const std::string key = place.key + ".workspace";
    if (step.workspace.kind == Workspace::Kind::kRef && step.workspace.ref != "parent") {
      const Step* source = named_step(key + ".ref", step.workspace.ref);
      if (source == &step) error(key + ".ref", "a step cannot share its own workspace");
      if (source != nullptr && source != &step) check_order(step, *source, key + ".ref");
    }
    if (step.workspace.ref == "parent") {
      unsupported(key + ".ref",
                  "a workspace of the calling pipeline needs sub-pipelines, which are "
                  "not carried out by this version");
    }
    std::set<std::string> targets;
    for (size_t i = 0; i < step.workspace.mounts.size(); ++i) {
      const Mount& mount = step.workspace.mounts[i];
      const std::string mount_key = fmt::format("{}.mount[{}]", key, i);
      const std::vector<std::string> parts = split(mount.target.source(), '/');
      if (std::ranges::find(parts, "..") != parts.end()) {
        error(mount_key + ".target", "the target leads out of the workspace", "remove the \"..\"");
      }
      if (!mount.target.empty() && !targets.insert(mount.target.source()).second) {
        error(mount_key + ".target", "two folders have the same target");
      }
      check_subset(mount, mount_key + ".subset_from");
    }
  }

  // A step of another pipeline: run on its own, this pipeline sees the whole folder.
  void check_subset(const Mount& mount, const std::string& key) {
    if (mount.subset_from.empty()) return;
    const std::string step = mount.subset_from.substr(0, mount.subset_from.find('.'));
    if (std::ranges::count(mount.subset_from, '.') < 2) {
      error(key, "a subset is named like <step>.<artifact>.<path>");
    } else if (find(step) != nullptr) {
      unsupported(key, "mounting a part of a folder is not carried out by this version",
                  "remove it; the whole folder is mounted then");
    }
  }

  void check_retry(const Place& place) {
    const Step& step = *place.step;
    const std::string key = place.key + ".retry";
    const bool reworks = step.retry.on_failure == OnFailure::kRework;
    if (!reworks && !step.retry.rework_step.empty() && !a_contract_reworks(step)) {
      error(key + ".rework_step", "it has no effect without on_failure: rework",
            "add on_failure: rework, or remove it");
    }
    if (!reworks) return;
    if (step.retry.rework_step.empty()) {
      error(key + ".on_failure", "rework needs \"rework_step\": the step that repairs this one");
      return;
    }
    const Step* target = check_rework_target(step, step.retry.rework_step, key + ".rework_step");
    if (target == nullptr) return;
    const auto [first, fresh] = retry_targets_.try_emplace(target->id, step.id);
    if (!fresh && first->second != step.id) {
      error(key + ".rework_step",
            fmt::format("\"{}\" already repairs \"{}\"", target->id, first->second),
            "each step needs a rework step of its own");
    }
  }

  static bool a_contract_reworks(const Step& step) {
    return std::ranges::any_of(step.contracts,
                               [](const auto& c) { return c.on_failure == OnFailure::kRework; });
  }

  const Step* check_rework_target(const Step& step, const std::string& id, const std::string& key) {
    const Step* target = named_step(key, id);
    if (target == nullptr) return nullptr;
    rework_targets_.insert(id);
    if (target == &step) {
      error(key, "a step cannot repair itself");
      return nullptr;
    }
    if (!target->rework_only) {
      error(key, fmt::format("\"{}\" would run on its own as well", id),
            fmt::format("add rework_only: true to \"{}\"", id));
    }
    if (!cyclic_ && (ancestors(step).contains(id) || ancestors(*target).contains(step.id))) {
      error(key, fmt::format("\"{}\" and \"{}\" must not depend on each other", step.id, id));
    }
    return target;
  }

  void check_contract(const Place& place, const Contract& contract, const std::string& key) {
    const Step& step = *place.step;
    const auto need = [&](bool there, std::string_view name) {
      if (!there) {
        error(fmt::format("{}.{}", key, name),
              fmt::format("a contract of type {} needs \"{}\"", contract.type, name));
      }
    };
    if (contract.type == "json_schema") {
      if (contract.schema.empty() && contract.schema_path.empty()) {
        error(key, "a contract of type json_schema needs \"schema\" or \"schema_path\"");
      }
      if (!contract.schema.empty() && !contract.schema_path.empty()) {
        warn(key + ".schema", "\"schema_path\" is there as well and wins", "keep one of them");
      }
      check_source(contract, key);
    } else if (contract.type == "non_empty_file") {
      check_source(contract, key);
    } else if (contract.type == "test_suite") {
      need(!contract.command.empty(), "command");
      check_script(contract.command, key + ".command");
    } else if (contract.type == "agent_review") {
      need(!contract.persona.empty(), "persona");
      need(!contract.criteria_path.empty() || !contract.criteria.empty(), "criteria_path");
      check_reviewer(step, contract, key);
    }
    for (const Expression* expression : contract.source.expressions()) {
      check_expression(step, *expression, key + ".source");
    }
    if (contract.on_failure == OnFailure::kRework) {
      if (contract.rework_step.empty()) {
        error(key + ".on_failure", "rework needs \"rework_step\": the step that repairs this one");
      } else {
        check_rework_target(step, contract.rework_step, key + ".rework_step");
      }
    }
    if (contract.threshold > 1) error(key + ".threshold", "a threshold is at most 1");
  }

  void check_source(const Contract& contract, const std::string& key) {
    if (contract.source.empty()) {
      error(key + ".source", "there is no file to check",
            "name it in \"source\", or give the step an output artifact with a path");
    } else if (contract.type == "json_schema") {
      const std::vector<std::string> parts = split(contract.source.source(), '/');
      if (std::ranges::find(parts, "..") != parts.end()) {
        error(key + ".source", "the path leads out of the workspace", "remove the \"..\"");
      }
    }
  }

  void check_reviewer(const Step& step, const Contract& contract, const std::string& key) {
    if (contract.persona.empty()) return;
    if (step.persona.is_literal() && step.persona.literal() == contract.persona) {
      error(key + ".persona", "a step's own persona cannot review it", "name another persona");
    }
    Template reviewer;
    reviewer.parts.emplace_back(contract.persona);
    use_persona(reviewer, key + ".persona", true);
    for (size_t i = 0; i < contract.context.size(); ++i) {
      const ReviewContext& context = contract.context[i];
      if (context.source == "artifact" && context.artifact.empty()) {
        error(fmt::format("{}.context[{}].artifact", key, i), "the artifact's name is missing");
      }
    }
  }

  // A gate that says who may answer has to ask somebody.
  void check_approvers(const std::string& key, const Gate& gate) {
    if (gate.approvers.empty() && !gate.forbid_self_approval) return;
    const std::string said = gate.approvers.empty() ? "forbid_self_approval" : "approvers";
    if (gate.type != Gate::Type::kApproval) {
      error(fmt::format("{}.{}", key, said), "only an approval asks people",
            fmt::format("remove \"{}\", or write type: approval", said));
    }
    if (gate.automatic) {
      error(key + ".auto", fmt::format("a gate with \"{}\" does not answer itself", said),
            fmt::format("remove \"auto\" or \"{}\"", said));
    }
    for (size_t i = 0; i < gate.approvers.size(); ++i) {
      check_approver(fmt::format("{}.approvers[{}]", key, i), gate.approvers[i]);
    }
  }

  void check_approver(const std::string& key, const std::string& approver) {
    if (trim(approver).empty()) return error(key, "nobody has an empty name");
    const auto role = approver_role(approver);
    if (!role || std::ranges::find(answering_roles(), *role) != answering_roles().end()) return;
    if (*role == "viewer") {
      return error(key, "a viewer answers no gate", "write role:operator or role:admin");
    }
    const auto meant = did_you_mean(*role, answering_roles());
    error(key, fmt::format("there is no role \"{}\"", excerpt(*role, 80)),
          meant ? fmt::format("did you mean \"role:{}\"?", *meant)
                : "write role:operator or role:admin");
  }

  void check_gate(const Place& place, const Gate& gate) {
    const std::string key = place.key + ".gate";
    if (gate.type == Gate::Type::kTimer && !gate.timeout) {
      error(key + ".timeout", "a timer needs a timeout");
    }
    if (gate.type == Gate::Type::kPrMerge && gate.pr_number == 0) {
      error(key + ".pr_number", "pr_merge needs the number of the pull request");
    }
    check_approvers(key, gate);
    std::set<std::string> keys;
    bool has_default = gate.default_choice.empty();
    for (size_t i = 0; i < gate.choices.size(); ++i) {
      const GateChoice& choice = gate.choices[i];
      const std::string choice_key = fmt::format("{}.choices[{}]", key, i);
      if (!choice.key.empty() && !keys.insert(choice.key).second) {
        error(choice_key + ".key", fmt::format("there are two choices \"{}\"", choice.key));
      }
      has_default = has_default || choice.key == gate.default_choice;
      if (!choice.target.empty() && choice.target != "_fail") {
        named_step(choice_key + ".target", choice.target);
      }
    }
    if (!has_default) {
      const std::vector<std::string> known(keys.begin(), keys.end());
      error(key + ".default", fmt::format("there is no choice \"{}\"", gate.default_choice),
            fmt::format("its key is one of {}", join(known, ", ")));
    }
  }

  void check_edges(const Place& place) {
    static const re2::RE2 condition(R"(outcome=(success|failure)|context\.[^=]+=.*)");
    const Step& step = *place.step;
    for (size_t i = 0; i < step.edges.size(); ++i) {
      const Edge& edge = step.edges[i];
      const std::string key = fmt::format("{}.edges[{}]", place.key, i);
      if (!edge.target.empty() && edge.target != "_complete") {
        named_step(key + ".target", edge.target);
      }
      if (edge.condition.empty() || re2::RE2::FullMatch(re2_text(edge.condition), condition))
        continue;
      error(key + ".condition", fmt::format("\"{}\" is no condition", excerpt(edge.condition, 80)),
            "conditions are outcome=success, outcome=failure and context.<key>=<value>");
    }
  }

  // A step's list that asks for more than its persona has gets no more.
  void check_permissions(const Place& place) {
    const Step& step = *place.step;
    if (step.permissions.allowed_tools.empty() || !step.persona.is_literal()) return;
    const auto persona = manifest_.personas.find(step.persona.literal());
    if (persona == manifest_.personas.end()) return;
    const std::string& name = step.adapter.empty() ? persona->second.adapter : step.adapter;
    const auto adapter = manifest_.adapters.find(name);
    const EffectivePermissions effective = effective_permissions(
        adapter == manifest_.adapters.end() ? AdapterConfig{} : adapter->second, persona->second,
        step.permissions);
    for (size_t i = 0; i < step.permissions.allowed_tools.size(); ++i) {
      const std::string& entry = step.permissions.allowed_tools[i];
      if (std::ranges::find(effective.allowed, entry) != effective.allowed.end()) continue;
      const bool narrowed = std::ranges::any_of(
          effective.allowed, [&](const auto& a) { return permission_covers(entry, a); });
      if (narrowed) continue;
      warn(fmt::format("{}.permissions.allowed_tools[{}]", place.key, i),
           fmt::format("the persona \"{}\" may not use {}; a step cannot give more", persona->first,
                       entry));
    }
  }

  void collect_children(const Place& place) {
    const Step& step = *place.step;
    const auto add = [&](const std::string& name, std::string key, bool certain) {
      read_.children.push_back({name, std::move(key), certain});
    };
    if (!step.pipeline.empty() && step.pipeline.is_literal()) {
      add(step.pipeline.literal(), place.key + ".pipeline", true);
    } else if (step.iterate && step.iterate->over.is_literal()) {
      children_of_items(step, place.key + ".iterate.over");
    }
    if (!step.branch) return;
    for (const auto& [value, name] : step.branch->cases) {
      if (name != "skip") add(name, fmt::format("{}.branch.cases.{}", place.key, value), true);
    }
  }

  // "{{ item }}" over a list that is written out.
  void children_of_items(const Step& step, const std::string& key) {
    const Result<json::value> items = parse_json(step.iterate->over.literal());
    if (!items || !items->is_array()) {
      error(key, "the items are no JSON array");
      return;
    }
    const auto expressions = step.pipeline.expressions();
    const bool whole = step.pipeline.parts.size() == 1 && expressions.size() == 1 &&
                       expressions.front()->variable == Variable::kItem &&
                       expressions.front()->json_path.empty();
    if (!whole) return;
    for (const json::value& item : items->as_array()) {
      if (item.is_string()) read_.children.push_back({std::string(item.as_string()), key, false});
    }
  }

  void check_rework_only() {
    for (const Place& place : places_) {
      const Step& step = *place.step;
      if (!step.rework_only || rework_targets_.contains(step.id)) continue;
      error(place.key + ".rework_only",
            fmt::format("\"{}\" can never run: no step names it as its rework_step", step.id),
            "name it in a rework_step, or remove rework_only");
    }
    const auto runs = [](const Step& step) { return !step.rework_only; };
    if (read_.pipeline.steps.empty() || std::ranges::any_of(read_.pipeline.steps, runs)) return;
    error("steps", "every step is rework_only, so nothing would ever run");
  }

  // Each later step of a thread has to come after an earlier one.
  void check_threads() {
    std::map<std::string, std::vector<const Step*>> threads;
    for (const Place& place : places_) {
      const Step& step = *place.step;
      if (step.thread.empty()) {
        if (!step.fidelity.empty()) {
          error(place.key + ".fidelity", "it has no meaning without \"thread\"");
        }
        continue;
      }
      std::vector<const Step*>& earlier = threads[step.thread];
      const bool follows = std::ranges::any_of(
          earlier, [&](const Step* e) { return ancestors(step).contains(e->id); });
      if (!earlier.empty() && !step.rework_only && !follows && !cyclic_) {
        error(place.key + ".thread",
              fmt::format("\"{}\" depends on no earlier step of the thread \"{}\"", step.id,
                          step.thread));
      }
      earlier.push_back(&step);
    }
    for (const Place& place : places_) {
      const std::string& thread = place.step->thread;
      // Alone in its thread a step shares nothing.
      if (thread.empty() || threads[thread].size() < 2) continue;
      unsupported(
          place.key + ".thread",
          fmt::format("steps that share a conversation (\"{}\") are not carried out by this "
                      "version",
                      excerpt(thread, 80)),
          "remove it and inject what the step has to know as artifacts");
    }
  }

  void check_outputs() {
    for (const auto& [name, output] : read_.pipeline.outputs) {
      const std::string key = "pipeline_outputs." + name;
      if (output.step.empty()) continue;  // reported as missing
      const Step* step = named_step(key + ".step", output.step);
      if (step == nullptr || output.artifact.empty()) continue;
      if (has_open_outputs(*step) || has_artifact(*step, output.artifact)) continue;
      std::vector<std::string> names;
      for (const OutputArtifact& artifact : step->output_artifacts) names.push_back(artifact.name);
      const auto meant = did_you_mean(output.artifact, names);
      error(key + ".artifact",
            fmt::format("step \"{}\" has no artifact \"{}\"", step->id, output.artifact),
            meant ? fmt::format("did you mean \"{}\"?", *meant) : "");
    }
  }

  ReadPipeline& read_;
  const Manifest& manifest_;
  std::vector<Place> places_;
  std::map<std::string, size_t> by_id_;
  std::map<std::string, std::set<std::string>> ancestors_;
  std::map<std::string, std::string> retry_targets_;
  std::set<std::string> rework_targets_;
  bool cyclic_ = false;
};

}  // namespace

void check_pipeline(ReadPipeline& read, const Manifest& manifest) {
  Checker(read, manifest).check();
}

}  // namespace wave::model

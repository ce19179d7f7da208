#include "model/template.h"

#include <array>
#include <cctype>

#include "base/text.h"
#include "model/template_parse.h"

namespace wave::model {
namespace {

struct FixedName {
  std::string_view name;
  Variable variable;
};

// Names that stand for one thing wherever they are used. wave-model.md 2.6.
constexpr std::array kFixedNames = {
    FixedName{"input", Variable::kInput},
    FixedName{"pipeline_id", Variable::kPipelineId},
    FixedName{"run.id", Variable::kPipelineId},
    FixedName{"pipeline_context.pipeline_id", Variable::kPipelineId},
    FixedName{"pipeline_name", Variable::kPipelineName},
    FixedName{"run.name", Variable::kPipelineName},
    FixedName{"pipeline_context.pipeline_name", Variable::kPipelineName},
    FixedName{"step_id", Variable::kStepId},
    FixedName{"pipeline_context.step_id", Variable::kStepId},
    FixedName{"branch_name", Variable::kBranchName},
    FixedName{"pipeline_context.branch_name", Variable::kBranchName},
    FixedName{"feature_num", Variable::kFeatureNum},
    FixedName{"pipeline_context.feature_num", Variable::kFeatureNum},
};

constexpr std::array<std::string_view, 8> kForgeNames = {
    "type", "host", "owner", "repo", "cli_tool", "prefix", "pr_term", "pr_command"};
constexpr std::array<std::string_view, 5> kGateNames = {"choice", "key", "text", "timestamp",
                                                        "target"};

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

// Whether the text between the braces can name a variable at all. What cannot ("project.*",
// "'<id>'", ".Field", "if x") is prose or another program's template: it stays as it was written.
bool is_shaped_like_a_variable(std::string_view text) {
  if (text.empty() || text.size() > 256) return false;
  if (std::isalpha(static_cast<unsigned char>(text[0])) == 0 && text[0] != '_') return false;
  return std::ranges::all_of(
      text, [](char c) { return is_name_char(c) || c == '.' || c == '[' || c == ']'; });
}

// ".a.b[0]", "a[1]" or nothing: what may follow an output or item.
bool is_json_path(std::string_view path) {
  bool in_name = false;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '.') {
      if (i + 1 == path.size() || !is_name_char(path[i + 1])) return false;
      in_name = true;
    } else if (path[i] == '[') {
      const size_t close = path.find(']', i);
      if (close == std::string_view::npos || close == i + 1) return false;
      for (size_t d = i + 1; d < close; ++d) {
        if (std::isdigit(static_cast<unsigned char>(path[d])) == 0) return false;
      }
      i = close;
      in_name = false;
    } else if (!is_name_char(path[i]) || !in_name) {
      return false;
    }
  }
  return true;
}

// What became of the text between the braces.
struct Reading {
  std::optional<Expression> expression;
  std::string problem;
  std::string hint;
};

class TemplateReader {
 public:
  TemplateReader(std::string_view text, const TemplateScope& scope) : text_(text), scope_(scope) {}

  Reading read() {
    for (const FixedName& fixed : kFixedNames) {
      if (text_ == fixed.name) return accept(fixed.variable);
    }
    if (auto reading = read_items()) return *std::move(reading);
    const std::string_view head = text_.substr(0, text_.find('.'));
    const std::string_view rest = head.size() < text_.size() ? text_.substr(head.size() + 1) : "";
    if (!rest.empty()) {
      if (head == "artifacts") return read_artifact(rest);
      if (head == "deps") return read_dependency(rest);
      if (head == "project") return read_project(rest);
      if (head == "forge") return read_forge(rest);
      if (head == "gate") return read_gate(rest);
      if (head == "env") return read_env(rest);
      if (head == "steps") return read_steps(rest);
    }
    if (auto reading = read_step_output(text_, ".out.")) return *std::move(reading);
    return unknown(fmt::format("unknown variable \"{}\"", text_), candidates());
  }

 private:
  Reading accept(Variable variable, std::vector<std::string> path = {},
                 std::string_view json = {}) {
    Reading reading;
    reading.expression =
        Expression{variable, std::move(path), std::string(json), std::string(text_), {}};
    return reading;
  }

  static Reading refuse(std::string problem, std::string hint) {
    return {std::nullopt, std::move(problem), std::move(hint)};
  }

  Reading unknown(std::string problem, const std::vector<std::string>& known) const {
    if (const auto meant = did_you_mean(text_, known)) {
      return refuse(std::move(problem), fmt::format("did you mean \"{}\"?", *meant));
    }
    return refuse(
        std::move(problem),
        "known are input, run.id, run.name, step_id, branch_name, feature_num, project.*, "
        "forge.*, env.*, gate.<step>.*, artifacts.<name>, deps.<step>.<name>, "
        "<step>.output and <step>.out.<name>");
  }

  bool is_open(std::string_view step) const {
    return !step.empty() && scope_.open_steps.contains(std::string(step));
  }

  // The longest step id that `text` starts with, followed by a dot.
  std::string_view step_prefix(std::string_view text) const {
    std::string_view best;
    for (const std::string& step : scope_.steps) {
      if (step.size() <= best.size() || !text.starts_with(step)) continue;
      if (text.size() > step.size() && text[step.size()] == '.') {
        best = text.substr(0, step.size());
      }
    }
    return best;
  }

  // The longest artifact of `step` that `text` starts with; what follows is a JSON path.
  std::string_view artifact_prefix(std::string_view step, std::string_view text) const {
    std::string_view best;
    const std::string prefix = std::string(step) + ".";
    for (auto at = scope_.artifacts.lower_bound(prefix); at != scope_.artifacts.end(); ++at) {
      if (!at->starts_with(prefix)) break;
      const std::string_view name = std::string_view(*at).substr(prefix.size());
      if (name.size() <= best.size() || !text.starts_with(name)) continue;
      if (text.size() == name.size() || text[name.size()] == '.' || text[name.size()] == '[') {
        best = text.substr(0, name.size());
      }
    }
    return best;
  }

  std::optional<Reading> read_items() {
    for (const std::string_view name : {"item", "task"}) {
      if (!text_.starts_with(name)) continue;
      const std::string_view path = text_.substr(name.size());
      if (!path.empty() && path[0] != '.' && path[0] != '[') continue;
      if (scope_.steps.contains(std::string(name)) && !scope_.items) continue;
      if (!scope_.items) {
        return refuse(fmt::format("\"{}\" has no meaning here", text_),
                      "items exist in steps with iterate or a matrix strategy");
      }
      if (!is_json_path(path)) return refuse(fmt::format("\"{}\" is not a path", path), kPathHint);
      return accept(Variable::kItem, {}, path);
    }
    if (text_ != "iteration") return std::nullopt;
    if (scope_.items) return accept(Variable::kIteration);
    return refuse("\"iteration\" has no meaning here",
                  "iterations exist in steps with iterate or loop");
  }

  Reading read_artifact(std::string_view rest) {
    if (scope_.artifacts.contains(std::string(rest))) {
      const std::string_view step = step_prefix(rest);
      if (step.empty()) return accept(Variable::kArtifactPath, {std::string(rest)});
      return accept(Variable::kArtifactPath,
                    {std::string(step), std::string(rest.substr(step.size() + 1))});
    }
    if (const std::string_view step = step_prefix(rest); is_open(step)) {
      return accept(Variable::kArtifactPath,
                    {std::string(step), std::string(rest.substr(step.size() + 1))});
    }
    std::vector<std::string> known;
    for (const std::string& name : scope_.artifacts) known.push_back("artifacts." + name);
    return no_such(fmt::format("there is no artifact \"{}\"", rest), known);
  }

  Reading read_dependency(std::string_view rest) {
    const std::string_view step = step_prefix(rest);
    std::vector<std::string> known;
    for (const std::string& name : scope_.artifacts) {
      if (!step_prefix(name).empty()) known.push_back("deps." + name);
    }
    if (step.empty()) return no_such(fmt::format("\"{}\" names no step", text_), known);
    if (!scope_.artifacts.contains(std::string(rest)) && !is_open(step)) {
      return no_such(
          fmt::format("step \"{}\" has no artifact \"{}\"", step, rest.substr(step.size() + 1)),
          known);
    }
    return accept(Variable::kArtifactPath,
                  {std::string(step), std::string(rest.substr(step.size() + 1))});
  }

  Reading read_project(std::string_view rest) {
    if (scope_.project.contains(std::string(rest))) {
      if (!rest.starts_with("services.")) return accept(Variable::kProject, {std::string(rest)});
      const size_t key = rest.rfind('.');
      return accept(Variable::kProject, {"services", std::string(rest.substr(9, key - 9)),
                                         std::string(rest.substr(key + 1))});
    }
    std::vector<std::string> known;
    for (const std::string& name : scope_.project) known.push_back("project." + name);
    return no_such(fmt::format("unknown variable \"{}\"", text_), known);
  }

  Reading read_forge(std::string_view rest) {
    std::vector<std::string> known;
    for (const std::string_view name : kForgeNames) {
      if (rest == name) return accept(Variable::kForge, {std::string(rest)});
      known.push_back("forge." + std::string(name));
    }
    return no_such(fmt::format("unknown variable \"{}\"", text_), known);
  }

  Reading read_gate(std::string_view rest) {
    const std::string_view step = step_prefix(rest);
    std::vector<std::string> known;
    if (step.empty()) {
      for (const std::string& id : scope_.steps) {
        for (const std::string_view name : kGateNames) {
          known.push_back(fmt::format("gate.{}.{}", id, name));
        }
      }
      return no_such(fmt::format("\"{}\" names no step", text_), known);
    }
    const std::string_view field = rest.substr(step.size() + 1);
    for (const std::string_view name : kGateNames) {
      if (field == name) {
        return accept(Variable::kGate, {std::string(step), std::string(field)});
      }
      known.push_back(fmt::format("gate.{}.{}", step, name));
    }
    return no_such(fmt::format("unknown variable \"{}\"", text_), known);
  }

  Reading read_env(std::string_view rest) {
    if (scope_.any_env) return accept(Variable::kEnv, {std::string(rest)});
    return refuse(fmt::format("\"{}\" has no meaning here", text_),
                  "env.<name> exists in pipelines that another one calls");
  }

  Reading read_steps(std::string_view rest) {
    if (auto reading = read_step_output(rest, ".artifacts.")) return *std::move(reading);
    return no_such(fmt::format("\"{}\" names no output of a step", text_), candidates());
  }

  // "<step><separator><artifact>[path]" or "<step>.output[path]".
  std::optional<Reading> read_step_output(std::string_view text, std::string_view separator) {
    const std::string_view step = step_prefix(text);
    if (step.empty()) return std::nullopt;
    const std::string_view rest = text.substr(step.size());
    if (rest.starts_with(".output") && (rest.size() == 7 || rest[7] == '.' || rest[7] == '[')) {
      if (!is_json_path(rest.substr(7))) {
        return refuse(fmt::format("\"{}\" is not a path", rest.substr(7)), kPathHint);
      }
      return accept(Variable::kStepAnyOutput, {std::string(step)}, rest.substr(7));
    }
    if (!rest.starts_with(separator)) return std::nullopt;
    const std::string_view wanted = rest.substr(separator.size());
    std::string_view artifact = artifact_prefix(step, wanted);
    if (artifact.empty() && is_open(step)) artifact = wanted.substr(0, wanted.find_first_of(".["));
    if (artifact.empty()) {
      return no_such(fmt::format("step \"{}\" has no artifact \"{}\"", step,
                                 wanted.substr(0, wanted.find('.'))),
                     candidates());
    }
    const std::string_view path = wanted.substr(artifact.size());
    if (!is_json_path(path)) return refuse(fmt::format("\"{}\" is not a path", path), kPathHint);
    return accept(Variable::kStepOutput, {std::string(step), std::string(artifact)}, path);
  }

  Reading no_such(std::string problem, const std::vector<std::string>& known) const {
    if (known.empty()) return refuse(std::move(problem), "there is none");
    if (const auto meant = did_you_mean(text_, known)) {
      return refuse(std::move(problem), fmt::format("did you mean \"{}\"?", *meant));
    }
    constexpr size_t kMany = 12;
    std::string list = join(std::span(known).first(std::min(known.size(), kMany)), ", ");
    if (known.size() > kMany) list += ", ...";
    return refuse(std::move(problem), "known are " + list);
  }

  std::vector<std::string> candidates() const {
    std::vector<std::string> known;
    for (const FixedName& fixed : kFixedNames) known.emplace_back(fixed.name);
    for (const std::string_view name : kForgeNames) known.push_back("forge." + std::string(name));
    for (const std::string& name : scope_.project) known.push_back("project." + name);
    for (const std::string& step : scope_.steps) {
      known.push_back(step + ".output");
      known.push_back(fmt::format("steps.{}.output", step));
    }
    for (const std::string& name : scope_.artifacts) {
      known.push_back("artifacts." + name);
      const std::string_view step = step_prefix(name);
      if (step.empty()) continue;
      known.push_back(fmt::format("{}.out.{}", step, name.substr(step.size() + 1)));
      known.push_back(fmt::format("steps.{}.artifacts.{}", step, name.substr(step.size() + 1)));
    }
    if (scope_.items) {
      for (const char* name : {"item", "task", "iteration"}) known.emplace_back(name);
    }
    return known;
  }

  static constexpr const char* kPathHint = "paths look like .name.other[0]";

  std::string_view text_;
  const TemplateScope& scope_;
};

void add_literal(Template& parsed, std::string_view text) {
  if (text.empty()) return;
  if (!parsed.parts.empty()) {
    if (auto* last = std::get_if<std::string>(&parsed.parts.back())) {
      last->append(text);
      return;
    }
  }
  parsed.parts.emplace_back(std::string(text));
}

}  // namespace

bool Template::is_literal() const {
  return std::ranges::all_of(parts,
                             [](const Part& p) { return std::holds_alternative<std::string>(p); });
}

std::string Template::literal() const {
  std::string text;
  for (const Part& part : parts) {
    if (const auto* literal = std::get_if<std::string>(&part)) text += *literal;
  }
  return text;
}

std::vector<const Expression*> Template::expressions() const {
  std::vector<const Expression*> found;
  for (const Part& part : parts) {
    if (const auto* expression = std::get_if<Expression>(&part)) found.push_back(expression);
  }
  return found;
}

std::string Template::source() const {
  std::string text;
  for (const Part& part : parts) {
    if (const auto* literal = std::get_if<std::string>(&part)) {
      text += *literal;
    } else {
      text += "{{ " + std::get<Expression>(part).text + " }}";
    }
  }
  return text;
}

Template parse_template_at(std::string_view text, const PlaceholderPos& pos_of,
                           std::string_view key, const TemplateScope& scope,
                           Diagnostics& diagnostics) {
  Template parsed;
  size_t done = 0;
  size_t ordinal = 0;
  for (size_t open = text.find("{{"); open != std::string_view::npos; ++ordinal) {
    // In "{{{ x }}" the inner braces are the placeholder's.
    while (open + 2 < text.size() && text[open + 2] == '{') ++open;
    const size_t close = text.find("}}", open + 2);
    if (close == std::string_view::npos) break;
    const std::string_view inner = text.substr(open + 2, close - open - 2);
    // Another "{{" or a line break in between: these braces do not belong together.
    if (inner.contains("{{") || inner.contains('\n')) {
      open = text.find("{{", open + 2);
      continue;
    }
    const std::string_view name = trim(inner);
    const bool foreign = open > 0 && text[open - 1] == '$';
    Reading reading;
    const bool shaped = is_shaped_like_a_variable(name);
    if (shaped) reading = TemplateReader(name, scope).read();
    if (reading.expression) {
      add_literal(parsed, text.substr(done, open - done));
      reading.expression->pos = pos_of(ordinal, open);
      parsed.parts.emplace_back(*std::move(reading.expression));
      done = close + 2;
    } else if (shaped && !foreign) {
      diagnostics.push_back({Severity::kError, Code::kTemplate, pos_of(ordinal, open),
                             std::string(key), std::move(reading.problem),
                             std::move(reading.hint)});
    } else {
      diagnostics.push_back(
          {Severity::kWarning, Code::kTemplate, pos_of(ordinal, open), std::string(key),
           fmt::format("\"{{{{ {} }}}}\" is no variable of wave and stays as it is",
                       excerpt(name, 60)),
           ""});
    }
    open = text.find("{{", close + 2);
  }
  add_literal(parsed, text.substr(done));
  return parsed;
}

Template parse_template(std::string_view text, const SourcePos& pos, std::string_view key,
                        const TemplateScope& scope, Diagnostics& diagnostics) {
  SourcePos at = pos;
  size_t counted = 0;
  // Placeholders come in order: each character is counted once.
  const auto pos_of = [&](size_t, size_t offset) {
    for (; counted < offset; ++counted) {
      if (text[counted] == '\n') {
        ++at.line;
        at.column = 1;
      } else if ((static_cast<unsigned char>(text[counted]) & 0xC0) != 0x80) {
        ++at.column;
      }
    }
    return at;
  };
  return parse_template_at(text, pos_of, key, scope, diagnostics);
}

Result<std::string> render(const Template& text, const Resolver& resolve) {
  std::string rendered;
  for (const Template::Part& part : text.parts) {
    if (const auto* literal = std::get_if<std::string>(&part)) {
      rendered += *literal;
      continue;
    }
    const auto& expression = std::get<Expression>(part);
    Result<std::string> value = resolve(expression);
    if (!value) {
      if (value.error().source) return std::unexpected(std::move(value).error());
      return std::unexpected(value.error().at(expression.pos));
    }
    rendered += *value;
  }
  return rendered;
}

}  // namespace wave::model

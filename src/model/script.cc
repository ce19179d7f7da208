#include <cctype>

#include "base/text.h"
#include "model/evaluators.h"
#include "model/shell_commands.h"
#include "model/shell_lexer.h"
#include "model/template.h"

namespace wave::model {
namespace {

using Context = ShellLexer::Context;

struct Refusal {
  std::string_view place;
  std::string_view hint;
};

constexpr std::string_view kAssignFirst =
    "assign it to a shell variable on a line of its own first, and use the variable here";

// Why a run value cannot stand in this context.
Refusal refusal(Context context) {
  switch (context) {
    case Context::kComment:
      return {"in a comment", "take it out of the comment"};
    case Context::kHeredoc:
      return {"in a here-document", kAssignFirst};
    case Context::kHeredocDelimiter:
      return {"in the delimiter of a here-document", "write the delimiter as plain text"};
    case Context::kCommandSubstitution:
      return {"in a command substitution", kAssignFirst};
    case Context::kBackquotes:
      return {"in backquotes", kAssignFirst};
    case Context::kArithmetic:
      return {"in an arithmetic expansion", kAssignFirst};
    case Context::kParameter:
      return {"in a parameter expansion", kAssignFirst};
    case Context::kEscaped:
      return {"right behind a \"\\\" or \"$\"", "put a space or a quote between them"};
    default:
      return {};
  }
}

// Compiles one script.
class Compiler {
 public:
  Compiler(const std::function<std::string(const Expression&)>& manifest_value,
           std::string_view key, Diagnostics& diagnostics)
      : manifest_value_(manifest_value), key_(key), diagnostics_(diagnostics) {}

  Script compile(const Template& text) {
    for (size_t i = 0; i < text.parts.size(); ++i) {
      if (const auto* literal = std::get_if<std::string>(&text.parts[i])) {
        code(*literal);
        continue;
      }
      const auto& expression = std::get<Expression>(text.parts[i]);
      if (expression.variable == Variable::kProject || expression.variable == Variable::kForge) {
        code(manifest_value_(expression));
      } else {
        run_value(expression, may_continue_a_name(text, i + 1));
      }
    }
    warn_if_incomplete(text);
    refuse_evaluated_values();
    return std::move(script_);
  }

 private:
  void code(std::string_view text) {
    script_.text += text;
    lexer_.feed(text);
  }

  // Whether what stands behind a variable could be read as a part of its name.
  static bool may_continue_a_name(const Template& text, size_t index) {
    if (index >= text.parts.size()) return false;
    if (const auto* literal = std::get_if<std::string>(&text.parts[index])) {
      const auto c = static_cast<unsigned char>(literal->empty() ? ' ' : (*literal)[0]);
      return std::isalnum(c) != 0 || c == '_';
    }
    const Variable next = std::get<Expression>(text.parts[index]).variable;
    return next == Variable::kProject || next == Variable::kForge;
  }

  void run_value(const Expression& expression, bool name_goes_on) {
    const std::string name = name_of(expression);
    const Context context = lexer_.context();
    switch (context) {
      case Context::kBare:
        script_.text += fmt::format("\"${}\"", name);
        break;
      case Context::kDoubleQuotes:
        script_.text += name_goes_on ? fmt::format("${{{}}}", name) : "$" + name;
        break;
      case Context::kSingleQuotes:
        script_.text += fmt::format("'\"${}\"'", name);
        break;
      default: {
        const Refusal why = refusal(context);
        diagnostics_.push_back({Severity::kError, Code::kTemplate, expression.pos,
                                std::string(key_),
                                fmt::format("{{{{ {} }}}} stands {}, where its value cannot be put "
                                            "in safely",
                                            expression.text, why.place),
                                std::string(why.hint)});
      }
    }
    lexer_.feed_word();
  }

  // The same value is one variable, however often it is used.
  std::string name_of(const Expression& expression) {
    for (const auto& [name, known] : script_.variables) {
      if (known.variable == expression.variable && known.path == expression.path &&
          known.json_path == expression.json_path) {
        return name;
      }
    }
    std::string name = fmt::format("WAVE_T{}", script_.variables.size() + 1);
    script_.variables.emplace_back(name, expression);
    return name;
  }

  void warn_if_incomplete(const Template& text) {
    lexer_.feed("\n");
    if (lexer_.complete()) return;
    const auto expressions = text.expressions();
    diagnostics_.push_back(
        {Severity::kWarning, Code::kTemplate,
         expressions.empty() ? SourcePos{} : expressions.front()->pos, std::string(key_),
         "a quote, substitution or here-document of the script is never closed", ""});
  }

  // Whether somebody who starts or answers a run, or an agent, has a say in the value.
  static bool is_typed(const Expression& expression) {
    switch (expression.variable) {
      case Variable::kPipelineId:
      case Variable::kPipelineName:
      case Variable::kStepId:
      case Variable::kIteration:
        return false;
      case Variable::kGate:
        return expression.path.back() == "text" || expression.path.back() == "choice";
      default:
        return true;
    }
  }

  // Quotes keep a value one word; a program that takes the word for code makes code of it again.
  void refuse_evaluated_values() {
    std::vector<std::string> typed{std::string(kInputVariable)};
    for (const auto& [name, expression] : script_.variables) {
      if (is_typed(expression)) typed.push_back(name);
    }
    for (const EvaluatedValue& value : evaluated_values(shell_commands(script_.text), typed)) {
      const auto known = std::ranges::find(script_.variables, value.variable,
                                           [](const auto& entry) { return entry.first; });
      const bool is_input = known == script_.variables.end();
      diagnostics_.push_back(
          {value.is_query ? Severity::kWarning : Severity::kError, Code::kTemplate,
           is_input ? SourcePos{} : known->second.pos, std::string(key_),
           fmt::format(
               "{} becomes {}",
               is_input ? "$" + value.variable : fmt::format("{{{{ {} }}}}", known->second.text),
               value.place),
           value.remedy});
    }
  }

  const std::function<std::string(const Expression&)>& manifest_value_;
  std::string_view key_;
  Diagnostics& diagnostics_;
  ShellLexer lexer_;
  Script script_;
};

}  // namespace

Script compile_script(const Template& text,
                      const std::function<std::string(const Expression&)>& manifest_value,
                      std::string_view key, Diagnostics& diagnostics) {
  return Compiler(manifest_value, key, diagnostics).compile(text);
}

}  // namespace wave::model

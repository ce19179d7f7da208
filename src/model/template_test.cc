#include "model/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace wave::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TemplateScope template_scope() {
  TemplateScope scope;
  scope.steps = {"plan", "build", "sub", "a.b"};
  scope.artifacts = {"spec", "plan.spec", "log", "build.log", "a.b.x"};
  scope.open_steps = {"sub"};
  scope.project = {"test_command", "services.api.path"};
  return scope;
}

Template parse(std::string_view text, Diagnostics& diagnostics,
               const TemplateScope& s = template_scope()) {
  return parse_template(text, {"f", 1, 1}, "key", s, diagnostics);
}

Expression one(const std::string& name, const TemplateScope& s = template_scope()) {
  Diagnostics diagnostics;
  const Template parsed = parse("{{ " + name + " }}", diagnostics, s);
  EXPECT_TRUE(diagnostics.empty()) << to_text(diagnostics.front());
  if (parsed.expressions().size() != 1) {
    ADD_FAILURE() << name;
    return {};
  }
  return *parsed.expressions().front();
}

Diagnostic problem(const std::string& text, const TemplateScope& s = template_scope()) {
  Diagnostics diagnostics;
  const Template parsed = parse(text, diagnostics, s);
  EXPECT_TRUE(parsed.is_literal());
  EXPECT_EQ(parsed.literal(), text);
  EXPECT_EQ(diagnostics.size(), 1U) << text;
  return diagnostics.empty() ? Diagnostic{} : diagnostics.front();
}

TEST(Template, EveryVariableIsKnown) {
  EXPECT_EQ(one("input").variable, Variable::kInput);
  for (const char* name : {"pipeline_id", "run.id", "pipeline_context.pipeline_id"}) {
    EXPECT_EQ(one(name).variable, Variable::kPipelineId);
  }
  for (const char* name : {"pipeline_name", "run.name", "pipeline_context.pipeline_name"}) {
    EXPECT_EQ(one(name).variable, Variable::kPipelineName);
  }
  EXPECT_EQ(one("step_id").variable, Variable::kStepId);
  EXPECT_EQ(one("pipeline_context.branch_name").variable, Variable::kBranchName);
  EXPECT_EQ(one("feature_num").variable, Variable::kFeatureNum);
  EXPECT_THAT(one("artifacts.spec").path, ElementsAre("spec"));
  EXPECT_THAT(one("artifacts.plan.spec").path, ElementsAre("plan", "spec"));
  EXPECT_THAT(one("deps.build.log").path, ElementsAre("build", "log"));
  EXPECT_THAT(one("project.test_command").path, ElementsAre("test_command"));
  EXPECT_THAT(one("project.services.api.path").path, ElementsAre("services", "api", "path"));
  EXPECT_THAT(one("forge.cli_tool").path, ElementsAre("cli_tool"));
  EXPECT_THAT(one("gate.plan.choice").path, ElementsAre("plan", "choice"));
  EXPECT_THAT(one("env.profile").path, ElementsAre("profile"));
  EXPECT_EQ(one("env.profile").variable, Variable::kEnv);
  EXPECT_EQ(one("plan.out.spec").variable, Variable::kStepOutput);
  EXPECT_EQ(one("plan.out.spec.a.b[0]").json_path, ".a.b[0]");
  EXPECT_EQ(one("steps.plan.artifacts.spec[2].x").json_path, "[2].x");
  EXPECT_EQ(one("plan.output").variable, Variable::kStepAnyOutput);
  EXPECT_EQ(one("steps.plan.output.n").json_path, ".n");
  EXPECT_THAT(one("a.b.out.x").path, ElementsAre("a.b", "x"));
  EXPECT_THAT(one("sub.out.anything.field").path, ElementsAre("sub", "anything"));
  TemplateScope items = template_scope();
  items.items = true;
  EXPECT_EQ(one("item.name", items).variable, Variable::kItem);
  EXPECT_EQ(one("task", items).variable, Variable::kItem);
  EXPECT_EQ(one("iteration", items).variable, Variable::kIteration);
}

TEST(Template, UnknownVariablesAreErrorsWithSuggestions) {
  EXPECT_EQ(problem("{{ forge.typ }}").severity, Severity::kError);
  EXPECT_EQ(problem("{{ forge.typ }}").hint, "did you mean \"forge.type\"?");
  EXPECT_EQ(problem("{{ inptu }}").hint, "did you mean \"input\"?");
  EXPECT_EQ(problem("{{ project.test_comand }}").hint, "did you mean \"project.test_command\"?");
  EXPECT_EQ(problem("{{ artifacts.spek }}").hint, "did you mean \"artifacts.spec\"?");
  EXPECT_EQ(problem("{{ plan.out.spce }}").hint, "did you mean \"plan.out.spec\"?");
  EXPECT_EQ(problem("{{ gate.plan.chioce }}").hint, "did you mean \"gate.plan.choice\"?");
  EXPECT_THAT(problem("{{ something.else }}").hint, HasSubstr("known are"));
  EXPECT_THAT(problem("{{ item }}").message, HasSubstr("no meaning here"));
  EXPECT_THAT(problem("{{ plan.output[x] }}").message, HasSubstr("not a path"));
  EXPECT_THAT(problem("{{ gate.nobody.key }}").message, HasSubstr("names no step"));
  EXPECT_EQ(problem("{{ input.x }}").severity, Severity::kError);
}

TEST(Template, DocumentationInBracesStaysWithAWarning) {
  for (const char* text :
       {"{{ project.* }}", "{{ forge.* }}", "{{ project.services.<name>.<field> }}",
        "{{ '<finding-id>' }}", "{{ .Field }}", "{{ if x }}", "{{}}", "{{ a b }}",
        "${{ github.ref }}"}) {
    EXPECT_EQ(problem(text).severity, Severity::kWarning) << text;
  }
}

TEST(Template, BracesThatDoNotBelongTogetherAreText) {
  for (const char* text : {"{{ open", "a }} b", "{{\nx }}", "{ { x } }"}) {
    Diagnostics diagnostics;
    const Template parsed = parse(text, diagnostics);
    EXPECT_TRUE(diagnostics.empty()) << text;
    EXPECT_EQ(parsed.literal(), text);
  }
  Diagnostics diagnostics;
  for (const char* text : {"{{ {{ input }}", "{{{ input }}", "{{{{{ input }}}"}) {
    const Template parsed = parse(text, diagnostics);
    EXPECT_EQ(parsed.expressions().size(), 1U) << text;
  }
  EXPECT_TRUE(diagnostics.empty());
}

TEST(Template, PositionsCountLinesAndCharacters) {
  Diagnostics diagnostics;
  const Template parsed = parse("ä {{ input }}\n  {{ step_id }}", diagnostics);
  const auto expressions = parsed.expressions();
  EXPECT_EQ(expressions[0]->pos, (SourcePos{"f", 1, 3}));
  EXPECT_EQ(expressions[1]->pos, (SourcePos{"f", 2, 3}));
}

TEST(Template, AValueIsNeverScannedAgain) {
  Diagnostics diagnostics;
  const Template parsed = parse("a {{input}} b {{ step_id }}", diagnostics);
  const Result<std::string> text = render(parsed, [](const Expression& e) -> Result<std::string> {
    return e.variable == Variable::kInput ? "{{ step_id }}" : "s";
  });
  EXPECT_EQ(text.value(), "a {{ step_id }} b s");
  EXPECT_EQ(parsed.source(), "a {{ input }} b {{ step_id }}");
}

TEST(Template, ErrorsOfValuesCarryThePlace) {
  Diagnostics diagnostics;
  const Template parsed = parse("x\n{{ input }}", diagnostics);
  const auto text = render(parsed, [](const Expression&) -> Result<std::string> {
    return fail(Code::kTemplate, "no input");
  });
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().source, (SourcePos{"f", 2, 1}));
}

TEST(Template, RandomTextsNeverCrashAndLoseNothing) {
  std::mt19937 random(3);
  const std::vector<std::string> pieces = {
      "{{",   "}}",    " input ", "{",   "}",     "\n",        "plan", ".output",
      "[0]",  "[",     "]",       ".",   "item",  "project.",  "\xff", "$",
      "env.", "gate.", "steps.",  "a.b", "deps.", "artifacts."};
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (size_t i = random() % 14; i > 0; --i) text += pieces[random() % pieces.size()];
    Diagnostics diagnostics;
    const Template parsed = parse(text, diagnostics);
    size_t literal = parsed.literal().size();
    for (const Expression* expression : parsed.expressions()) {
      EXPECT_FALSE(expression->text.empty());
      EXPECT_GE(expression->pos.line, 1);
      literal += expression->text.size() + 4;
    }
    ASSERT_LE(literal, text.size());
    if (parsed.is_literal()) ASSERT_EQ(parsed.literal(), text);
  }
}

}  // namespace
}  // namespace wave::model

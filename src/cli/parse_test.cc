#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace wave::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

using Args = std::vector<std::string>;

template <typename Options>
Options parsed(const Args& args) {
  auto result = parse(args);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  if (!result) return {};
  const auto* invocation = std::get_if<Invocation>(&*result);
  EXPECT_NE(invocation, nullptr);
  if (invocation == nullptr) return {};
  const auto* options = std::get_if<Options>(&invocation->options);
  EXPECT_NE(options, nullptr);
  return options == nullptr ? Options{} : *options;
}

GlobalOptions global_of(const Args& args) {
  auto result = parse(args);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result ? std::get<Invocation>(*result).global : GlobalOptions{};
}

Error error_of(const Args& args) {
  auto result = parse(args);
  EXPECT_FALSE(result.has_value()) << join(args, " ");
  return result ? Error{} : result.error();
}

std::string text_of(const Args& args) {
  auto result = parse(args);
  EXPECT_TRUE(result.has_value());
  return result ? std::get<std::string>(*result) : "";
}

TEST(Parse, RunTakesPipelineAndInput) {
  const auto options = parsed<RunOptions>({"run", "build", "add a --json option"});
  EXPECT_EQ(options.pipeline, "build");
  EXPECT_EQ(options.input, "add a --json option");
  const auto named = parsed<RunOptions>({"run", "--pipeline", "build", "--input", "x y"});
  EXPECT_EQ(named.pipeline, "build");
  EXPECT_EQ(named.input, "x y");
}

TEST(Parse, RunTakesEveryOption) {
  const auto options = parsed<RunOptions>(
      {"run",     "p",         "--steps",       "a,b",       "--steps",  "c",
       "--model", "strongest", "--force-model", "--adapter", "scripted", "--timeout",
       "30",      "--tag",     "team=web",      "--tag",     "k=a=b",    "--detach",
       "-i",      "-"});
  EXPECT_THAT(options.steps, ElementsAre("a", "b", "c"));
  EXPECT_EQ(options.overrides.model, "strongest");
  EXPECT_TRUE(options.overrides.force_model);
  EXPECT_EQ(options.overrides.adapter, "scripted");
  EXPECT_EQ(options.overrides.timeout, Millis(30 * 60'000));
  EXPECT_THAT(options.overrides.tags, ElementsAre(Pair("k", "a=b"), Pair("team", "web")));
  EXPECT_TRUE(options.overrides.detach);
  EXPECT_EQ(options.input, "-");
  EXPECT_THAT(parsed<RunOptions>({"run", "-x", "a", "p"}).exclude, ElementsAre("a"));
  EXPECT_EQ(parsed<RunOptions>({"run", "-x", "a", "p"}).pipeline, "p");
  EXPECT_TRUE(parsed<RunOptions>({"run", "--dry-run"}).dry_run);
}

TEST(Parse, TokensNeedRoleAndSubject) {
  const auto options = parsed<TokenOptions>(
      {"token", "create", "--subject", "ci-bot", "--role", "operator", "--expires", "12h"});
  EXPECT_EQ(options.named_subject, "ci-bot");
  EXPECT_EQ(options.expires, Millis(12 * 3'600'000));
  EXPECT_THAT(error_of({"token", "create", "--subject", "x"}).message, HasSubstr("--role"));
  EXPECT_THAT(error_of({"token", "create", "--role", "admin"}).message, HasSubstr("--subject"));
  EXPECT_THAT(error_of({"token", "revoke"}).message, HasSubstr("a token or its id"));
  EXPECT_THAT(error_of({"token", "mint"}).message, HasSubstr("create"));
  EXPECT_EQ(parsed<CertOptions>({"cert", "init", "--host", "a", "--host", "b"}).hosts.size(), 2u);
  EXPECT_EQ(parsed<AuditOptions>({"audit", "verify"}).what, "verify");
}

TEST(Parse, NamesOfCommandsAreOrdinaryWordsElsewhere) {
  EXPECT_EQ(parsed<DoOptions>({"do", "fix", "the", "status", "page"}).task, "fix the status page");
  EXPECT_EQ(parsed<RunOptions>({"run", "status", "cancel"}).input, "cancel");
}

TEST(Parse, GlobalOptionsStandOnBothSides) {
  const auto before = global_of({"-C", "dir", "-o", "json", "status"});
  EXPECT_EQ(before.project, "dir");
  EXPECT_EQ(before.output, OutputMode::kJson);
  const auto behind = global_of({"status", "--json", "-m", "other.yaml", "-vv", "--no-color"});
  EXPECT_EQ(behind.output, OutputMode::kJson);
  EXPECT_EQ(behind.manifest, "other.yaml");
  EXPECT_EQ(behind.verbosity, 2);
  EXPECT_TRUE(behind.no_color);
  EXPECT_EQ(global_of({"status", "--format", "json"}).output, OutputMode::kJson);
  EXPECT_EQ(global_of({"status", "-q"}).output, OutputMode::kQuiet);
}

TEST(Parse, ContradictionsAreUsageErrors) {
  const std::vector<Args> contradictions{
      {"status", "--json", "-q"},
      {"status", "--json", "-o", "text"},
      {"run", "p", "--steps", "a", "--exclude", "b"},
      {"run", "p", "--steps", "a", "--from-step", "b"},
      {"run", "p", "--dry-run", "--detach"},
      {"run", "p", "--force-model"},
      {"gate", "--choice", "yes"},
      {"clean"},
      {"status", "some-run", "--all"},
  };
  for (const Args& args : contradictions) {
    EXPECT_EQ(error_of(args).code, Code::kUsage) << join(args, " ");
  }
}

TEST(Promises, O6_UsageErrorsSayWhatWasMeant) {
  const Error command = error_of({"stauts"});
  EXPECT_EQ(exit_code(command.code), 2);
  EXPECT_THAT(command.hint, HasSubstr("wave status"));
  const Error option = error_of({"run", "p", "--inptu", "x"});
  EXPECT_EQ(exit_code(option.code), 2);
  EXPECT_THAT(option.hint, HasSubstr("--input"));
  const Error value = error_of({"status", "-o", "jsno"});
  EXPECT_THAT(value.message, HasSubstr("json"));
  const Error many = error_of({"run", "p", "add", "an", "option"});
  EXPECT_THAT(many.hint, HasSubstr("quotes"));
  for (const Args& args : std::vector<Args>{{"run", "--timeout", "soon"},
                                            {"logs", "--tail", "-3"},
                                            {"run", "--tag", "novalue"},
                                            {"cancel"},
                                            {"do"},
                                            {"completion", "powershell"},
                                            {"run", "--model"}}) {
    const Error error = error_of(args);
    EXPECT_EQ(error.code, Code::kUsage) << join(args, " ");
    EXPECT_FALSE(error.message.empty());
    EXPECT_THAT(error.message, Not(HasSubstr("\n")));
  }
}

TEST(Parse, EveryCommandHasHelpWithAnExample) {
  for (const CommandInfo& command : describe_commands()) {
    EXPECT_FALSE(command.summary.empty()) << command.name;
    ASSERT_FALSE(command.examples.empty()) << command.name;
    const std::string help = text_of({command.name, "--help"});
    EXPECT_THAT(help, AllOf(HasSubstr("Usage: wave " + command.name), HasSubstr("Examples:")));
    for (const std::string& example : command.examples) EXPECT_THAT(help, HasSubstr(example));
    for (const OptionInfo& option : command.options) {
      EXPECT_FALSE(option.help.empty()) << command.name << " " << option.names.front();
    }
    EXPECT_EQ(help, text_of({"help", command.name}));
  }
}

TEST(Parse, TheHelpListsTheCommands) {
  const std::string help = text_of({"--help"});
  for (const char* name :
       {"init", "run", "do", "resume", "cancel", "status", "logs", "artifacts", "list", "validate",
        "gate", "doctor", "clean", "version", "completion"}) {
    EXPECT_THAT(help, HasSubstr(std::string("\n  ") + name + " ")) << name;
  }
  EXPECT_THAT(help, Not(HasSubstr("__own")));
  EXPECT_EQ(help, text_of({}));
}

TEST(Parse, TellsWhichCommandsExecuteRuns) {
  const auto executes = [](const Args& args) {
    auto result = parse(args);
    return result && std::get<Invocation>(*result).executes_runs;
  };
  EXPECT_TRUE(executes({"run", "p"}));
  EXPECT_TRUE(executes({"resume"}));
  EXPECT_TRUE(executes({"__own", "id"}));
  EXPECT_FALSE(executes({"status"}));
  EXPECT_FALSE(executes({"version"}));
}

TEST(Parse, JsonIsRecognisedInBrokenCommandLines) {
  EXPECT_TRUE(asks_for_json({"statsu", "--json"}));
  EXPECT_TRUE(asks_for_json({"-o", "json", "nothing"}));
  EXPECT_FALSE(asks_for_json({"run", "json"}));
}

TEST(Parse, StepTimeoutsAreMinutesOrDurations) {
  EXPECT_EQ(parse_step_timeout("2").value(), Millis(120'000));
  EXPECT_EQ(parse_step_timeout("90s").value(), Millis(90'000));
  EXPECT_FALSE(parse_step_timeout("0").has_value());
  EXPECT_FALSE(parse_step_timeout("").has_value());
}

TEST(Parse, AnEmptyInputIsAnInput) {
  EXPECT_EQ(parsed<RunOptions>({"run", "p", ""}).input, "");
  EXPECT_EQ(parsed<RunOptions>({"run", "p", "--input", ""}).input, "");
  EXPECT_EQ(parsed<RunOptions>({"run", "p", "--input", "--steps"}).input, "--steps");
}

}  // namespace
}  // namespace wave::cli

#include "agent/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/contract_text.h"

namespace wave::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

class PromptTest : public testing::Test {
 protected:
  void SetUp() override {
    manifest_.base_protocol = "Protocol of run {{ run.id }}.\n";
    persona_.name = "maker";
    persona_.system_prompt = "# Maker\n\nYou make things in step {{step_id}} for {{ other }}.";
    step_.id = "build";
    request_.manifest = &manifest_;
    request_.persona = &persona_;
    request_.step = &step_;
    request_.task = "Build the thing.";
    request_.run_id = "demo-20261123-174808-abcdefghjk";
  }

  model::Template text(std::string literal) { return {{std::move(literal)}}; }

  model::Manifest manifest_;
  model::Persona persona_;
  model::Step step_;
  PromptRequest request_;
};

TEST_F(PromptTest, ATaskAloneIsTheWholePrompt) {
  const Prompt prompt = assemble_prompt(request_);
  EXPECT_EQ(prompt.user, "Build the thing.\n");
  EXPECT_EQ(prompt.system,
            "Protocol of run demo-20261123-174808-abcdefghjk.\n\n"
            "# Maker\n\nYou make things in step build for {{ other }}.\n");
}

TEST_F(PromptTest, EverythingAtOnce) {
  step_.output_artifacts.push_back(
      {"plan", text(".agents/output/plan.json"), "json", true, false, {}});
  step_.output_artifacts.push_back(
      {"notes", text(".agents/output/notes.md"), "markdown", false, false, {}});
  step_.output_artifacts.push_back({"answer", {}, "text", false, true, {}});
  request_.outputs = {
      {"plan", ".agents/output/plan.json"}, {"notes", ".agents/output/notes.md"}, {"answer", ""}};
  request_.inputs = {{"spec", ".agents/artifacts/spec.md", "markdown", "specify", false},
                     {"hints", "", "", "research", true}};
  request_.attempt = 2;
  request_.max_attempts = 3;
  request_.resumed_from_checkpoint = true;
  request_.failure.message = "plan.json does not fulfil its schema";
  request_.failure.contract_errors = {"/steps: is missing"};
  request_.failure.output_tail = "I have ```finished```.";
  model::Contract schema;
  schema.type = "json_schema";
  schema.source = text(".agents/output/plan.json");
  schema.schema_text =
      R"({"type":"object","required":["steps","kind"],"properties":{"steps":{"type":"array","items":{"type":"object","required":["id","size"],"properties":{"id":{"type":"string"},"size":{"type":"integer","minimum":1}}}},"kind":{"enum":["big","small"]},"more":{"type":"string"}}})";
  model::Contract file;
  file.type = "non_empty_file";
  model::Contract tests;
  tests.type = "test_suite";
  model::Contract review;
  review.type = "agent_review";
  review.criteria_text = "Is it simple?";
  step_.contracts = {schema, file, tests, review};
  request_.contract_commands = {"", "", "make test", ""};
  request_.permissions = {{"Read", "Bash(make *)"}, {"WebFetch"}};
  const Prompt prompt = assemble_prompt(request_);
  EXPECT_EQ(prompt.user, R"(## What to produce

Later steps read exactly these; nothing else you write is passed on.

- plan: write it to `.agents/output/plan.json` as one JSON document, without a fence around it (the step fails without it)
- notes: write it to `.agents/output/notes.md` as Markdown
- answer: your final answer, as text

## What you have to work with

- spec: `.agents/artifacts/spec.md` (markdown), from step specify
- hints, from step research: there is none this time, and you can do without it

## You take over in the middle

An earlier try at this step was interrupted from outside. The workspace is as its last checkpoint kept it, so part of the work may be done already: look before you repeat anything that has an effect outside the workspace.

## The attempt before this one failed

This is attempt 2 of 3. What the attempt before left in the workspace may still be there: look at it first, keep what is good.

What went wrong: plan.json does not fulfil its schema

The check of the result said:
- /steps: is missing

The last words before that:

````
I have ```finished```.
````

## Your task

Build the thing.

## How the result is checked

This is checked by machine when you have finished.

1. `.agents/output/plan.json` has to be valid JSON that fulfils the schema below.
Required: steps, kind.
The least it can be looks like this:

```json
{
  "steps": [
    {
      "id": "...",
      "size": 1
    }
  ],
  "kind": "big"
}
```

Schema:

```json
)" + schema.schema_text + R"(
```

2. the first output has to exist and must not be empty.

3. This command has to end with exit code 0. Run it yourself before you finish:

```sh
make test
```

4. Another agent reviews your work, and nobody is asked in between.
It goes by these criteria:

```
Is it simple?
```
)");
  EXPECT_THAT(prompt.system, testing::EndsWith(R"(## Limits

You may use only these tools: Read, Bash(make *).
You may not use: WebFetch.
This is enforced. When something you need is refused, do not look for a way around it: do what you can without it, and say in your answer what was missing.
)"));
}

TEST_F(PromptTest, ReworkTellsWhatThereIsToRepair) {
  request_.rework_of = "plan";
  request_.attempt = 2;
  request_.failure.message = "it was empty";
  request_.rework_artifacts = {".agents/output/plan.json"};
  const Prompt prompt = assemble_prompt(request_);
  EXPECT_THAT(prompt.user, testing::StartsWith(R"(## What there is to repair

Step plan did not deliver what it had to. You repair its work.

What went wrong: it was empty

What it left behind:
- `.agents/output/plan.json`

## Your task
)"));
}

TEST_F(PromptTest, ASlashCommandStandsFirst) {
  step_.exec.type = model::Exec::Type::kSlashCommand;
  request_.task = "/review the code";
  request_.outputs = {{"notes", "notes.md"}};
  EXPECT_THAT(assemble_prompt(request_).user, testing::StartsWith("/review the code\n\n## What"));
}

TEST_F(PromptTest, EverythingFromOutsideIsBounded) {
  request_.attempt = 2;
  request_.failure.message = std::string(1 << 20, 'm');
  request_.failure.output_tail = std::string(1 << 20, 't') + "\xff the end";
  request_.failure.contract_errors.assign(1000, std::string(1 << 12, 'e'));
  model::Contract schema;
  schema.type = "json_schema";
  schema.schema_text = "{\"description\":\"" + std::string(1 << 20, 's') + "\"}";
  model::Contract review;
  review.type = "agent_review";
  review.criteria_text = std::string(1 << 20, 'c');
  step_.contracts = {schema, review};
  const Prompt prompt = assemble_prompt(request_);
  EXPECT_LT(prompt.user.size(), 100u << 10);
  EXPECT_THAT(prompt.user, HasSubstr("the end"));
  EXPECT_THAT(prompt.user, HasSubstr("and 980 more"));
  EXPECT_THAT(prompt.user, HasSubstr("The schema goes on"));
  EXPECT_EQ(prompt.user.find('\xff'), std::string::npos);
}

TEST_F(PromptTest, ValuesAreNeverScannedAgain) {
  request_.run_id = "{{ step_id }}";
  EXPECT_THAT(assemble_prompt(request_).system, HasSubstr("Protocol of run {{ step_id }}."));
  request_.task = "a {{ run.id }}";
  EXPECT_THAT(assemble_prompt(request_).user, HasSubstr("a {{ run.id }}"));
}

TEST(ContractText, SkeletonsOfOddSchemas) {
  const auto skeleton = [](std::string_view schema) {
    return dump_json(schema_skeleton(parse_json(schema)->as_object()));
  };
  EXPECT_EQ(skeleton("{}"), "\"...\"");
  EXPECT_EQ(skeleton(R"({"const":5})"), "5");
  EXPECT_EQ(skeleton(R"({"type":["string","null"]})"), "\"...\"");
  EXPECT_EQ(skeleton(R"({"items":{"type":"boolean"}})"), "[false]");
  EXPECT_EQ(skeleton(R"({"required":["a",7],"properties":{"a":true}})"), R"({"a":"..."})");
  std::string deep = "{}";
  for (int i = 0; i < 50; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  EXPECT_LT(skeleton(deep).size(), 40u);
}

TEST(ContractText, FencesAreLongerThanWhatTheyHold) {
  EXPECT_EQ(fenced("a", "sh"), "```sh\na\n```");
  EXPECT_EQ(fenced("````"), "`````\n````\n`````");
}

}  // namespace
}  // namespace wave::agent

#include "cli/init_files.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "cli/adhoc.h"

namespace wave::cli {
namespace {

struct PersonaText {
  std::string_view name, description, tools, deny, prompt;
};

constexpr std::array kPersonas{
    PersonaText{"navigator", "reads the code and tells what is there", "Read, Glob, Grep, Write",
                "Edit", R"(# Navigator

You find your way through code that you have not seen before, and tell others what you found.

- Read before you conclude. Name files and lines for everything you state.
- Tell facts apart from guesses, and say what you did not look at.
- Change nothing in the project. The only file you write is the one you were asked for.
)"},
    PersonaText{"planner", "turns a task into a short, checkable plan", "Read, Glob, Grep, Write",
                "Edit", R"(# Planner

You turn a task into the smallest plan that fulfils it.

- Each task of the plan says what changes, where, and how one sees that it is done.
- Order them so that the project works after each one.
- What is unclear in the request becomes an explicit assumption, not a silent choice.
- You plan; you do not change the project. The only file you write is the plan.
)"},
    PersonaText{"craftsman", "writes the code and the tests", "Read, Glob, Grep, Write, Edit, Bash",
                "", R"(# Craftsman

You change code the way its owners would: in their style, no larger than needed, with tests.

- Read the plan and the code around what you change before you begin.
- A new behaviour comes with a test that fails without it.
- Run the project's own checks before you say that you are done.
- Commit your work with a message that says why. Do not push.
- If something cannot be done as planned, do what is right and write down what differs.
)"},
    PersonaText{"reviewer", "looks for what is wrong with a change", "Read, Glob, Grep, Write",
                "Edit", R"(# Reviewer

You look at a change as the person who will have to live with it.

- Correctness first, then missing tests, then clarity. Taste is no finding.
- Each finding has a file, a line, what goes wrong and when, and how to repair it.
- No finding is a fine result. Never invent one.
- You judge; you do not repair.
)"},
};

constexpr std::string_view kBaseProtocol = R"(# How we work

You are one step of a pipeline. Each step starts afresh: you know what is in this message and in the
files you find, and nothing that earlier steps only thought.

- Inputs of earlier steps lie in `.agents/artifacts/`. Read them before anything else.
- Write the outputs you were asked for to exactly the paths you were given.
- Your outputs are checked by contracts. If you are told that one does not hold, repair that.
- Use your tools to do the work; do not describe work that you have not done.
- Never push, publish or open pull requests unless this step is for that.
)";

constexpr std::string_view kPlanSchema = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "required": ["goal", "tasks"],
  "properties": {
    "goal": {"type": "string", "minLength": 1},
    "assumptions": {"type": "array", "items": {"type": "string"}},
    "tasks": {
      "type": "array",
      "minItems": 1,
      "items": {
        "type": "object",
        "required": ["title", "files", "check"],
        "properties": {
          "title": {"type": "string", "minLength": 1},
          "files": {"type": "array", "items": {"type": "string"}},
          "check": {"type": "string", "minLength": 1}
        }
      }
    }
  }
}
)";

constexpr std::string_view kReviewCriteria = R"(# What a change has to be

1. It does what the plan says, and nothing that the plan does not say.
2. It is correct, at the edges and when things fail, too.
3. What is new is tested; the tests fail without the change.
4. A reader who does not know the plan understands the code.

Verdict `pass` when all four hold, `warn` when only the fourth is in doubt, `fail` otherwise.
)";

constexpr std::string_view kImplementPrompt =
    R"(Carry out the plan in `.agents/artifacts/plan.json`.
It was made for this request:

{{ input }}

Work through its tasks in order and check each one the way it says. Commit what you did. Then write a
short account: what changed, what differs from the plan and why, how it was checked.
)";

std::string project_block(const InitFacts& facts) {
  if (facts.flavour == nullptr) {
    return "# Nothing is known about how this project is built and tested. Say it here:\n"
           "# project:\n"
           "#   test_command: make test\n";
  }
  const Flavour& flavour = *facts.flavour;
  std::string text = "project:\n  flavour: " + std::string(flavour.name) + "\n";
  const std::array<std::pair<std::string_view, std::string_view>, 6> keys{{
      {"language", flavour.language},
      {"test_command", flavour.test},
      {"lint_command", flavour.lint},
      {"build_command", flavour.build},
      {"format_command", flavour.format},
      {"source_glob", flavour.source_glob},
  }};
  for (const auto& [key, value] : keys) {
    if (!value.empty()) text += fmt::format("  {}: {}\n", key, yaml_quoted(value));
  }
  return text;
}

std::string adapter_block(const std::string& adapter) {
  if (adapter == "scripted") {
    return "adapters:\n"
           "  # Plays .agents/scripts/<step or persona>.yaml instead of asking a model.\n"
           "  scripted:\n"
           "    binary: wave\n"
           "    mode: headless\n";
  }
  return "adapters:\n"
         "  claude:\n"
         "    binary: claude\n"
         "    mode: headless\n"
         "    tier_models:\n"
         "      cheapest: haiku\n"
         "      balanced: sonnet\n"
         "      strongest: opus\n";
}

std::string persona_block(const std::string& adapter) {
  std::string text = "personas:\n";
  for (const PersonaText& persona : kPersonas) {
    text += fmt::format(
        "  {0}:\n"
        "    adapter: {1}\n"
        "    description: {2}\n"
        "    system_prompt_file: .agents/personas/{0}.md\n"
        "    permissions:\n"
        "      allowed_tools: [{3}]\n",
        persona.name, adapter, persona.description, persona.tools);
    if (!persona.deny.empty()) text += fmt::format("      deny: [{}]\n", persona.deny);
  }
  return text;
}

std::string manifest_text(const InitFacts& facts) {
  return fmt::format(
      "apiVersion: v1\n"
      "kind: WaveManifest\n"
      "metadata:\n"
      "  name: {}\n\n"
      "{}\n{}\n{}\n"
      "runtime:\n"
      "  workspace_root: .agents/workspaces\n"
      "  timeouts:\n"
      "    step_default_minutes: 30\n",
      yaml_quoted(facts.name), project_block(facts), adapter_block(facts.adapter),
      persona_block(facts.adapter));
}

/// Contracts of a step that changes code: the project's own tests where there are some.
std::string work_contracts(const InitFacts& facts) {
  if (facts.flavour != nullptr && !facts.flavour->test.empty()) {
    return "        - type: test_suite\n"
           "          command: \"{{ project.test_command }}\"\n"
           "          dir: \".\"\n";
  }
  return "        - type: non_empty_file\n"
         "          source: .agents/output/account.md\n";
}

std::string implement_pipeline(const InitFacts& facts) {
  const std::string contracts = work_contracts(facts);
  return R"(kind: WavePipeline
metadata:
  name: implement
  description: Plan a change, make it on a branch of its own, have it reviewed
input:
  source: cli
  example: "add a --json option to the list command"
steps:
  - id: plan
    persona: planner
    workspace:
      type: worktree
      branch: "wave/{{ pipeline_id }}"
    exec:
      type: prompt
      source: |
        Plan this change:

        {{ input }}
    output_artifacts:
      - name: plan
        path: .agents/output/plan.json
        type: json
        required: true
    handover:
      contracts:
        - type: json_schema
          source: .agents/output/plan.json
          schema_path: .agents/contracts/plan.schema.json
    retry:
      policy: standard

  - id: implement
    persona: craftsman
    dependencies: [plan]
    memory:
      inject_artifacts:
        - step: plan
          artifact: plan
          as: plan.json
    workspace:
      type: worktree
      branch: "wave/{{ pipeline_id }}"
    exec:
      type: prompt
      source_path: .agents/prompts/implement.md
    output_artifacts:
      - name: account
        path: .agents/output/account.md
        type: markdown
        required: true
    handover:
      contracts:
)" + contracts +
         R"(        - type: agent_review
          persona: reviewer
          criteria_path: .agents/contracts/review-criteria.md
          context:
            - source: git_diff
            - source: artifact
              artifact: plan
          on_failure: rework
          rework_step: repair
          max_retries: 2
    retry:
      policy: standard

  # Runs only when the review of `implement` asks for it.
  - id: repair
    persona: craftsman
    rework_only: true
    workspace:
      type: worktree
      branch: "wave/{{ pipeline_id }}"
    exec:
      type: prompt
      source: |
        The review of this change found something to repair. The request was:

        {{ input }}

        Repair what the review names, check it again, commit, and bring the account up to date.
    output_artifacts:
      - name: account
        path: .agents/output/account.md
        type: markdown
        required: true
    handover:
      contracts:
)" + contracts;
}

constexpr std::string_view kReviewPipeline = R"(kind: WavePipeline
metadata:
  name: review
  description: Review the newest commit, or what the input names
input:
  source: cli
  example: "the last three commits"
steps:
  - id: review
    persona: reviewer
    workspace:
      type: worktree
    exec:
      type: prompt
      source: |
        Review this, or the newest commit if nothing is named here: {{ input }}

        Write a report: a verdict in one sentence, then the findings, the worst first.
    output_artifacts:
      - name: report
        path: .agents/output/report.md
        type: markdown
        required: true
    handover:
      contracts:
        - type: non_empty_file
          source: .agents/output/report.md
    retry:
      policy: standard
)";

constexpr std::string_view kExplainPipeline = R"(kind: WavePipeline
metadata:
  name: explain
  description: Explain how something in this project works
input:
  source: cli
  example: "how are errors reported to the user?"
steps:
  - id: explore
    persona: navigator
    workspace:
      type: worktree
    exec:
      type: prompt
      source: |
        Find out, from the code: {{ input }}

        Write down what you found, with files and lines, so that somebody else can explain it.
    output_artifacts:
      - name: findings
        path: .agents/output/findings.md
        type: markdown
        required: true
    handover:
      contracts:
        - type: non_empty_file
          source: .agents/output/findings.md
  - id: write
    persona: planner
    dependencies: [explore]
    memory:
      inject_artifacts:
        - step: explore
          artifact: findings
          as: findings.md
    exec:
      type: prompt
      source: |
        Explain to somebody new to this project: {{ input }}

        Use the findings in .agents/artifacts/findings.md. Begin with the answer in two sentences.
    output_artifacts:
      - name: explanation
        path: .agents/output/explanation.md
        type: markdown
        required: true
    handover:
      contracts:
        - type: non_empty_file
          source: .agents/output/explanation.md
)";

std::vector<InitFile> script_files() {
  return {
      {".agents/scripts/plan.yaml",
       "# What the scripted agent of step `plan` does. Replace it, or use a real agent.\n"
       "- think: What is asked for, and where does it belong?\n"
       "- say: I plan a single task.\n"
       "- sleep: 300ms\n"
       "- write:\n"
       "    path: .agents/output/plan.json\n"
       "    content: '{\"goal\": \"show how a pipeline works\", \"tasks\": [{\"title\": \"write a "
       "note\", \"files\": [\"NOTE.md\"], \"check\": \"the file is there\"}]}'\n"
       "- usage: {in: 1200, out: 180, cost: 0.004}\n"
       "- result: The plan has one task.\n"},
      {".agents/scripts/craftsman.yaml",
       "# Every step of the craftsman that has no script of its own.\n"
       "- read: .agents/artifacts/plan.json\n"
       "- write: {path: NOTE.md, content: \"Written by a scripted agent.\\n\"}\n"
       "- run: git add NOTE.md && git -c user.name=wave -c user.email=wave@localhost commit -qm "
       "'Add a note' || true\n"
       "- sleep: 300ms\n"
       "- write: {path: .agents/output/account.md, content: \"Added NOTE.md, as planned.\\n\"}\n"
       "- usage: {in: 3400, out: 520, cost: 0.02}\n"
       "- result: Done.\n"},
      {".agents/scripts/reviewer.yaml",
       "# The reviewer of other steps' work: the last words are its verdict.\n"
       "- say: I read the change.\n"
       "- sleep: 200ms\n"
       "- usage: {in: 2100, out: 90, cost: 0.006}\n"
       "- result: '{\"verdict\": \"pass\", \"issues\": [], \"suggestions\": [], \"confidence\": "
       "0.9, \"summary\": \"It does what the plan says.\"}'\n"},
      {".agents/scripts/review.yaml",
       "- write: {path: .agents/output/report.md, content: \"Nothing to find fault with.\\n\"}\n"
       "- result: Reviewed.\n"},
      {".agents/scripts/explore.yaml",
       "- write: {path: .agents/output/findings.md, content: \"It is a small project.\\n\"}\n"
       "- result: Found.\n"},
      {".agents/scripts/write.yaml",
       "- write: {path: .agents/output/explanation.md, content: \"It is simple.\\n\"}\n"
       "- result: Written.\n"},
      {".agents/scripts/look.yaml",
       "- write: {path: .agents/output/findings.md, content: \"One file matters.\\n\"}\n"
       "- result: Looked.\n"},
  };
}

}  // namespace

std::vector<InitFile> init_files(const InitFacts& facts) {
  std::vector<InitFile> files{
      {"wave.yaml", manifest_text(facts)},
      {".agents/personas/base-protocol.md", std::string(kBaseProtocol)},
      {".agents/pipelines/implement.yaml", implement_pipeline(facts)},
      {".agents/pipelines/review.yaml", std::string(kReviewPipeline)},
      {".agents/pipelines/explain.yaml", std::string(kExplainPipeline)},
      {".agents/contracts/plan.schema.json", std::string(kPlanSchema)},
      {".agents/contracts/review-criteria.md", std::string(kReviewCriteria)},
      {".agents/prompts/implement.md", std::string(kImplementPrompt)},
  };
  for (const PersonaText& persona : kPersonas) {
    files.push_back(
        {fmt::format(".agents/personas/{}.md", persona.name), std::string(persona.prompt)});
  }
  if (facts.adapter == "scripted") {
    for (InitFile& file : script_files()) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace wave::cli

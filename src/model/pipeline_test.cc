#include "model/pipeline.h"

#include "model/reference.h"
#include "model/test_project.h"

namespace wave::model {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kFull = R"(kind: WavePipeline
metadata: {name: full, description: d, category: c, release: true, disabled: false}
requires: {tools: [git, "{{ project.skill }}", "{{ project.language }}"]}
input: {source: cli, type: issue_ref, example: e, schema: {type: string, description: d}}
max_step_visits: 9
skills: ["{{ project.skill }}"]
hooks:
  - {name: h, event: step_start, type: command, command: "true"}
chat_context: {artifact_summaries: [spec], suggested_questions: [q], focus_areas: [f], max_context_tokens: 5}
pipeline_outputs:
  out: {step: build, artifact: log, type: string, field: x}
steps:
  - id: plan
    persona: coder
    model: cheapest
    timeout_minutes: 5
    optional: true
    workspace: {type: worktree, branch: "{{ pipeline_id }}", base: main}
    exec:
      source: |
        Plan {{ input }}.
        For {{ step_id }}.
    output_artifacts:
      - {name: spec, path: .agents/output/spec.json, type: json, required: true}
      - {name: said, source: stdout}
    handover:
      contracts:
        - {type: json_schema, schema_path: .agents/contracts/ok.json, on_failure: warn, must_pass: true}
        - {type: agent_review, persona: reviewer, criteria_path: .agents/contracts/criteria.md, timeout: 5m, context: [{source: git_diff, diff_base: main}, {source: artifact, artifact: spec}], on_failure: rework, rework_step: repair}
    retry: {policy: patient, max_attempts: 2, no_escalate: true}
    permissions: {allowed_tools: [Read], deny: [Bash]}
  - id: build
    dependencies: [plan]
    type: command
    script: make {{ project.test_command }} '{{ input }}'
    memory: {strategy: fresh, inject_artifacts: [{step: plan, artifact: spec, as: the-spec, type: json}]}
    output_artifacts: [{name: log, path: log.txt}]
    handover: {contract: {type: non_empty_file}}
    on_interrupt: gate
  - id: ask
    dependencies: [build]
    gate: {type: approval, prompt: "ok {{ artifacts.log }}?", timeout: 1h, default: n, freeform: true, approvers: [ada, "role:admin"], forbid_self_approval: true, choices: [{label: "Yes", key: y}, {label: "No", key: n, target: _fail}, {label: Again, key: a, target: plan}]}
  - id: file
    persona: "{{ forge.type }}-commenter"
    dependencies: [ask]
    workspace: {ref: plan}
    exec: {type: prompt, source_path: .agents/prompts/task.md}
  - id: repair
    persona: coder
    rework_only: true
    exec: {type: slash_command, command: fix, args: all}
)";

TEST(Pipeline, EveryKeyIsTyped) {
  const Loaded<Project> loaded = load_yaml(kFull);
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  const Pipeline& p = loaded.value.pipeline;
  EXPECT_EQ(p.name, "full");
  EXPECT_EQ(p.path, ".agents/pipelines/p.yaml");
  EXPECT_THAT(p.required_tools, ElementsAre("git", "cpp"));
  EXPECT_THAT(p.skills, IsEmpty());
  EXPECT_EQ(p.input.type, "issue_ref");
  EXPECT_EQ(p.hooks.size(), 1U);
  EXPECT_EQ(p.chat_context->max_context_tokens, 5);
  EXPECT_EQ(p.outputs.at("out").field, "x");
  ASSERT_EQ(p.steps.size(), 5U);
  EXPECT_EQ(p.index_of("build"), 1);
  EXPECT_EQ(p.index_of("nothing"), -1);

  const Step& plan = *p.find("plan");
  EXPECT_EQ(plan.kind, StepKind::kPersona);
  EXPECT_EQ(plan.timeout, std::chrono::minutes(5));
  EXPECT_EQ(plan.on_failure(), OnFailure::kContinue);
  EXPECT_EQ(plan.workspace.kind, Workspace::Kind::kWorktree);
  EXPECT_EQ(plan.workspace.branch.source(), "{{ pipeline_id }}");
  EXPECT_EQ(plan.workspace.base.literal(), "main");
  EXPECT_EQ(plan.exec.source.expressions()[0]->pos,
            (SourcePos{".agents/pipelines/p.yaml", 21, 14}));
  EXPECT_EQ(plan.exec.source.expressions()[1]->pos,
            (SourcePos{".agents/pipelines/p.yaml", 22, 13}));
  EXPECT_TRUE(plan.output_artifacts[0].required);
  EXPECT_TRUE(plan.output_artifacts[1].from_stdout);
  ASSERT_EQ(plan.contracts.size(), 2U);
  EXPECT_EQ(plan.contracts[0].source.literal(), ".agents/output/spec.json");
  EXPECT_EQ(plan.contracts[0].schema_text, R"({"type": "object"})");
  EXPECT_EQ(plan.contracts[0].on_failure, OnFailure::kWarn);
  EXPECT_EQ(plan.contracts[1].criteria_text, "Be strict.");
  EXPECT_EQ(plan.contracts[1].timeout, std::chrono::minutes(5));
  EXPECT_EQ(plan.contracts[1].context[0].diff_base, "main");
  EXPECT_EQ(plan.retry.max_attempts, 2);
  EXPECT_EQ(plan.retry.backoff, Backoff::kExponential);
  EXPECT_EQ(plan.retry.base_delay, std::chrono::seconds(5));
  EXPECT_EQ(plan.retry.max_delay, std::chrono::seconds(90));
  EXPECT_TRUE(plan.retry.no_escalate);
  EXPECT_THAT(plan.permissions.deny, ElementsAre("Bash"));

  const Step& build = *p.find("build");
  EXPECT_EQ(build.kind, StepKind::kCommand);
  EXPECT_EQ(build.on_interrupt, Step::OnInterrupt::kGate);
  EXPECT_EQ(build.inject_artifacts[0].as, "the-spec");
  EXPECT_EQ(build.contracts[0].source.literal(), "log.txt");
  EXPECT_EQ(build.retry.max_attempts, 1);
  EXPECT_EQ(build.on_failure(), OnFailure::kFail);

  const Step& ask = *p.find("ask");
  EXPECT_EQ(ask.kind, StepKind::kGate);
  EXPECT_EQ(ask.gate->choices.size(), 3U);
  EXPECT_EQ(ask.gate->timeout, std::chrono::hours(1));
  EXPECT_THAT(ask.gate->approvers, ElementsAre("ada", "role:admin"));
  EXPECT_TRUE(ask.gate->forbid_self_approval);

  const Step& file = *p.find("file");
  EXPECT_EQ(file.exec.source.expressions()[0]->pos, (SourcePos{".agents/prompts/task.md", 3, 4}));
  EXPECT_EQ(file.workspace.kind, Workspace::Kind::kRef);
  EXPECT_EQ(p.find("repair")->exec.type, Exec::Type::kSlashCommand);
}

TEST(Pipeline, PoliciesGiveWayToWrittenKeys) {
  const Loaded<Project> loaded = load_steps(R"(
  - {id: a, script: x, retry: {policy: none}}
  - {id: b, script: x, retry: {policy: standard, base_delay: 2s}}
  - {id: c, script: x, retry: {policy: aggressive, backoff: fixed, max_attempts: 7}}
  - {id: d, script: x, retry: {max_attempts: 2}}
)");
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  const auto& steps = loaded.value.pipeline.steps;
  EXPECT_EQ(steps[0].retry.max_attempts, 1);
  EXPECT_EQ(steps[0].retry.max_delay, Millis(0));
  EXPECT_EQ(steps[1].retry.base_delay, Millis(2000));
  EXPECT_EQ(steps[1].retry.max_delay, Millis(30'000));
  EXPECT_EQ(steps[2].retry.backoff, Backoff::kFixed);
  EXPECT_EQ(steps[2].retry.max_attempts, 7);
  EXPECT_EQ(steps[2].retry.base_delay, Millis(200));
  EXPECT_EQ(steps[3].retry.backoff, Backoff::kLinear);
}

struct Defect {
  std::string steps;
  std::string expected;  // part of the printed diagnostics
};

// One row per thing that can be wrong with steps.
const Defect kDefects[] = {
    {"  - {id: a, scrpt: x}",
     "p.yaml:4:13: error: steps[0].scrpt: unknown key \"scrpt\"\n  hint: did you mean \"script\"?"},
    {"  - {id: a, script: [x]}", "steps[0].script: this has to be text, not a list"},
    {"  - {script: x}", "steps[0]: the key \"id\" is missing"},
    {"  - just text", "steps[0]: this has to be a mapping, not text"},
    {"  - {id: ../x, script: x}", "steps[0].id: \"../x\" is no safe name"},
    {"  - {id: a, script: x}\n  - {id: a, script: y}",
     "p.yaml:5:10: error: steps[1].id: there are two steps \"a\"\n  hint: the first is in line 4"},
    {"  - {id: a, script: x, dependencies: [b]}",
     "p.yaml:4:39: error: steps[0].dependencies[0]: there is no step \"b\""},
    {"  - {id: build, script: x}\n  - {id: b, script: x, dependencies: [buidl]}",
     "did you mean \"build\"?"},
    {"  - {id: a, script: x, dependencies: [a]}", "a step cannot depend on itself"},
    {"  - {id: a, script: x, dependencies: [c]}\n  - {id: b, script: x, dependencies: [a]}\n  - "
     "{id: c, script: x, dependencies: [b]}",
     "the dependencies go in a circle: a -> c -> b -> a"},
    {"  - {id: a}", "steps[0]: the step has nothing to do"},
    {"  - {id: a, persona: coder}", "steps[0].exec: the step has no prompt"},
    {"  - {id: a, persona: codr, exec: {source: x}}",
     "steps[0].persona: there is no persona \"codr\"\n  hint: did you mean \"coder\"?"},
    {"  - {id: a, persona: \"{{ forge.type }}-nobody\", exec: {source: x}}", "no persona fits"},
    {"  - {id: a, persona: coder, adapter: clade, exec: {source: x}}",
     "steps[0].adapter: there is no adapter \"clade\"\n  hint: did you mean \"claude\"?"},
    {"  - {id: a, persona: coder, exec: {source_path: .agents/prompts/no.md}}",
     "steps[0].exec.source_path: the prompt cannot be read"},
    {"  - {id: a, persona: coder, exec: {source_path: ../no.md}}", "leads out of the project"},
    {"  - {id: a, persona: coder, exec: {type: slash_command}}", "a slash command needs its name"},
    {"  - {id: a, persona: coder, exec: {type: promt, source: x}}",
     "\"promt\" is not allowed\n  hint: did you mean \"prompt\"? allowed are prompt, "
     "slash_command, command"},
    {"  - {id: a, type: command}", "steps[0].script: a command step needs a script"},
    {"  - {id: a, type: comand, script: x}", "\"comand\" is not allowed"},
    {"  - {id: a, type: gate, script: x}", "a gate step needs \"gate\""},
    {"  - {id: a, type: pipeline, script: x}", "a pipeline step needs \"pipeline\""},
    {"  - {id: a, type: conditional}", "a conditional step needs edges"},
    {"  - {id: a, script: x, timeout_minutes: soon}", "this has to be a whole number, not text"},
    {"  - {id: a, script: x, timeout_minutes: \"5\"}", "this has to be a whole number, not text"},
    {"  - {id: a, script: x, optional: maybe}", "this has to be true or false"},
    {"  - {id: a, script: x, output_artifacts: [{name: o, path: x}, {name: o, path: y}]}",
     "there are two artifacts \"o\""},
    {"  - {id: a, script: x, output_artifacts: [{name: o}]}", "a file artifact needs its path"},
    {"  - {id: a, script: x, output_artifacts: [{name: o, path: ../x}]}",
     "leads out of the workspace"},
    {"  - {id: a, script: x, output_artifacts: [{name: o, path: /x}]}", "has to be relative"},
    {"  - {id: a, script: x, output_artifacts: [{name: o/p, path: x}]}", "no safe name"},
    {"  - {id: a, script: x, output_artifacts: [{name: o, path: x, type: jsn}]}",
     "\"jsn\" is not allowed"},
    {"  - {id: a, script: x}\n  - {id: b, script: x, dependencies: [a], memory: {inject_artifacts: "
     "[{step: a, artifact: o}]}}",
     "step \"a\" has no artifact \"o\""},
    {"  - {id: b, script: x, memory: {inject_artifacts: [{step: a, artifact: o}]}}",
     "there is no step \"a\""},
    {"  - {id: a, script: x, output_artifacts: [{name: o, path: x}]}\n  - {id: b, script: x, "
     "memory: {inject_artifacts: [{step: a, artifact: o}]}}",
     "warning: steps[1].memory.inject_artifacts[0].step: \"b\" does not depend on \"a\""},
    {"  - {id: a, script: x, dependencies: [b], output_artifacts: [{name: o, path: x}]}\n  - {id: "
     "b, script: x, memory: {inject_artifacts: [{step: a, artifact: o}]}}",
     "\"a\" runs after \"b\""},
    {"  - {id: a, script: x, output_artifacts: [{name: o, path: x, type: json}]}\n  - {id: b, "
     "script: x, dependencies: [a], memory: {inject_artifacts: [{step: a, artifact: o, type: "
     "text}]}}",
     "the artifact is of type json, not text"},
    {"  - {id: b, script: x, memory: {inject_artifacts: [{step: a, pipeline: p, artifact: o}]}}",
     "exclude each other"},
    {"  - {id: b, script: x, memory: {inject_artifacts: [{artifact: o}]}}",
     "either \"step\" or \"pipeline\" is needed"},
    {"  - {id: a, script: x, workspace: {ref: b}}",
     "steps[0].workspace.ref: there is no step \"b\""},
    {"  - {id: a, script: x, workspace: {ref: a}}", "cannot share its own workspace"},
    {"  - {id: a, script: x, workspace: {type: worktree, mount: [{source: ., target: /p}]}}",
     "one of a worktree, mounts and a ref"},
    {"  - {id: a, script: x, workspace: {branch: b}}", "need type: worktree"},
    {"  - {id: a, script: x, workspace: {mount: [{source: ., target: ../p}]}}",
     "the target leads out"},
    {"  - {id: a, script: x, workspace: {mount: [{source: ., target: /p, mode: rw}]}}",
     "\"rw\" is not allowed"},
    {"  - {id: a, script: x, retry: {policy: pateint}}", "did you mean \"patient\"?"},
    {"  - {id: a, script: x, retry: {base_delay: 5}}", "\"5\" is not a duration"},
    {"  - {id: a, script: x, retry: {max_attempts: 1000}}", "1000 attempts are too many"},
    {"  - {id: a, script: x, retry: {on_failure: rework}}", "rework needs \"rework_step\""},
    {"  - {id: a, script: x, retry: {on_failure: rework, rework_step: b}}",
     "there is no step \"b\""},
    {"  - {id: a, script: x, retry: {on_failure: rework, rework_step: a}}",
     "a step cannot repair itself"},
    {"  - {id: a, script: x, retry: {on_failure: rework, rework_step: b}}\n  - {id: b, script: x}",
     "add rework_only: true to \"b\""},
    {"  - {id: a, script: x, retry: {on_failure: rework, rework_step: b}}\n  - {id: b, script: x, "
     "rework_only: true, dependencies: [a]}",
     "must not depend on each other"},
    {"  - {id: a, script: x, retry: {on_failure: rework, rework_step: b}}\n  - {id: b, script: x, "
     "rework_only: true}\n  - {id: c, script: x, retry: {on_failure: rework, rework_step: b}}",
     "\"b\" already repairs \"a\""},
    {"  - {id: a, script: x, retry: {rework_step: b}}\n  - {id: b, script: x, rework_only: true}",
     "it has no effect without on_failure: rework"},
    {"  - {id: a, script: x}\n  - {id: b, script: x, rework_only: true}",
     "\"b\" can never run: no step names it"},
    {"  - {id: b, script: x, rework_only: true}", "every step is rework_only"},
    {"  - {id: a, script: x, dependencies: [b], retry: {on_failure: rework, rework_step: b}}\n  - "
     "{id: b, script: x, rework_only: true}",
     "runs only to repair another step"},
    {"  - {id: a, script: x, handover: {contract: {type: json_shema}}}",
     "did you mean \"json_schema\"?"},
    {"  - {id: a, script: x, handover: {contract: {source: f}}}", "the key \"type\" is missing"},
    {"  - {id: a, script: x, handover: {contract: {type: json_schema, source: f}}}",
     "needs \"schema\" or \"schema_path\""},
    {"  - {id: a, script: x, handover: {contract: {type: non_empty_file}}}",
     "there is no file to check"},
    {"  - {id: a, script: x, handover: {contract: {type: json_schema, source: f, schema_path: "
     ".agents/contracts/no.json}}}",
     "the schema cannot be read"},
    {"  - {id: a, script: x, handover: {contract: {type: json_schema, source: f, schema_path: "
     "etc/x.json}}}",
     "lies in no folder for schemas"},
    {"  - {id: a, script: x, handover: {contract: {type: json_schema, source: f, schema_path: "
     ".agents/contracts/../x.json}}}",
     "leads out of the project"},
    {"  - {id: a, script: x, handover: {contract: {type: json_schema, source: f, schema_path: "
     ".agents/contracts/bad.json}}}",
     "the schema is no JSON: not valid JSON at line 3"},
    {"  - {id: a, script: x, handover: {contract: {type: json_schema, source: f, schema: \"{\"}}}",
     "the schema is no JSON"},
    {"  - {id: a, script: x, handover: {contract: {type: test_suite}}}", "needs \"command\""},
    {"  - {id: a, script: x, handover: {contract: {type: agent_review}}}", "needs \"persona\""},
    {"  - {id: a, persona: coder, exec: {source: x}, handover: {contract: {type: agent_review, "
     "persona: coder, criteria_path: .agents/contracts/criteria.md}}}",
     "own persona cannot review it"},
    {"  - {id: a, script: x, handover: {contract: {type: agent_review, persona: nobody, "
     "criteria_path: .agents/contracts/criteria.md}}}",
     "handover.contract.persona: there is no persona \"nobody\""},
    {"  - {id: a, script: x, handover: {contract: {type: agent_review, persona: coder, "
     "criteria_path: no.md}}}",
     "the criteria cannot be read"},
    {"  - {id: a, script: x, handover: {contracts: [{type: non_empty_file, source: f, on_failure: "
     "retry}]}}",
     "steps[0].handover.contracts[0].on_failure: \"retry\" is not allowed"},
    {"  - {id: a, script: x, handover: {contracts: [{type: non_empty_file, source: f, on_failure: "
     "rework}]}}",
     "steps[0].handover.contracts[0].on_failure: rework needs"},
    {"  - {id: a, gate: {type: aproval}}", "did you mean \"approval\"?"},
    {"  - {id: a, gate: {prompt: x}}", "steps[0].gate: the key \"type\" is missing"},
    {"  - {id: a, gate: {type: timer}}", "a timer needs a timeout"},
    {"  - {id: a, gate: {type: approval, default: z, choices: [{label: x, key: y}]}}",
     "there is no choice \"z\""},
    {"  - {id: a, gate: {type: approval, choices: [{label: x, key: y}, {label: z, key: y}]}}",
     "there are two choices \"y\""},
    {"  - {id: a, gate: {type: approval, choices: [{label: x, key: y, target: b}]}}",
     "steps[0].gate.choices[0].target: there is no step \"b\""},
    {"  - {id: a, script: x, gate: {type: timer, timeout: 1s}}", "a gate runs no script"},
    {"  - {id: a, gate: {type: approval, approvers: []}}", "an empty list lets nobody answer"},
    {"  - {id: a, gate: {type: approval, approvers: [\" \"]}}", "nobody has an empty name"},
    {"  - {id: a, gate: {type: approval, approvers: [ada, \"role:viewer\"]}}",
     "steps[0].gate.approvers[1]: a viewer answers no gate"},
    {"  - {id: a, gate: {type: approval, approvers: [\"role:admn\"]}}",
     "did you mean \"role:admin\"?"},
    {"  - {id: a, gate: {type: timer, timeout: 1s, approvers: [ada]}}",
     "steps[0].gate.approvers: only an approval asks people"},
    {"  - {id: a, gate: {type: timer, timeout: 1s, forbid_self_approval: true}}",
     "steps[0].gate.forbid_self_approval: only an approval asks people"},
    {"  - {id: a, gate: {type: approval, auto: true, approvers: [ada]}}",
     "a gate with \"approvers\" does not answer itself"},
    {"  - {id: a, script: x, edges: [{target: b}]}",
     "steps[0].edges[0].target: there is no step \"b\""},
    {"  - {id: a, script: x, edges: [{target: _complete, condition: maybe}]}",
     "\"maybe\" is no condition"},
    {"  - {id: a, persona: coder, exec: {source: x}, fidelity: full}",
     "no meaning without \"thread\""},
    {"  - {id: a, persona: coder, exec: {source: x}, thread: t}\n  - {id: b, persona: coder, exec: "
     "{source: x}, thread: t}",
     "depends on no earlier step of the thread"},
    {"  - {id: a, persona: coder, exec: {source: x}, concurrency: 2, strategy: {type: matrix}}",
     "exclude each other"},
    {"  - {id: a, iterate: {over: \"[1]\"}}", "iterate needs the pipeline"},
    {"  - {id: a, iterate: {over: \"not json\"}, pipeline: \"{{ item }}\"}",
     "the items are no JSON array"},
    {"  - {id: a, loop: {until: x}}", "the key \"max_iterations\" is missing"},
    {"  - {id: a, loop: {max_iterations: 2, steps: [{id: b, script: x, dependencies: [c]}]}}",
     "steps[0].loop.steps[0].dependencies[0]: there is no step \"c\""},
    {"  - {id: a, pipeline: nowhere}", "steps[0].pipeline: there is no pipeline \"nowhere\""},
    {"  - {id: a, branch: {on: x, cases: {y: nowhere}}}",
     "steps[0].branch.cases.y: there is no pipeline \"nowhere\""},
    {"  - {id: a, persona: coder, max_concurrent_agents: 11, exec: {source: x}}", "at most 10"},
    {"  - {id: a, persona: coder, exec: {source: \"x {{ inptu }}\"}}",
     "p.yaml:4:47: error: steps[0].exec.source: unknown variable \"inptu\"\n  hint: did you mean "
     "\"input\"?"},
    {"  - id: a\n    script: |\n      x=1\n      y=$(echo {{ input }})\n",
     "p.yaml:7:16: error: steps[0].script: {{ input }} stands in a command substitution"},
    {"  - {id: a, script: x}\n  - {id: b, dependencies: [a], script: \"echo {{ a.output }}\"}",
     "step \"a\" has no artifact"},
    {"  - {id: a, script: x}\n  - {id: b, dependencies: [a], script: \"echo {{ gate.a.key }}\"}",
     "step \"a\" is no gate"},
    {"  - {id: a, script: \"echo {{ artifacts.o }}\"}", "there is no artifact \"o\""},
    {"  - {id: a, script: x, on_interrupt: stop}", "allowed are rerun, gate, fail"},
    {"  - {id: a, script: x, outcomes: [{type: prs}]}", "\"prs\" is not allowed"},
    {"  - {id: a, script: x, id: b}", "the key \"id\" is there twice"},
    {"  - {id: a, persona: reviewer, exec: {source: x}, permissions: {alowed_tools: [x]}}",
     "did you mean \"allowed_tools\"?"},
};

TEST(Pipeline, DefectsAreFoundAtLoad) {
  for (const Defect& defect : kDefects) {
    const Loaded<Project> loaded = load_steps(defect.steps + "\n");
    EXPECT_THAT(all_text(loaded.diagnostics), HasSubstr(defect.expected)) << defect.steps;
  }
}

TEST(Pipeline, DefectsAroundTheSteps) {
  const std::string text = all_text(load_yaml(R"(kind: Pipeline
metadata: {name: ../p}
input: {type: issue}
requires: {tools: ["{{ input }}"]}
pipeline_outputs:
  a: {step: b, artifact: c, type: string}
  d: {step: e, artifact: f, type: strng}
  g: {step: e, artifact: h}
step: []
steps:
  - {id: e, script: x}
)")
                                        .diagnostics);
  for (const char* expected :
       {"p.yaml:1:7: error: kind: \"Pipeline\" is not allowed",
        "metadata.name: \"../p\" is no safe name", "input.type: \"issue\" is not allowed",
        "requires.tools[0]: \"input\" is not known before the run",
        "pipeline_outputs.a.step: there is no step \"b\"",
        "pipeline_outputs.d.type: \"strng\" is not allowed",
        "pipeline_outputs.d.artifact: step \"e\" has no artifact \"f\"",
        "pipeline_outputs.g: the key \"type\" is missing", "step: unknown key \"step\""}) {
    EXPECT_THAT(text, HasSubstr(expected));
  }
  EXPECT_THAT(all_text(load_yaml("metadata: {name: p}\n").diagnostics),
              HasSubstr("the key \"steps\" is missing"));
  EXPECT_THAT(all_text(load_yaml("steps: []\n").diagnostics),
              HasSubstr("the pipeline has no step"));
  EXPECT_THAT(all_text(load_yaml("- a\n").diagnostics),
              HasSubstr("this has to be a mapping, not a list"));
}

TEST(Pipeline, WhatIsNotCarriedOutIsUnsupportedNotWrong) {
  const char* rows[] = {
      "  - {id: a, pipeline: \"{{ item }}\", iterate: {over: '[\"x\"]'}}",
      "  - {id: a, aggregate: {from: x, into: y, strategy: concat}}",
      "  - {id: a, branch: {on: x, cases: {y: skip}}}",
      "  - {id: a, loop: {max_iterations: 2, steps: [{id: b, script: x}]}}",
      "  - {id: a, pipeline: child}",
      "  - {id: a, type: pipeline, pipeline: child}",
      "  - {id: a, persona: coder, exec: {source: \"{{ task }}\"}, strategy: {type: matrix, "
      "items_source: x, item_key: y}}",
      "  - {id: a, persona: coder, exec: {source: x}, concurrency: 2}",
      "  - {id: a, script: x, edges: [{target: _complete}]}",
      "  - {id: a, type: conditional, edges: [{target: _complete}]}",
      "  - {id: a, script: x, thread: t}\n  - {id: b, script: x, dependencies: [a], thread: t}",
      "  - {id: a, script: x, handover: {compaction: {trigger: token_limit_80%, persona: coder}}}",
      "  - {id: a, script: x, handover: {contract: {type: llm_judge, source: f}}}",
      "  - {id: a, gate: {type: pr_merge, pr_number: 1}}",
      "  - {id: a, gate: {type: ci_pass}}",
      "  - {id: a, script: x, skills: [go]}",
      "  - {id: a, persona: coder, adapter: codex, exec: {source: x}}",
      "  - {id: a, persona: coder, exec: {type: command, source: x}}",
      "  - {id: a, script: x, memory: {inject_artifacts: [{pipeline: q, artifact: o}]}}",
      "  - {id: a, script: x, workspace: {ref: parent}}",
      "  - {id: b, script: x, output_artifacts: [{name: o, path: x}]}\n  - {id: a, script: x, "
      "dependencies: [b], workspace: {mount: [{source: ., target: /p, subset_from: b.o.files}]}}",
  };
  for (const char* row : rows) {
    const Loaded<Project> loaded =
        load_steps(std::string(row) + "\n",
                   {{".agents/pipelines/child.yaml", "steps:\n  - {id: c, script: x}\n"}});
    EXPECT_TRUE(loaded.ok()) << row << "\n" << all_text(loaded.diagnostics);
    EXPECT_TRUE(has_unsupported(loaded.diagnostics)) << row << "\n" << all_text(loaded.diagnostics);
  }
}

TEST(Pipeline, WhatChangesNothingIsFine) {
  const Loaded<Project> loaded = load_steps(R"(
  - {id: a, script: x, thread: alone, skills: ["{{ project.skill }}"], concurrency: 1, edges: [], outcomes: [{type: pr, extract_from: f, json_path: .u}], validation: [{type: x}], max_visits: 3}
  - {id: b, script: x, memory: {inject_artifacts: [{pipeline: q, artifact: o, optional: true}]}, workspace: {mount: [{source: ., target: /p, subset_from: other.o.files}]}}
)");
  EXPECT_EQ(all_text(loaded.diagnostics), "");
}

TEST(Pipeline, SubPipelinesAreLoadedWithTheirCaller) {
  const Loaded<Project> loaded =
      load_steps("  - {id: a, pipeline: child}\n",
                 {{".agents/pipelines/child.yaml", "steps:\n  - {id: c, pipeline: grandchild}\n"},
                  {".agents/pipelines/grandchild.yaml", "steps:\n  - {id: d, script: x}\n"},
                  {".agents/pipelines/unrelated.yaml", "steps: broken\n"}});
  EXPECT_TRUE(loaded.ok()) << all_text(loaded.diagnostics);
  EXPECT_EQ(loaded.value.children.size(), 2U);
  EXPECT_EQ(loaded.value.children.at("child").name, "child");
}

TEST(Pipeline, CirclesOfPipelinesAreNamed) {
  const std::map<std::string, std::string> files = {
      {".agents/pipelines/q.yaml", "steps:\n  - {id: c, pipeline: r}\n"},
      {".agents/pipelines/r.yaml", "steps:\n  - {id: d, branch: {on: x, cases: {default: p}}}\n"}};
  EXPECT_THAT(all_text(load_steps("  - {id: a, pipeline: q}\n", files).diagnostics),
              HasSubstr("the pipelines call each other in a circle: p -> q -> r -> p"));
  EXPECT_THAT(all_text(load_steps("  - {id: a, pipeline: p}\n").diagnostics), HasSubstr("p -> p"));
}

TEST(Pipeline, NamesAndPathsAreLookedUp) {
  const MemorySource files(
      project_files({{".agents/pipelines/p.yaml", "steps: [{id: a, script: x}]"},
                     {"own/q.yaml", "steps: [{id: b, script: x}]"}}));
  EXPECT_EQ(load_project(files, "p").value.pipeline.steps[0].id, "a");
  EXPECT_EQ(load_project(files, ".agents/pipelines/p.yaml").value.pipeline.name, "p");
  EXPECT_EQ(load_project(files, "own/q.yaml").value.pipeline.steps[0].id, "b");
  const Loaded<Project> none = load_project(files, "pp");
  EXPECT_FALSE(none.ok());
  EXPECT_EQ(none.diagnostics[0].code, Code::kNotFound);
  EXPECT_EQ(none.diagnostics[0].hint, "did you mean \"p\"?");
  EXPECT_FALSE(load_project(files, "../../etc/passwd").ok());
  EXPECT_FALSE(load_project(files, "").ok());
}

TEST(Pipeline, TheWholeProjectIsValidated) {
  const Diagnostics diagnostics = validate_project(MemorySource(
      project_files({{".agents/pipelines/a.yaml", "steps: [{id: a, script: x, bad: 1}]"},
                     {".agents/pipelines/b.yaml", "steps: [{id: a, script: '{{ nope }}'}]"},
                     {".agents/pipelines/c.yaml", "steps: ["},
                     {".agents/personas/lonely.md", "{{ oops.x }}"}})));
  const std::string text = all_text(diagnostics);
  EXPECT_THAT(text, HasSubstr(".agents/pipelines/a.yaml:1:28: error: steps[0].bad"));
  EXPECT_THAT(text,
              HasSubstr(".agents/pipelines/b.yaml:1:26: error: steps[0].script: unknown variable"));
  EXPECT_THAT(text, HasSubstr(".agents/pipelines/c.yaml:2:1: error: flow sequence"));
  EXPECT_THAT(text, HasSubstr(".agents/personas/lonely.md:1:1: error"));
}

TEST(Pipeline, ManyStepsAreQuick) {
  std::string steps;
  for (int i = 0; i < 1000; ++i) {
    steps += fmt::format("  - {{id: s{}, script: x{}}}\n", i,
                         i == 0 ? "" : fmt::format(", dependencies: [s{}]", i - 1));
  }
  const Loaded<Project> loaded = load_steps(steps);
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  EXPECT_EQ(loaded.value.pipeline.steps.size(), 1000U);
}

TEST(Pipeline, DiagnosticsPrint) {
  const Diagnostic diagnostic{
      Severity::kUnsupported, Code::kInvalidPipeline, {"f", 2, 3}, "k", "m", "h"};
  EXPECT_EQ(to_text(diagnostic), "f:2:3: unsupported: k: m\n  hint: h");
  EXPECT_EQ(
      dump_json(to_json(diagnostic)),
      R"({"severity":"unsupported","code":"invalid_pipeline","file":"f","line":2,"column":3,"key":"k","message":"m","hint":"h"})");
  EXPECT_EQ(to_string(StepKind::kSubPipeline), "pipeline");
}

// Promise Q7: what a run reads is what it was started with.
TEST(Promises, Q7_TheRecordingHoldsEverythingARunReads) {
  std::map<std::string, std::string> all = project_files(
      {{".agents/pipelines/p.yaml", kFull}, {".agents/personas/base-protocol.md", "Base."}});
  const MemorySource disk(all);
  const RecordingSource recording(disk);
  ASSERT_TRUE(load_project(recording, "p").ok());
  const std::map<std::string, std::string> files = recording.files();
  for (const char* path :
       {"wave.yaml", ".agents/pipelines/p.yaml", ".agents/prompts/task.md",
        ".agents/contracts/ok.json", ".agents/contracts/criteria.md", ".agents/personas/coder.md",
        ".agents/personas/reviewer.md", ".agents/personas/base-protocol.md"}) {
    EXPECT_TRUE(files.contains(path)) << path;
  }
  EXPECT_FALSE(files.contains(".agents/contracts/bad.json"));
  const Loaded<Project> again = load_project(MemorySource(files), "p");
  EXPECT_EQ(all_text(again.diagnostics), "");
}

TEST(Reference, NamesEveryTableAndKey) {
  const std::string text = pipelines_reference_markdown();
  for (const char* expected :
       {"### wave.yaml", "### runtime.timeouts", "### step\n", "### contract\n", "### gate\n",
        "### retry", "`unattended_limit`", "`on_interrupt`", "`criteria_path`", "`rework_step`",
        "## Templates", "## Scripts", "### persona file", "`llm_judge` (not yet)",
        "[retry](#retry)"}) {
    EXPECT_THAT(text, HasSubstr(expected));
  }
  EXPECT_THAT(text, Not(HasSubstr("{}")));
}

}  // namespace
}  // namespace wave::model

// What an agent is told (wave-model.md 3.7): base protocol, persona, outputs to write, inputs,
// earlier failure, task, contracts.
#pragma once

#include <string>
#include <vector>

#include "flow/state.h"
#include "model/permissions.h"
#include "model/pipeline.h"

namespace wave::agent {

struct PromptInput {
  std::string name, path, type, from_step;
  bool optional_absent = false;
};

struct PromptRequest {
  const model::Manifest* manifest = nullptr;
  const model::Persona* persona = nullptr;
  const model::Step* step = nullptr;
  std::string task;                                          // rendered
  std::vector<std::pair<std::string, std::string>> outputs;  // name, resolved path
  std::vector<PromptInput> inputs;                           // injected and dependency artifacts
  std::vector<std::string> contract_commands;  // rendered test_suite commands, by contract index
  model::EffectivePermissions permissions;
  std::string run_id;
  int attempt = 1, max_attempts = 1;
  flow::Failure failure;  // of the attempt before, if attempt > 1 or rework
  std::string rework_of;  // this step repairs that one
  std::vector<std::string> rework_artifacts;
  bool resumed_from_checkpoint = false;
};

struct Prompt {
  std::string system;
  std::string user;
};

Prompt assemble_prompt(const PromptRequest& request);

}  // namespace wave::agent

// The tables of a pipeline's keys (wave-model.md section 2, 5.1, 6).
#pragma once

#include "model/key_table.h"
#include "model/manifest_tables.h"
#include "model/pipeline.h"

namespace wave::model {

/// A pipeline as written.
struct PipelineDraft {
  Pipeline pipeline;
  std::vector<HookDraft> hooks;
};

const KeyTable<PipelineDraft>& pipeline_keys();
const KeyTable<Step>& step_keys();
const KeyTable<Contract>& contract_keys();
const KeyTable<Gate>& gate_keys();

/// The names of the types that pipelines take and give (wave-model.md 2.4).
const std::vector<std::string_view>& shared_types();

}  // namespace wave::model

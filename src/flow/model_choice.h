// Which adapter and model an attempt uses (wave-model.md 3.6, 4.4).
#pragma once

#include <string>

#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

struct ModelChoice {
  std::string adapter;
  std::string model;  // literal id for the agent; empty: the agent's own default
  std::string tier;   // cheapest, balanced, strongest, or empty for a literal
};

/// For attempt `attempt` of `step` done by persona `persona` (nullptr for none): command line over
/// step over persona over adapter default; retries raise a tier by attempt - 1, literals never.
ModelChoice choose_model(const model::Manifest& manifest, const model::Step& step,
                         const model::Persona* persona, const RunOptions& options, int attempt);

/// A tier or literal as the model id of an adapter.
std::string resolve_model(const model::Manifest& manifest, const std::string& adapter,
                          const std::string& model_or_tier);

}  // namespace wave::flow

// The reference of everything a user can write, made from the tables that the loader itself reads.
#pragma once

#include <string>

namespace wave::model {

/// docs/pipelines.md: every key of manifest, pipeline, step, contract and gate with its type,
/// default and meaning; persona files, templates and scripts.
std::string pipelines_reference_markdown();

}  // namespace wave::model

// What a run is started with, held to the schema that its pipeline names for it.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "model/pipeline.h"

namespace wave::engine {

/// Whether the schema asks for something: with nothing but `type` and `description` it is for
/// display, as pipelines have always had it.
bool is_held(const json::object& schema);

/// Whether the input is the text itself; else it is JSON.
bool wants_text(const json::object& schema);

/// kUsage when `input` is not what the pipeline's `input.schema` asks for. The findings are its
/// `others`, each with a JSON pointer as place: "/input" and, behind it, the pointer into the
/// input ("/input/owner"). kInvalidPipeline when the schema is none.
Status check_input(const model::PipelineInput& wanted, std::string_view input);

}  // namespace wave::engine

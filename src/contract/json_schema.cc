#include "contract/json_schema.h"

#include "contract/schema_compiler.h"
#include "contract/schema_evaluation.h"

namespace wave::contract {

struct JsonSchema::Impl {
  std::unique_ptr<const CompiledSchema> compiled;
  EvaluationLimits limits;
};

JsonSchema::JsonSchema(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;
JsonSchema& JsonSchema::operator=(JsonSchema&&) noexcept = default;
JsonSchema::~JsonSchema() = default;

Result<JsonSchema> JsonSchema::compile(const json::value& schema, const SchemaOptions& options) {
  auto impl = std::make_unique<Impl>();
  WAVE_TRY(impl->compiled, compile_schema(schema, options));
  impl->limits.errors = std::max<size_t>(options.max_errors, 1);
  return JsonSchema(std::move(impl));
}

Result<std::vector<SchemaError>> JsonSchema::validate(const json::value& instance) const {
  return evaluate_schema(*impl_->compiled->root, instance, impl_->limits);
}

}  // namespace wave::contract

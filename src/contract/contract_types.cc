#include "contract/contract_types.h"

#include "base/text.h"

namespace wave::contract {

namespace fs = std::filesystem;

Verdict pass(std::string message) {
  Verdict verdict;
  verdict.passed = true;
  verdict.message = std::move(message);
  return verdict;
}

Verdict reject(std::string message, std::vector<std::string> errors) {
  Verdict verdict;
  verdict.message = std::move(message);
  verdict.errors = std::move(errors);
  if (verdict.errors.empty()) verdict.errors.push_back(verdict.message);
  return verdict;
}

Verdict unevaluable(std::string reason) {
  Verdict verdict = reject("the contract could not be evaluated: " + std::move(reason));
  verdict.evaluable = false;
  return verdict;
}

std::string source_name(const Context& context) {
  const fs::path relative = context.source.lexically_relative(context.workspace);
  const bool within = !relative.empty() && *relative.begin() != "..";
  return excerpt((within ? relative : context.source).string(), 300);
}

SourceState look_at_source(const Context& context) {
  if (!context.source_error.empty()) {
    return {false, unevaluable("its source cannot be used: " + context.source_error)};
  }
  if (context.source.empty()) {
    return {false, unevaluable("it has no source and the step has no output artifact")};
  }
  const Result<fs::file_type> type = look_at(context.source);
  if (type && *type == fs::file_type::not_found) {
    return {false, reject(fmt::format("the file \"{}\" does not exist", source_name(context)),
                          {fmt::format("Write the file \"{}\" (relative to the workspace); it does "
                                       "not exist.",
                                       source_name(context))})};
  }
  if (!type) {
    return {false, unevaluable(fmt::format("\"{}\" cannot be looked at: {}", source_name(context),
                                           type.error().message))};
  }
  if (*type != fs::file_type::regular) {
    return {false, reject(fmt::format("\"{}\" is not a regular file", source_name(context)))};
  }
  return {true, {}};
}

}  // namespace wave::contract

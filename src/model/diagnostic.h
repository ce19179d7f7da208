// What is wrong with what a user wrote; all of it, not only the first.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace wave::model {

enum class Severity {
  kError,        // it cannot be meant
  kUnsupported,  // the language has it, this version does not carry it out yet
  kWarning,      // it can be meant, but probably is not
};
std::string_view to_string(Severity severity);

struct Diagnostic {
  Severity severity = Severity::kError;
  Code code = Code::kInvalidPipeline;
  SourcePos pos;        // file relative to the project, line and column from 1
  std::string key;      // path of the key, such as "steps[2].retry.policy"; may be empty
  std::string message;  // what is wrong
  std::string hint;     // what is allowed, "did you mean ..."
};

using Diagnostics = std::vector<Diagnostic>;

bool has_errors(const Diagnostics& diagnostics);
bool has_unsupported(const Diagnostics& diagnostics);
/// "file:line:col: error: key: message" and the hint on a line of its own.
std::string to_text(const Diagnostic& diagnostic);
json::object to_json(const Diagnostic& diagnostic);

}  // namespace wave::model

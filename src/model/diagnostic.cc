#include "model/diagnostic.h"

namespace wave::model {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kUnsupported:
      return "unsupported";
    case Severity::kWarning:
      return "warning";
  }
  return "error";
}

bool has_errors(const Diagnostics& diagnostics) {
  return std::ranges::any_of(diagnostics,
                             [](const auto& d) { return d.severity == Severity::kError; });
}

bool has_unsupported(const Diagnostics& diagnostics) {
  return std::ranges::any_of(diagnostics,
                             [](const auto& d) { return d.severity == Severity::kUnsupported; });
}

std::string to_text(const Diagnostic& diagnostic) {
  std::string text = to_string(diagnostic.pos);
  if (!text.empty()) text += ": ";
  text += to_string(diagnostic.severity);
  text += ": ";
  if (!diagnostic.key.empty()) text += diagnostic.key + ": ";
  text += diagnostic.message;
  if (!diagnostic.hint.empty()) text += "\n  hint: " + diagnostic.hint;
  return text;
}

json::object to_json(const Diagnostic& diagnostic) {
  json::object object;
  object["severity"] = to_string(diagnostic.severity);
  object["code"] = code_name(diagnostic.code);
  object["file"] = diagnostic.pos.file;
  object["line"] = diagnostic.pos.line;
  object["column"] = diagnostic.pos.column;
  object["key"] = diagnostic.key;
  object["message"] = diagnostic.message;
  object["hint"] = diagnostic.hint;
  return object;
}

}  // namespace wave::model

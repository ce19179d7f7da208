// json_schema: the artifact is JSON (recovered from what the agent wrote around it, as far as the
// contract allows) and valid against the schema of the snapshot.
#include "base/file.h"
#include "base/text.h"
#include "contract/contract_types.h"
#include "contract/json_recovery.h"
#include "contract/json_schema.h"

namespace wave::contract {
namespace {

constexpr uint64_t kMaxFileBytes = 32 << 20;
constexpr size_t kMaxCounted = 500;  // errors looked for
constexpr size_t kMaxShown = 20;     // errors told
constexpr size_t kMaxShownBytes = 8 << 10;

/// must_pass asks for care: then only decoration may be removed. What is said explicitly counts.
Result<RecoveryLevel> recovery_level(const model::Contract& contract) {
  if (!contract.allow_recovery.value_or(true)) return RecoveryLevel::kNone;
  if (contract.recovery_level == "conservative") return RecoveryLevel::kConservative;
  if (contract.recovery_level == "progressive") return RecoveryLevel::kProgressive;
  if (contract.recovery_level == "aggressive") return RecoveryLevel::kAggressive;
  if (contract.recovery_level.empty()) {
    return contract.must_pass ? RecoveryLevel::kConservative : RecoveryLevel::kProgressive;
  }
  return fail(Code::kUsage,
              fmt::format("recovery_level \"{}\" is none of conservative, progressive, aggressive",
                          excerpt(contract.recovery_level, 60)));
}

Result<JsonSchema> compile(const model::Contract& contract, bool check_formats) {
  // The snapshot's text, never a file an agent could have edited (promise Q7).
  const std::string& text = contract.schema_text.empty() ? contract.schema : contract.schema_text;
  if (trim(text).empty()) return fail(Code::kUsage, "it has no schema");
  auto schema = parse_json(text);
  if (!schema) return fail(schema.error().wrapped("its schema cannot be read"));
  SchemaOptions options;
  options.check_formats = check_formats;
  options.max_errors = kMaxCounted;
  return JsonSchema::compile(*schema, options);
}

std::string to_line(const SchemaError& error) {
  return excerpt(
      fmt::format("{}: {}", error.instance.empty() ? "(root)" : error.instance, error.message),
      600);
}

std::vector<std::string> to_lines(const std::vector<SchemaError>& errors) {
  std::vector<std::string> lines;
  size_t bytes = 0;
  for (const SchemaError& error : errors) {
    std::string line = to_line(error);
    bytes += line.size();
    if (lines.size() == kMaxShown || (bytes > kMaxShownBytes && !lines.empty())) break;
    lines.push_back(std::move(line));
  }
  if (lines.size() < errors.size()) {
    lines.push_back(fmt::format("... and {}{} more",
                                errors.size() >= kMaxCounted ? "at least " : "",
                                errors.size() - lines.size()));
  }
  return lines;
}

void note_recovery(Verdict& verdict, const std::vector<std::string>& applied, bool wrapped) {
  if (wrapped) verdict.notes.emplace_back("the output was inside an error wrapper (raw_output)");
  if (applied.empty()) return;
  verdict.notes.push_back("the JSON was recovered: " + join(applied, ", "));
  verdict.details["recovered"] = to_array(applied);
}

struct CheckedDocument {
  json::value value;
  std::vector<std::string> applied;
  bool wrapped = false;
};

/// debug_mode: what was looked at, for whoever reads the events.
void add_debug_details(Verdict& verdict, const model::Contract& contract, std::string_view text) {
  if (!contract.debug_mode) return;
  verdict.details["source_excerpt"] = excerpt(text, 2 << 10);
  verdict.details["source_bytes"] = text.size();
}

/// progressive_validation without must_pass: what is wrong with valid JSON is a warning.
Verdict warn_only(const Context& context, Verdict rejected) {
  Verdict verdict = pass(fmt::format("\"{}\" is accepted with warnings (progressive_validation)",
                                     source_name(context)));
  verdict.notes = std::move(rejected.errors);
  verdict.notes.insert(verdict.notes.end(), rejected.notes.begin(), rejected.notes.end());
  verdict.details = std::move(rejected.details);
  return verdict;
}

/// The JSON that is to be validated.
Result<CheckedDocument> read_document(const model::Contract& contract, std::string_view text,
                                      RecoveryLevel level) {
  WAVE_TRY(Recovered outer, recover_json(text, level));
  if (contract.disable_wrapper_detection || !is_error_wrapper(outer.value)) {
    return CheckedDocument{std::move(outer.value), std::move(outer.applied), false};
  }
  const json::value raw = outer.value.get_object().at("raw_output");
  if (!raw.is_string()) return CheckedDocument{raw, std::move(outer.applied), true};
  WAVE_TRY(Recovered inner, recover_json(raw.get_string(), level));
  outer.applied.insert(outer.applied.end(), inner.applied.begin(), inner.applied.end());
  return CheckedDocument{std::move(inner.value), std::move(outer.applied), true};
}

Verdict reject_unreadable(const Context& context, const Error& error, RecoveryLevel level) {
  std::vector<std::string> errors{full_message(error)};
  errors.push_back(
      fmt::format("Write \"{}\" again as one complete JSON value: no text around it, no "
                  "fence, no comment.",
                  source_name(context)));
  Verdict verdict =
      reject(fmt::format("\"{}\" is not JSON", source_name(context)), std::move(errors));
  if (level == RecoveryLevel::kNone) verdict.notes.emplace_back("recovery is off (allow_recovery)");
  return verdict;
}

/// `format` is an annotation, but a date that is none is worth a word.
void note_formats(Verdict& verdict, const model::Contract& contract, const json::value& value) {
  const auto strict = compile(contract, true);
  if (!strict) return;
  const auto errors = strict->validate(value);
  if (!errors) return;
  for (const SchemaError& error : *errors) {
    if (error.keyword != "format") continue;
    if (verdict.notes.size() == kMaxShown) return;
    verdict.notes.push_back(to_line(error));
  }
}

Verdict validate_text(const Context& context, const JsonSchema& schema, std::string_view text,
                      RecoveryLevel level) {
  const model::Contract& contract = *context.contract;
  auto document = read_document(contract, text, level);
  if (!document) return reject_unreadable(context, document.error(), level);
  const auto errors = schema.validate(document->value);
  if (!errors) return unevaluable(full_message(errors.error()));
  if (errors->empty()) {
    Verdict verdict = pass(fmt::format("\"{}\" is valid", source_name(context)));
    note_recovery(verdict, document->applied, document->wrapped);
    note_formats(verdict, contract, document->value);
    return verdict;
  }
  Verdict verdict =
      reject(fmt::format("\"{}\" is not valid against its schema: {} {}{}", source_name(context),
                         errors->size(), errors->size() == 1 ? "error" : "errors",
                         errors->size() >= kMaxCounted ? " or more" : ""),
             to_lines(*errors));
  verdict.details["error_count"] = errors->size();
  note_recovery(verdict, document->applied, document->wrapped);
  const bool only_warns = contract.progressive_validation && !contract.must_pass;
  return only_warns ? warn_only(context, std::move(verdict)) : verdict;
}

Verdict verdict_on_json(const Context& context) {
  const model::Contract& contract = *context.contract;
  const auto level = recovery_level(contract);
  if (!level) return unevaluable(full_message(level.error()));
  const auto schema = compile(contract, false);
  if (!schema) return unevaluable(full_message(schema.error()));
  SourceState source = look_at_source(context);
  if (!source.usable) return std::move(source.verdict);
  const auto text = read_file(context.source, kMaxFileBytes);
  if (!text) return unevaluable(full_message(text.error()));
  Verdict verdict = validate_text(context, *schema, *text, *level);
  add_debug_details(verdict, contract, *text);
  return verdict;
}

}  // namespace

Assessment evaluate_json_schema(const Context& context) {
  return {verdict_on_json(context), {}};
}

}  // namespace wave::contract

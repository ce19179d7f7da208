#include "base/error.h"

#include <fmt/core.h>

#include <array>
#include <system_error>

#include "base/system_fault.h"

namespace wave {
namespace {

struct CodeRow {
  Code code;
  std::string_view name;
  int http;
  int exit;
  bool retryable;
};

constexpr std::array kCodes{
    CodeRow{Code::kInternal, "internal_error", 500, 1, false},
    CodeRow{Code::kUsage, "usage", 400, 2, false},
    CodeRow{Code::kInvalidManifest, "invalid_manifest", 422, 3, false},
    CodeRow{Code::kInvalidPipeline, "invalid_pipeline", 422, 3, false},
    CodeRow{Code::kUnsupported, "unsupported", 422, 3, false},
    CodeRow{Code::kNotFound, "not_found", 404, 2, false},
    CodeRow{Code::kConflict, "conflict", 409, 5, false},
    CodeRow{Code::kGateDecided, "gate_decided", 409, 5, false},
    CodeRow{Code::kGateAmbiguous, "gate_ambiguous", 409, 5, false},
    CodeRow{Code::kGateSelfDecision, "gate_self_decision", 403, 5, false},
    CodeRow{Code::kInvalidChoice, "invalid_choice", 422, 2, false},
    CodeRow{Code::kIdempotencyMismatch, "idempotency_mismatch", 422, 5, false},
    CodeRow{Code::kPermissionDenied, "permission_denied", 403, 5, false},
    CodeRow{Code::kRunLocked, "run_locked", 409, 5, true},
    CodeRow{Code::kPathEscape, "path_escape", 400, 2, false},
    CodeRow{Code::kIo, "io_error", 500, 1, true},
    CodeRow{Code::kDiskFull, "disk_full", 503, 6, true},
    CodeRow{Code::kDiskError, "disk_error", 503, 6, true},
    CodeRow{Code::kScarce, "out_of_resources", 503, 5, true},
    CodeRow{Code::kStore, "store_error", 503, 6, true},
    CodeRow{Code::kStoreNewer, "store_newer", 503, 6, false},
    CodeRow{Code::kStoreBusy, "store_busy", 503, 5, true},
    CodeRow{Code::kNetworkFilesystem, "network_filesystem", 503, 6, false},
    CodeRow{Code::kPruned, "pruned", 410, 2, false},
    CodeRow{Code::kTimeout, "timeout", 504, 1, true},
    CodeRow{Code::kCancelled, "cancelled", 409, 8, false},
    CodeRow{Code::kInterrupted, "interrupted", 503, 130, true},
    CodeRow{Code::kLimit, "limit_exceeded", 413, 1, false},
    CodeRow{Code::kAgentFailed, "agent_failed", 500, 1, true},
    CodeRow{Code::kAgentMissing, "agent_missing", 424, 1, false},
    CodeRow{Code::kAgentAuth, "agent_auth", 424, 1, false},
    CodeRow{Code::kRateLimited, "rate_limited", 429, 1, true},
    CodeRow{Code::kContextExhausted, "context_exhausted", 500, 1, false},
    CodeRow{Code::kContractFailed, "contract_failed", 500, 1, true},
    CodeRow{Code::kContractUnevaluable, "contract_unevaluable", 500, 1, false},
    CodeRow{Code::kScriptFailed, "script_failed", 500, 1, true},
    CodeRow{Code::kTemplate, "template_error", 422, 3, false},
    CodeRow{Code::kGit, "git_error", 500, 1, true},
    CodeRow{Code::kServerUnreachable, "server_unreachable", 502, 7, true},
    CodeRow{Code::kMethodNotAllowed, "method_not_allowed", 405, 2, false},
    CodeRow{Code::kRange, "range_not_satisfiable", 416, 2, false},
    CodeRow{Code::kMediaType, "unsupported_media_type", 415, 2, false},
    CodeRow{Code::kUnauthorized, "unauthorized", 401, 5, false},
};

const CodeRow& row(Code code) {
  for (const CodeRow& candidate : kCodes) {
    if (candidate.code == code) return candidate;
  }
  return kCodes[0];
}

}  // namespace

std::string to_string(const SourcePos& pos) {
  if (pos.line == 0) return pos.file;
  if (pos.column == 0) return fmt::format("{}:{}", pos.file, pos.line);
  return fmt::format("{}:{}:{}", pos.file, pos.line, pos.column);
}

Error Error::wrapped(std::string outer_message) const {
  Error outer(code, std::move(outer_message), hint);
  outer.reason = reason;
  outer.source = source;
  outer.cause = std::make_shared<const Error>(*this);
  return outer;
}

Error Error::at(SourcePos pos) const {
  Error placed = *this;
  placed.source = std::move(pos);
  return placed;
}

std::string_view code_name(Code code) {
  return row(code).name;
}

std::optional<Code> code_from_name(std::string_view name) {
  for (const CodeRow& candidate : kCodes) {
    if (candidate.name == name) return candidate.code;
  }
  return std::nullopt;
}

int http_status(Code code) {
  return row(code).http;
}
int exit_code(Code code) {
  return row(code).exit;
}
bool is_retryable(Code code) {
  return row(code).retryable;
}

std::string full_message(const Error& error) {
  std::string text = error.message;
  for (const Error* cause = error.cause.get(); cause != nullptr; cause = cause->cause.get()) {
    text += ": " + cause->message;
  }
  return text;
}

Error errno_error(int err, std::string_view doing, std::string_view what) {
  const std::string reason = std::generic_category().message(err);
  std::string message = what.empty() ? fmt::format("{}: {}", doing, reason)
                                     : fmt::format("{} {}: {}", doing, what, reason);
  const SystemFault fault = system_fault(err);
  Error error(fault_code(fault), std::move(message), std::string(fault_hint(fault)));
  note_shortage(error);
  return error;
}

}  // namespace wave

// One error type for the whole program: a stable code, words for people, a hint, a place.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wave {

/// What went wrong, as a stable code. Programs depend on the names: add, never rename.
/// error.cc has one table: code -> name, HTTP status, exit code, retryable.
enum class Code {
  kInternal,             // a broken invariant of ours
  kUsage,                // the command line or request is malformed
  kInvalidManifest,      // wave.yaml does not load or validate
  kInvalidPipeline,      // a pipeline does not load or validate
  kUnsupported,          // the language has it, this version does not carry it out
  kNotFound,             // run, step, artifact, pipeline ... named by the caller
  kConflict,             // the state of things does not allow it (a terminal run, say)
  kGateDecided,          // another decision stands
  kGateAmbiguous,        // a gate_id is needed
  kGateSelfDecision,     // an agent tried to approve its own work
  kInvalidChoice,        // not one of the gate's choices
  kIdempotencyMismatch,  // same key, another body
  kPermissionDenied,     // the caller or an agent may not do this
  kRunLocked,            // another process owns the run
  kPathEscape,           // a path leaves the folder it has to stay in
  kIo,                   // a file or directory operation failed
  kDiskFull,             // no room left, or less than the floor
  kDiskError,            // storage fails, is read-only or went away
  kScarce,               // the machine is short of descriptors, memory or processes
  kStore,                // the database failed
  kStoreNewer,           // the database was written by a newer wave
  kStoreBusy,            // an owner lives, so a migration or clean-up has to wait
  kNetworkFilesystem,    // the state would lie on a network file system
  kPruned,               // retention removed it
  kTimeout,              // a deadline passed
  kCancelled,            // somebody asked for it to end
  kInterrupted,          // the machine, host or server went away under it
  kLimit,                // a bound on size, number or depth was passed
  kAgentFailed,          // the agent said or showed that it failed
  kAgentMissing,         // the adapter's program is not installed
  kAgentAuth,            // the agent has no valid credentials
  kRateLimited,          // the model's service asks to wait
  kContextExhausted,     // the prompt or conversation outgrew the model's window
  kContractFailed,       // a contract did not hold
  kContractUnevaluable,  // a contract could not be evaluated: a failure, never a pass
  kScriptFailed,         // a command step exited with another code than 0
  kTemplate,             // a template names something that does not exist
  kGit,                  // a git command failed
  kServerUnreachable,    // --server was given and does not answer
  kMethodNotAllowed,     // the path is known, with other methods
  kRange,                // a range of bytes that is not there
  kMediaType,            // a body of a type that is not understood
  kUnauthorized,         // nobody knows who calls: no credential, or a bad one; see Error::reason
};

/// A position in a text a user wrote. Line and column count from 1; 0 means unknown.
struct SourcePos {
  std::string file;
  int line = 0;
  int column = 0;

  friend bool operator==(const SourcePos&, const SourcePos&) = default;
};

/// "file:line:column", leaving out what is unknown.
std::string to_string(const SourcePos& pos);

/// An error with everything a person needs to act on it. A value: copy and move freely.
struct [[nodiscard]] Error {
  Code code = Code::kInternal;
  std::string message;  // what happened, to what; no trailing full stop
  std::string hint;     // what to do next; may be empty
  std::string reason;   // finer than the code, as stable ("token_expired"); may be empty
  std::optional<SourcePos> source;  // where in the user's own text, if there
  std::shared_ptr<const Error> cause;
  std::vector<Error> others;  // further findings of the same check, with places of their own

  Error() = default;
  Error(Code error_code, std::string error_message, std::string error_hint = {})
      : code(error_code), message(std::move(error_message)), hint(std::move(error_hint)) {}

  /// The same error, seen from one level up: `message` says what was being done.
  [[nodiscard]] Error wrapped(std::string outer_message) const;
  /// The same error with a place in the user's text.
  [[nodiscard]] Error at(SourcePos pos) const;
};

/// The stable name of a code, such as "invalid_pipeline".
std::string_view code_name(Code code);
/// The code with this name, or nothing.
std::optional<Code> code_from_name(std::string_view name);
/// The HTTP status an API answer with this code carries.
int http_status(Code code);
/// The exit code of a command that ends with this error (0 completed, 1 failed, 2 usage, 3 invalid
/// manifest or pipeline, 4 rejected, 5 refused, 6 store, 7 server unreachable, 8 cancelled,
/// 130 interrupted).
int exit_code(Code code);
/// Whether trying the same thing again can help.
bool is_retryable(Code code);
/// "message: cause: ..." in one line, for logs.
std::string full_message(const Error& error);

/// An error from errno (`err`) for something done to `what`; base/system_fault.h says which code.
Error errno_error(int err, std::string_view doing, std::string_view what = {});

}  // namespace wave

// Writes as values: what one process asks another to write for it (docs/storage.md, "Locks"), and
// what it is told of the outcome.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "store/sqlite/batch.h"
#include "store/sqlite/prune.h"
#include "store/store.h"

namespace wave::store::sqlite {

struct TakeOwnership {
  std::vector<TakeOver> runs;
};
struct NoteFold {
  std::string run_id;
  bool finished = false;
};
struct EndFolds {
  std::vector<std::string> run_ids;
};
struct PruneRows {
  std::string run_id;
  WallTime now{};
};
struct PruneEvents {
  int64_t run = 0;
};
struct RemoveBlobs {
  std::vector<std::string> candidates;
};
/// Up to 256 free pages, to the file system.
struct GiveBackPages {};
struct AddLoginCode {
  LoginCode code;
  WallTime now{};
};
struct RevokeToken {
  RevokedToken token;
  WallTime now{};
};

/// Everything that command lines and owners write. What only a server writes (sessions, webhooks)
/// is not here.
using WriteRequest =
    std::variant<NewRun, EncodedAppend, TakeOwnership, NoteFold, EndFolds, Command, PruneRows,
                 PruneEvents, RemoveBlobs, GiveBackPages, AddLoginCode, RevokeToken, AuditEntry>;

/// What a write gives back, where it gives anything back.
struct WriteAnswer {
  CreatedRun created;
  std::vector<int64_t> epochs;  // TakeOwnership
  int64_t number = 0;           // NoteFold: the count; Command: its id
  PruneWork prune;              // PruneRows
  bool done = false;            // PruneEvents, GiveBackPages: none are left
  AuditEntry entry;             // AuditEntry, as stored
};

std::string pack(const WriteRequest& request);
/// kStore when the bytes are no request.
Result<WriteRequest> unpack_request(std::string_view bytes);

std::string pack(const Result<WriteAnswer>& answer);
/// The answer, or the error that it carries.
Result<WriteAnswer> unpack_answer(std::string_view bytes);

}  // namespace wave::store::sqlite

// Removing runs that nobody needs any more, in pieces that hold nobody up.
#pragma once

#include <string>
#include <vector>

#include "store/blob_folder.h"
#include "store/sqlite/batch.h"

namespace wave::store::sqlite {

/// What the first piece leaves to do.
struct PruneWork {
  int64_t run = 0;
  std::vector<std::string> blobs;  // that the run referred to
};

/// The first piece: everything but the events, and the tombstone. From its commit on the run is
/// gone. kConflict for a live run, and for the origin of one. A run that is pruned already is taken
/// up where an interruption left it.
Result<PruneWork> prune_rows(Batch& batch, const std::string& run_id, WallTime now);
/// Removes up to a thousand events; true when none are left.
Result<bool> prune_events(Batch& batch, int64_t run);
/// Removes those of the blobs that no run refers to and nobody has put lately. Holding the write
/// lock meanwhile is what keeps a new run from referring to one of them.
Status remove_unused_blobs(Batch& batch, const BlobFolder& blobs,
                           std::span<const std::string> candidates);

/// Returns up to 256 free pages to the file system; true when there are none left, or the database
/// cannot (it was made without auto_vacuum).
Result<bool> give_back_pages(Database& database);
/// VACUUM, into a database that can give pages back. Outside of a transaction.
Status rewrite_database(Database& database);

}  // namespace wave::store::sqlite

// Consecutive events of a log as bytes for the wire, made once and written by many.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "store/store.h"

namespace wave::server::stream {

/// All events with `after` < cursor <= `last`. The cursor of an event is its seq, or its position
/// in the stream of all runs. Immutable once made.
struct Chunk {
  struct Entry {
    uint64_t cursor = 0;
    size_t end = 0;  // of its frame within `bytes`; the frame begins where the last one ended
  };
  struct Origin {
    std::string run_id, pipeline;
  };
  uint64_t after = 0, last = 0;
  uint64_t pruned = 0;  // of all runs: events up to here had been removed when it was read
  std::string bytes;
  std::vector<Entry> entries;
  std::vector<Origin> origins;  // one per entry; of the stream of all runs only
  bool is_end = false;          // ends with the event that ends the run

  [[nodiscard]] size_t memory() const;
  /// The frames behind `cursor`, which lies within the chunk.
  [[nodiscard]] std::string_view bytes_after(uint64_t cursor) const;
};
using ChunkPtr = std::shared_ptr<const Chunk>;

bool ends_run(flow::Kind kind);

/// `events` follow `after` without a gap; `of_all`: over all runs. Chunks are small, because a slow
/// client keeps the one it is at alive.
std::vector<ChunkPtr> make_chunks(std::span<const store::StoredEvent> events, uint64_t after,
                                  int64_t epoch, bool of_all, uint64_t pruned = 0);

}  // namespace wave::server::stream

#include "server/stream/chunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "server/stream/cursor.h"

namespace wave::server::stream {
namespace {

constexpr size_t kChunkBytes = 16 << 10;
constexpr size_t kChunkOverhead = 256;

void append_frame(std::string& bytes, const store::StoredEvent& event, const Cursor& cursor,
                  bool of_all) {
  fmt::format_to(std::back_inserter(bytes), "id: {}\nevent: {}\ndata: {}\n\n",
                 format_cursor(cursor, of_all), flow::to_string(event.kind), event.line);
}

}  // namespace

size_t Chunk::memory() const {
  return bytes.capacity() + entries.capacity() * sizeof(Entry) +
         origins.capacity() * (sizeof(Origin) + 64) + kChunkOverhead;
}

std::string_view Chunk::bytes_after(uint64_t cursor) const {
  const auto next = std::ranges::upper_bound(entries, cursor, {}, &Entry::cursor);
  const size_t begin = next == entries.begin() ? 0 : std::prev(next)->end;
  return std::string_view(bytes).substr(begin);
}

bool ends_run(flow::Kind kind) {
  return kind == flow::Kind::kRunCompleted || kind == flow::Kind::kRunFailed ||
         kind == flow::Kind::kRunRejected || kind == flow::Kind::kRunCancelled;
}

std::vector<ChunkPtr> make_chunks(std::span<const store::StoredEvent> events, uint64_t after,
                                  int64_t epoch, bool of_all, uint64_t pruned) {
  std::vector<ChunkPtr> chunks;
  std::shared_ptr<Chunk> chunk;
  for (const store::StoredEvent& event : events) {
    if (!chunk) {
      chunk = std::make_shared<Chunk>();
      chunk->after = after;
      chunk->pruned = pruned;
    }
    const uint64_t cursor = of_all ? static_cast<uint64_t>(event.position) : event.seq;
    append_frame(chunk->bytes, event, {.epoch = epoch, .number = cursor}, of_all);
    chunk->entries.push_back({.cursor = cursor, .end = chunk->bytes.size()});
    if (of_all) chunk->origins.push_back({event.run_id, event.pipeline});
    chunk->last = after = cursor;
    chunk->is_end = !of_all && ends_run(event.kind);
    if (chunk->bytes.size() >= kChunkBytes) chunks.push_back(std::exchange(chunk, nullptr));
  }
  if (chunk) {
    chunk->bytes.shrink_to_fit();
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

}  // namespace wave::server::stream

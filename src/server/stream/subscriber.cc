#include "server/stream/subscriber.h"

#include <algorithm>

#include "server/stream/control_frames.h"
#include "server/stream/cursor.h"
#include "server/stream/local_streams.h"
#include "server/stream/streams.h"

namespace wave::server::stream {
namespace {

constexpr int kChunksPerPull = 64;  // of which a filter may have left nothing

http::Frame as_frame(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

/// Clients of a server that goes away do not come back all at once.
Millis spread_retry(uint64_t stream_id) {
  return Millis(1'000 + static_cast<int64_t>(stream_id * 37 % 2'000));
}

}  // namespace

Seat::~Seat() {
  streams_.give_back_seat(client_);
}

bool Filter::wants(const Chunk::Origin& origin) const {
  if (!pipeline.empty() && origin.pipeline != pipeline) return false;
  return runs.empty() || std::ranges::binary_search(runs, origin.run_id);
}

Subscriber::Subscriber(Streams& streams, Opening opening, http::StreamHandle handle)
    : streams_(streams), opening_(std::move(opening)), stream_id_(handle.id()) {
  local_ = streams_.join(*this, *handle.reactor());
  // Who comes late does not hear that the run waits no more.
  const Channel::View view = channel()->view(opening_.cursor);
  if (!view.queued) queue_seen_ = view.queue_news;
}

Subscriber::~Subscriber() {
  streams_.leave(*this, local_);
}

bool Subscriber::has_expired(WallTime now) const {
  const auto& expires = opening_.identity->expires_at;
  return expires && *expires <= now;
}

std::optional<std::string> Subscriber::last_words() const {
  if (revoked_) return unauthorized_frame("revoked");
  if (opening_.identity->expires_at && has_expired(streams_.now())) {
    return unauthorized_frame("expired");
  }
  if (streams_.stopping()) return retry_frame(spread_retry(stream_id_));
  return std::nullopt;
}

http::StreamSource::Next Subscriber::pull(size_t budget, std::vector<http::Frame>& frames) {
  if (!opening_.prelude.empty()) {
    frames.push_back(as_frame(std::exchange(opening_.prelude, {})));
  }
  if (auto words = last_words()) {
    frames.push_back(as_frame(*std::move(words)));
    return Next::kEnded;
  }
  return take(budget, frames);
}

http::StreamSource::Next Subscriber::take(size_t budget, std::vector<http::Frame>& frames) {
  waits_ = false;
  size_t taken = 0;
  for (int count = 0; count < kChunksPerPull && taken < budget; ++count) {
    Channel::View view = channel()->view(opening_.cursor);
    if (ChunkPtr page = std::exchange(page_, nullptr);
        page && !view.chunk && page->after <= opening_.cursor && page->last > opening_.cursor) {
      view.chunk = std::move(page);
    }
    if (view.gone) {
      return reset("pruned", "the run has been removed by retention", true, 0, frames);
    }
    take_queue_frame(view, frames);
    if (view.chunk && view.chunk->pruned > std::max(opening_.cursor, opening_.pruned)) {
      return reset("pruned", "events behind the cursor have been removed by retention", false,
                   view.head, frames);
    }
    if (view.chunk) {
      local_->forget_page(*this);
      take_chunk(view.chunk, taken, frames);
      if (view.chunk->is_end) return Next::kEnded;
      continue;
    }
    if (opening_.cursor >= view.head) {
      if (view.over) return Next::kEnded;
      waits_ = true;
      return Next::kWait;
    }
    local_->want_page(*this, opening_.cursor);
    return Next::kWait;
  }
  return Next::kMore;
}

void Subscriber::take_chunk(const ChunkPtr& chunk, size_t& taken,
                            std::vector<http::Frame>& frames) {
  if (opening_.filter) {
    std::string shown;
    size_t begin = 0;
    for (size_t i = 0; i < chunk->entries.size(); ++i) {
      const Chunk::Entry& entry = chunk->entries[i];
      if (entry.cursor > opening_.cursor && opening_.filter->wants(chunk->origins[i])) {
        shown.append(chunk->bytes, begin, entry.end - begin);
      }
      begin = entry.end;
    }
    taken += shown.size();
    if (!shown.empty()) frames.push_back(as_frame(std::move(shown)));
  } else if (opening_.cursor == chunk->after) {
    frames.emplace_back(chunk, &chunk->bytes);
    taken += chunk->bytes.size();
  } else if (const auto rest = chunk->bytes_after(opening_.cursor); !rest.empty()) {
    frames.push_back(as_frame(std::string(rest)));
    taken += rest.size();
  }
  opening_.cursor = chunk->last;
}

void Subscriber::take_queue_frame(const Channel::View& view, std::vector<http::Frame>& frames) {
  if (view.queue_news == queue_seen_) return;
  queue_seen_ = view.queue_news;
  frames.push_back(view.queue_frame);
}

http::StreamSource::Next Subscriber::reset(std::string reason, std::string message, bool ends,
                                           uint64_t start, std::vector<http::Frame>& frames) {
  local_->forget_page(*this);  // it is known by the cursor
  const bool of_all = channel()->of_all();
  const std::string here =
      format_cursor({.epoch = opening_.epoch, .number = opening_.cursor}, of_all);
  Reset frame{.run_id = channel()->run_id(),
              .reason = std::move(reason),
              .message = std::move(message),
              .cursor = here,
              .starts_after = {}};
  if (!ends) {
    frame.starts_after = format_cursor({.epoch = opening_.epoch, .number = start}, of_all);
    opening_.cursor = start;
  }
  frames.push_back(as_frame(reset_frame(frame)));
  return ends ? Next::kEnded : Next::kMore;
}

}  // namespace wave::server::stream

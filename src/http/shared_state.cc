#include "http/shared_state.h"

#include <malloc.h>

#include <algorithm>

#include "http/answer.h"

namespace wave::http {
namespace {

constexpr size_t kReadingAtATime = 8;
constexpr size_t kUrgentAtATime = 8;
constexpr size_t kBodyReaders = 4;
constexpr Millis kTidyEvery{2'000};
constexpr uint64_t kWorthTidying = 2 << 20;

Frame out_of_memory_answer(const Headers& common) {
  Answer answer =
      render_answer(refusal_response(503, "there is not enough memory for this answer", {}),
                    {.close = true, .common = &common});
  return std::make_shared<const std::string>(std::move(answer.bytes));
}

}  // namespace

Status SharedState::start(ServerOptions given) {
  options = std::move(given);
  tls = options.tls;
  const auto threads = static_cast<size_t>(std::max(1, options.workers));
  const auto make = [&](size_t most) {
    return std::make_unique<Workers>(Workers::Options{
        .threads = std::min(threads, most), .max_queued = options.limits.max_queued_requests});
  };
  lanes[static_cast<size_t>(Lane::kUrgent)] = make(kUrgentAtATime);
  lanes[static_cast<size_t>(Lane::kReading)] = make(kReadingAtATime);
  lanes[static_cast<size_t>(Lane::kOther)] = make(threads);
  // A connection has one body at a time: this queue is never full.
  body_readers = std::make_unique<Workers>(Workers::Options{
      .threads = kBodyReaders, .max_queued = 2 * options.limits.max_connections + 2});
  spool = std::make_shared<AnswerSpool>(options.spool_folder, options.spool);
  out_of_memory = out_of_memory_answer(options.common_headers);
  for (const auto& workers : lanes) WAVE_CHECK(workers->start_first());
  return body_readers->start_first();
}

// The C library keeps what many threads freed, for use in the same thread.
void SharedState::tidy(MonoTime now) {
  if (now < next_tidy) return;
  next_tidy = now + kTidyEvery;
  const uint64_t used = built + windows.given_back();
  if (used - used_at_tidy < kWorthTidying) return;
  used_at_tidy = used;
  Workers::Work work = [] { ::malloc_trim(0); };
  (void)body_readers->submit({}, work);  // if not now, then with what comes next
}

void SharedState::stop_workers() {
  for (const auto& workers : lanes) workers->stop();
  body_readers->stop();
}

}  // namespace wave::http

#include "server/appender.h"

#include "load/events.h"
#include "load/wire.h"
#include "store/snapshot.h"

namespace wave::bench {
namespace {

constexpr std::string_view kFrame = "id: 1000\nevent: stream_activity\ndata: \n\n";

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(full_message(result.error()));
  return *std::move(result);
}

}  // namespace

Appender::Appender(const std::filesystem::path& project)
    : store_(must(store::open_store({.project = project}))),
      run_id_("append-20260101-000000-0000000001") {
  lock_ = std::make_unique<store::OwnerLock>(
      must(store::OwnerLock::acquire({.project = project}, run_id_)));
  store::NewRun run{.run_id = run_id_, .pipeline = "append"};
  run.snapshot =
      must(store::save_snapshot(*store_, {.manifest_path = "wave.yaml",
                                          .pipeline = "append",
                                          .files = {{"wave.yaml", "kind: WaveManifest\n"}},
                                          .facts = {}}));
  run.events.push_back(next_event());
  run.events.front().kind = flow::Kind::kRunQueued;
  run.events.front().step.clear();
  run.projection.run.run_id = run_id_;
  run.projection.run.pipeline = run.pipeline;
  run.projection.run.status = "running";
  run.projection.run.last_seq = seq_;
  must(store_->create_run(run));
  epoch_ = must(store_->take_ownership(run_id_));
}

flow::Event Appender::next_event() {
  flow::Event event;
  event.run_id = run_id_;
  event.seq = ++seq_;
  event.kind = flow::Kind::kStreamActivity;
  event.step = "build";
  event.attempt = event.visit = 1;
  event.ts = SystemClock().wall();
  event.data = {{"kind", "text"}, {"content", event_text(++number_, monotonic_ns())}};
  return event;
}

uint64_t Appender::append(size_t count) {
  store::Append append{.run_id = run_id_, .owner_epoch = epoch_};
  for (size_t i = 0; i < count; ++i) append.events.push_back(next_event());
  const Status status = store_->append_and_wait(std::move(append));
  if (!status) give_up(full_message(status.error()));
  return number_;
}

size_t Appender::frame_bytes() const {
  flow::Event event;
  event.run_id = run_id_;
  event.seq = 1000;
  event.kind = flow::Kind::kStreamActivity;
  event.step = "build";
  event.attempt = event.visit = 1;
  event.data = {{"kind", "text"}, {"content", event_text(1, monotonic_ns())}};
  return flow::encode(event).size() + kFrame.size();
}

}  // namespace wave::bench

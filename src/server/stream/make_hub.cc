#include "server/stream/make_hub.h"

#include "server/stream/streams.h"

namespace wave::server::stream {
namespace {

class StoreHub final : public Hub {
 public:
  StoreHub(store::Store& store, queue::Supervisor& queue, const HubLimits& limits)
      : streams_(
            store, clock_, [&queue](const std::string& run_id) { return queue.position(run_id); },
            limits) {}

  Status start(Request request, http::Responder& responder) override {
    WAVE_TRY(Streams::Answer answer, streams_.open(request));
    if (!answer.make) {
      responder.send(std::move(answer.response));
      return {};
    }
    responder.stream(std::move(answer.response), std::move(answer.options), std::move(answer.make));
    return {};
  }
  void drop_if(std::function<bool(const auth::Identity&)> gone) override {
    streams_.drop_if(std::move(gone));
  }
  void queue_changed() override { streams_.queue_changed(); }
  void shut_down() override { streams_.shut_down(); }
  [[nodiscard]] size_t subscribers() const override { return streams_.count(); }

 private:
  const SystemClock clock_;
  Streams streams_;
};

}  // namespace

Result<std::unique_ptr<Hub>> make_hub(store::Store& store, queue::Supervisor& queue,
                                      const HubLimits& limits) {
  if (auto checked = store.check_epoch(); !checked) {
    return fail(checked.error().wrapped("event streams cannot find out where the log stands"));
  }
  return std::make_unique<StoreHub>(store, queue, limits);
}

}  // namespace wave::server::stream

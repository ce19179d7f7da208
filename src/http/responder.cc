#include "http/responder.h"

#include "base/survive.h"
#include "http/answer.h"
#include "http/shard.h"

namespace wave::http {
namespace {

HeadFacts facts_of(const Responder::Target& target, const Response& response) {
  return {.is_head_request = target.is_head_request,
          .close = target.close || response.close || target.state->closing,
          .takes_chunks = target.takes_chunks,
          .request_id = target.request_id,
          .common = &target.state->options.common_headers};
}

// Only so much of a body waits in memory for its client.
void put_aside(const Responder::Target& target, Response& response, Windows::Window& window) {
  auto* const text = std::get_if<std::string>(&response.body);
  if (text == nullptr || target.is_head_request || text->size() <= Windows::kSmall) return;
  SharedState& state = *target.state;
  state.built += text->size();
  if (text->size() <= Windows::kLarge) {
    if (auto taken = state.windows.take(text->size())) {
      window = *std::move(taken);
      return;
    }
  }
  const uint64_t size = text->size();
  if (auto source = state.spool->keep(std::move(*text), target.client)) {
    response.body = StreamedBody{.source = std::move(source), .length = size};
  } else {
    response = refusal_response(503, "too many answers wait for their readers", target.request_id);
  }
}

void deliver(const std::shared_ptr<Responder::Target>& target, Response response) {
  Windows::Window window;
  put_aside(*target, response, window);
  const HeadFacts facts = facts_of(*target, response);
  Answer answer = render_answer(std::move(response), facts);
  answer.window = std::move(window);
  target->reactor->post(
      [shard = target->shard, id = target->connection, answer = std::move(answer)]() mutable {
        if (Connection* connection = shard->find(id)) connection->answer(std::move(answer));
      });
}

}  // namespace

Responder::~Responder() {
  if (!target_) return;
  const std::shared_ptr<Target> target = target_;
  const bool sent = survive("a request that nobody answered", [&] {
    send(refusal_response(500, "nobody answered", target->request_id));
  });
  if (!sent) target->lost = true;
}

Responder& Responder::operator=(Responder&& other) noexcept {
  std::swap(target_, other.target_);
  return *this;
}

void Responder::send(Response response) {
  const std::shared_ptr<Target> target = std::exchange(target_, nullptr);
  if (!target) return;
  const bool sent = survive("an answer", [&] { deliver(target, std::move(response)); });
  if (!sent) target->lost = true;
}

void Responder::stream(Response head, StreamOptions options, MakeSource make) {
  const std::shared_ptr<Target> target = std::exchange(target_, nullptr);
  if (!target) return;
  HeadFacts facts = facts_of(*target, head);
  facts.is_stream = true;
  head.body = std::string();
  const bool only_head = target->is_head_request;
  const bool sent = survive("the head of a stream", [&] {
    target->reactor->post([shard = target->shard, id = target->connection, only_head,
                           options = std::move(options), make = std::move(make),
                           answer = render_answer(std::move(head), facts)]() mutable {
      Connection* const connection = shard->find(id);
      if (connection == nullptr) return;
      if (only_head) return connection->answer(std::move(answer));
      connection->become_stream(std::move(answer), std::move(options), std::move(make));
    });
  });
  if (!sent) target->lost = true;
}

void StreamHandle::wake() const {
  if (reactor_ == nullptr) return;
  reactor_->post([reactor = reactor_, id = id_] { reactor->wake_stream(id); });
}

}  // namespace wave::http

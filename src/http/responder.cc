#include "http/responder.h"

#include "http/answer.h"
#include "http/shard.h"

namespace wave::http {
namespace {

HeadFacts facts_of(const Responder::Target& target, const Response& response) {
  return {.is_head_request = target.is_head_request,
          .close = target.close || response.close || target.state->closing,
          .request_id = target.request_id,
          .common = &target.state->options.common_headers};
}

}  // namespace

Responder::~Responder() {
  if (target_) send(refusal_response(500, "nobody answered", target_->request_id));
}

Responder& Responder::operator=(Responder&& other) noexcept {
  std::swap(target_, other.target_);
  return *this;
}

void Responder::send(Response response) {
  const std::shared_ptr<Target> target = std::exchange(target_, nullptr);
  if (!target) return;
  const HeadFacts facts = facts_of(*target, response);
  target->reactor->post([shard = target->shard, id = target->connection,
                         answer = render_answer(std::move(response), facts)]() mutable {
    if (Connection* connection = shard->find(id)) connection->answer(std::move(answer));
  });
}

void Responder::stream(Response head, StreamOptions options, MakeSource make) {
  const std::shared_ptr<Target> target = std::exchange(target_, nullptr);
  if (!target) return;
  HeadFacts facts = facts_of(*target, head);
  facts.is_stream = true;
  head.body = std::string();
  const bool only_head = target->is_head_request;
  target->reactor->post([shard = target->shard, id = target->connection, only_head,
                         options = std::move(options), make = std::move(make),
                         answer = render_answer(std::move(head), facts)]() mutable {
    Connection* const connection = shard->find(id);
    if (connection == nullptr) return;
    if (only_head) return connection->answer(std::move(answer));
    connection->become_stream(std::move(answer), std::move(options), std::move(make));
  });
}

void StreamHandle::wake() const {
  if (reactor_ == nullptr) return;
  reactor_->post([reactor = reactor_, id = id_] { reactor->wake_stream(id); });
}

}  // namespace wave::http

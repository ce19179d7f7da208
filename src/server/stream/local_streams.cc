#include "server/stream/local_streams.h"

#include "server/stream/streams.h"

namespace wave::server::stream {

bool LocalStreams::add(Subscriber& subscriber) {
  auto& group = groups_[subscriber.channel().get()];
  subscriber.place_ = group.size();
  group.push_back(&subscriber);
  return group.size() == 1;
}

bool LocalStreams::remove(Subscriber& subscriber) {
  forget_page(subscriber);
  const auto found = groups_.find(subscriber.channel().get());
  auto& group = found->second;
  group[subscriber.place_] = group.back();
  group[subscriber.place_]->place_ = subscriber.place_;
  group.pop_back();
  if (!group.empty()) return false;
  groups_.erase(found);
  return true;
}

void LocalStreams::wake(std::span<const std::shared_ptr<Channel>> changed) {
  for (const auto& channel : changed) {
    const auto found = groups_.find(channel.get());
    if (found == groups_.end()) continue;
    for (const Subscriber* subscriber : found->second) {
      if (subscriber->waits_) wake(*subscriber);
    }
  }
}

void LocalStreams::wake_all() {
  each([this](const Subscriber& subscriber) { wake(subscriber); });
}

void LocalStreams::page_arrived(const Channel* channel, uint64_t after, const ChunkPtr& first) {
  const auto found = wanted_.find({channel, after});
  if (found == wanted_.end()) return;
  const std::vector<Subscriber*> waiting = std::move(found->second);
  wanted_.erase(found);
  for (Subscriber* subscriber : waiting) {
    subscriber->asked_ = false;
    subscriber->page_ = first;
    wake(*subscriber);
  }
}

void LocalStreams::want_page(Subscriber& subscriber, uint64_t after) {
  if (subscriber.asked_) return;
  subscriber.asked_ = true;
  wanted_[{subscriber.channel().get(), after}].push_back(&subscriber);
  streams_.request_page(subscriber.channel(), after, shared_from_this());
}

void LocalStreams::forget_page(Subscriber& subscriber) {
  if (!subscriber.asked_) return;
  subscriber.asked_ = false;
  const auto found = wanted_.find({subscriber.channel().get(), subscriber.opening_.cursor});
  if (found == wanted_.end()) return;
  std::erase(found->second, &subscriber);
  if (found->second.empty()) wanted_.erase(found);
}

void LocalStreams::drop_if(const std::function<bool(const auth::Identity&)>& gone) {
  each([&](Subscriber& subscriber) {
    if (!gone(subscriber.identity())) return;
    subscriber.revoke();
    wake(subscriber);
  });
}

void LocalStreams::end_expired(WallTime now) {
  each([&](const Subscriber& subscriber) {
    if (subscriber.has_expired(now)) wake(subscriber);
  });
}

}  // namespace wave::server::stream

#include "store/subscribers.h"

#include <algorithm>

namespace wave::store {

uint64_t Subscribers::add(Store::Changed changed) {
  const std::scoped_lock lock(mutex_);
  auto subscriber = std::make_shared<Subscriber>();
  subscriber->id = next_id_++;
  subscriber->changed = std::move(changed);
  subscribers_.push_back(subscriber);
  return subscriber->id;
}

void Subscribers::remove(uint64_t id) {
  std::shared_ptr<Subscriber> removed;
  {
    const std::scoped_lock lock(mutex_);
    const auto found =
        std::ranges::find_if(subscribers_, [&](const auto& s) { return s->id == id; });
    if (found == subscribers_.end()) return;
    removed = *found;
    subscribers_.erase(found);
  }
  const std::scoped_lock wait(removed->running);
  removed->active = false;
}

void Subscribers::notify(const std::string& run_id, uint64_t last_seq) {
  std::vector<std::shared_ptr<Subscriber>> current;
  {
    const std::scoped_lock lock(mutex_);
    current = subscribers_;
  }
  for (const auto& subscriber : current) {
    const std::scoped_lock running(subscriber->running);
    if (subscriber->active) subscriber->changed(run_id, last_seq);
  }
}

void Subscribers::clear() {
  std::vector<std::shared_ptr<Subscriber>> removed;
  {
    const std::scoped_lock lock(mutex_);
    removed = std::exchange(subscribers_, {});
  }
  for (const auto& subscriber : removed) {
    const std::scoped_lock wait(subscriber->running);
    subscriber->active = false;
  }
}

bool Subscribers::empty() const {
  const std::scoped_lock lock(mutex_);
  return subscribers_.empty();
}

}  // namespace wave::store

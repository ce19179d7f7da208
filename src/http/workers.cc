#include "http/workers.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/survive.h"

namespace wave::http {

Status Workers::start_first() {
  const std::scoped_lock lock(mutex_);
  if (!threads_.empty() || start_thread()) return {};
  return fail(Code::kScarce, "no thread can be started for requests",
              "raise the limit of processes and threads (ulimit -u), or of memory (ulimit -v)");
}

bool Workers::submit(const std::string& client, Work& work) {
  const std::scoped_lock lock(mutex_);
  if (stopping_ || queued_ >= options_.max_queued) return false;
  if (queued_ >= idle_ && threads_.size() < options_.threads && !start_thread() &&
      threads_.empty()) {
    return false;
  }
  const auto [found, is_new] = clients_.try_emplace(client);
  Client& known = found->second;
  if (is_new) known.self = found;
  // The other half is for somebody else.
  const size_t share = std::max<size_t>(1, options_.max_queued / 2);
  bool taken = false;
  if (known.queue.size() < share) {
    taken = survive("a request", [&] { known.queue.push_back(std::move(work)); });
  }
  if (!taken) {
    forget_if_idle(known);
    return false;
  }
  ++queued_;
  give_turn(known);
  return true;
}

bool Workers::start_thread() {
  try {
    threads_.emplace_back([this] { run(); });
    complained_ = false;
    return true;
  } catch (const std::exception& error) {
    if (std::exchange(complained_, true)) return false;
    survive("requests", [&] { log::warning("no further thread for requests: {}", error.what()); });
    return false;
  }
}

void Workers::stop() {
  std::vector<std::thread> threads;
  std::vector<std::deque<Work>> dropped;  // destroyed without the mutex
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    for (auto& [name, client] : clients_) dropped.push_back(std::move(client.queue));
    first_turn_ = last_turn_ = nullptr;
    queued_ = 0;
  }
  arrived_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void Workers::give_turn(Client& client) {
  const size_t most = options_.threads - options_.threads / 4;
  if (stopping_ || client.has_turn || client.queue.empty() || client.running >= most) return;
  client.has_turn = true;
  client.next_turn = nullptr;
  (first_turn_ == nullptr ? first_turn_ : last_turn_->next_turn) = &client;
  last_turn_ = &client;
  arrived_.notify_one();
}

Workers::Client& Workers::take_turn() {
  Client& client = *first_turn_;
  first_turn_ = client.next_turn;
  client.has_turn = false;
  return client;
}

void Workers::forget_if_idle(Client& client) {
  if (client.queue.empty() && client.running == 0) clients_.erase(client.self);
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    arrived_.wait(lock, [this] { return stopping_ || first_turn_ != nullptr; });
    --idle_;
    if (stopping_) return;
    Client& client = take_turn();
    Work work = std::move(client.queue.front());
    client.queue.pop_front();
    --queued_;
    ++client.running;
    give_turn(client);
    lock.unlock();
    // A request that ran out of memory, say, is refused by its Responder.
    survive("a handler of requests failed", [&] { work(); });
    work = nullptr;
    lock.lock();
    --client.running;
    give_turn(client);
    if (!stopping_) forget_if_idle(client);
  }
}

}  // namespace wave::http

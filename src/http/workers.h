// Threads that do what may block, fairly: clients take turns, however much each of them wants done,
// and no client has all threads.
//
// Invariant: a client is in the list of turns exactly while it has work that may begin. That list
// runs through the clients themselves, so that giving a turn cannot fail.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace wave::http {

/// A thread is started when work comes and none is idle. Thread: any, for every method.
class Workers {
 public:
  using Work = std::move_only_function<void()>;

  struct Options {
    size_t threads = 1;
    size_t max_queued = 0;  // beyond: refused; of one client half
  };
  explicit Workers(Options options) : options_(options) {}
  ~Workers() { stop(); }

  /// Starts one thread, so that work is done however scarce threads become. kScarce.
  Status start_first();
  /// False when too much waits already; `work` is left alone then.
  bool submit(const std::string& client, Work& work);
  /// Drops what has not begun, waits for what has, and ends the threads.
  void stop();

 private:
  struct Client {
    std::deque<Work> queue;
    size_t running = 0;
    bool has_turn = false;
    Client* next_turn = nullptr;
    std::map<std::string, Client, std::less<>>::iterator self;
  };

  // With the mutex held:
  bool start_thread();
  void give_turn(Client& client);
  Client& take_turn();
  void forget_if_idle(Client& client);

  void run();

  const Options options_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::string, Client, std::less<>> clients_;  // all guarded by mutex_
  Client* first_turn_ = nullptr;
  Client* last_turn_ = nullptr;
  std::vector<std::thread> threads_;
  size_t queued_ = 0, idle_ = 0;
  bool complained_ = false;  // that there is no further thread, since the last one that there was
  bool stopping_ = false;
};

}  // namespace wave::http

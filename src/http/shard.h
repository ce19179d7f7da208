// The connections of one reactor.
#pragma once

#include <memory>
#include <vector>

#include "http/connection.h"

namespace wave::http {

/// Owned by the server; lives until its reactor's thread has ended. Thread: the reactor's, but for
/// the constructor and what says any.
class Shard final : public Pollable {
 public:
  Shard(std::shared_ptr<EpollReactor> reactor, std::shared_ptr<SharedState> state, int listener);

  /// Among whom connections are shared out; the vector outlives all threads. Before start.
  void know_others(const std::vector<std::unique_ptr<Shard>>& all) { all_ = &all; }
  /// Accepts from the listener until told otherwise. Thread: any, once.
  Status start();
  /// Ends the reactor, and with it all connections. Thread: any but the reactor's.
  void stop() { reactor_->stop(); }
  /// No new connections; idle ones are closed. Thread: any.
  void stop_accepting();

  /// Listener events.
  void on_events(uint32_t events) override;

  [[nodiscard]] Connection* find(uint64_t id);
  /// Destroys the connection once its call has returned.
  void retire(uint64_t id, const Peer& peer, bool was_stream);
  [[nodiscard]] SharedState& state() { return *state_; }
  [[nodiscard]] const Limits& limits() const { return state_->options.limits; }
  [[nodiscard]] const std::shared_ptr<SharedState>& shared_state() const { return state_; }
  [[nodiscard]] EpollReactor& reactor() { return *reactor_; }
  [[nodiscard]] const std::shared_ptr<EpollReactor>& shared_reactor() const { return reactor_; }

  /// Room to read into, shared by all connections of the reactor.
  [[nodiscard]] std::span<char> scratch() { return scratch_; }

 private:
  void accept_some();
  void hand_out(UniqueFd socket, Peer peer);
  void take(UniqueFd socket, Peer peer);
  void settle(UniqueFd socket, Peer peer);
  void forget(const Peer& peer);
  void bury();
  void pause_listening(int err);
  void listen_again();
  bool admit(const Peer& peer);

  struct Slot {
    std::unique_ptr<Connection> connection;
    uint32_t generation = 0;
  };

  std::shared_ptr<EpollReactor> reactor_;
  std::shared_ptr<SharedState> state_;
  int listener_;
  bool listening_ = false;
  bool paused_ = false;  // until the next tick: there were no descriptors left
  const std::vector<std::unique_ptr<Shard>>* all_ = nullptr;
  std::atomic<size_t> load_ = 0;  // connections here, and those on their way
  MonoTime next_complaint_{};
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::unique_ptr<Connection> retired_;  // the first of a chain
  std::vector<char> scratch_;
};

}  // namespace wave::http

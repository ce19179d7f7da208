// The server's end: takes the writes of other processes of the project and puts them into its own
// writer, where they share transactions with everything else. A process that is suspended in the
// middle of a request holds nothing but its own half request.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "store/sqlite/write_request.h"
#include "store/sqlite/write_socket.h"

namespace wave::store::sqlite {

/// Owned by the store, which outlives it. One thread, for all connections.
class WriteServer {
 public:
  using Answered = std::function<void(Result<WriteAnswer>)>;
  /// Carries out a request; `answered` may be called on any thread, also at once.
  using CarryOut = std::function<void(WriteRequest, bool asked_before, Answered)>;

  static Result<std::unique_ptr<WriteServer>> start(const StatePaths& paths, int schema_version,
                                                    CarryOut carry_out);
  /// Takes nothing more, answers what it has begun (for a second at most), and ends.
  ~WriteServer();
  WriteServer(const WriteServer&) = delete;
  WriteServer& operator=(const WriteServer&) = delete;

 private:
  struct Connection;
  struct Outbox;

  WriteServer(UniqueFd socket, int schema_version, CarryOut carry_out);
  void run();
  bool poll_once();
  void accept_all();
  void read_from(Connection& connection);
  void take_frames(Connection& connection);
  void take(Connection& connection, const FrameHead& head, std::string_view bytes);
  void write_to(Connection& connection);
  [[nodiscard]] bool is_done() const;

  UniqueFd socket_;
  const uint32_t schema_version_;
  const CarryOut carry_out_;
  const std::shared_ptr<Outbox> outbox_;
  std::map<int, std::unique_ptr<Connection>> connections_;  // by descriptor; of the thread, as
  uint64_t next_connection_ = 1;                            // this
  bool accepts_ = true;  // false for a moment, when there was no descriptor left
  std::thread thread_;
};

}  // namespace wave::store::sqlite

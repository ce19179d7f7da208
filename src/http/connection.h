// One connection: requests one after the other, or a stream to its end.
//
// Invariant: what is held for the client is one window of a body, or one pull of a stream; the next
// is asked for when the socket took all of that. What is thrown in here, for want of memory, ends
// this connection and nothing else.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/answer.h"
#include "http/epoll_reactor.h"
#include "http/reader_pace.h"
#include "http/request_parser.h"
#include "http/responder.h"
#include "http/shared_state.h"
#include "http/transport.h"

namespace wave::http {

class Shard;

/// Owned by its Shard. Thread: the reactor's.
class Connection final : public Pollable {
 public:
  Connection(Shard& shard, uint64_t id, Transport transport, Peer peer);
  ~Connection() override;

  /// After it is watched: begins the handshake or the first read.
  void begin();
  void on_events(uint32_t events) override;
  /// The answer of the request that is being handled.
  void answer(Answer answer);
  void become_stream(Answer head, StreamOptions options, Responder::MakeSource make);
  /// A stream's source may have news.
  void pull();
  /// What `fetch` asked for.
  void take_body(Result<std::string> piece, Windows::Window window);
  void tick(MonoTime now);
  /// No further request: closes now if none is being handled.
  void wind_down();

  [[nodiscard]] uint64_t id() const { return id_; }
  /// The chain of those that have ended, kept until nothing of them is on the stack any more.
  std::unique_ptr<Connection> next_retired;

 private:
  enum class State { kHandshake, kReading, kHandling, kWriting, kStream, kLinger, kClosed };

  // What requests need and streams do not.
  struct Inbound {
    explicit Inbound(const Limits& limits) : parser(limits) {}
    RequestParser parser;
  };
  struct Outbound {
    std::vector<Frame> frames;  // to be written, the first from `offset` on
    size_t next = 0, offset = 0;
    StreamedBody body;
    Windows::Window window;  // what `frames` hold of it
    bool fetching = false;   // the next window is being read
    bool chunked = false;
    bool close_after = false;

    [[nodiscard]] bool has_frames() const { return next < frames.size(); }
  };
  struct Streaming {
    std::unique_ptr<StreamSource> source;
    StreamOptions options;
    MonoTime next_heartbeat{};
    bool ended = false;
  };

  template <typename Work>
  void guarded(Work&& work);
  void advance();
  bool handshake();
  void read_some();
  bool parse();
  void dispatch();
  void refuse(const Refusal& refusal);
  void write();
  bool refill();
  bool pull_frames();
  bool write_frames();
  void fetch();
  bool add_piece(std::string piece);
  void end_body();
  void answer_lost();
  void look_at_reader(MonoTime now);
  void begin_pace();
  void written();
  bool count_client(const std::string& client);
  void let_client_go();
  void next_request();
  void linger();
  void finish_writing();
  void drain_input();
  void close();
  void set_deadline(Millis patience);

  Shard& shard_;
  const uint64_t id_;
  Transport transport_;
  State state_ = State::kReading;
  bool readable_ = true, writable_ = true, input_ended_ = false;
  bool advancing_ = false;
  bool is_stream_ = false;      // was one, until it is closed
  bool writing_ended_ = false;  // the other side has been told that nothing more comes
  size_t turn_ = 0;             // bytes written since others had theirs
  MonoTime deadline_;
  ReaderPace pace_;
  std::unique_ptr<Peer> peer_;
  std::string client_;                // behind a proxy, of the request that is being answered
  std::unique_ptr<Inbound> inbound_;  // from the first byte of a request to its end
  std::shared_ptr<Responder::Target> handled_;  // from a request's end to the end of its answer
  std::string input_;                           // read, not yet parsed
  std::unique_ptr<Outbound> outbound_;
  std::unique_ptr<Streaming> streaming_;
};

}  // namespace wave::http

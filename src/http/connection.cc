#include "http/connection.h"

#include <fmt/core.h>
#include <sys/epoll.h>

#include <array>

#include "base/id.h"
#include "base/log.h"
#include "base/survive.h"
#include "base/text.h"
#include "http/client_key.h"
#include "http/responder.h"
#include "http/shard.h"
#include "http/target.h"

namespace wave::http {
namespace {

constexpr size_t kPullBudget = 64 << 10;
constexpr size_t kMaxLingerBytes = 1 << 20;
constexpr Millis kLingerTime{2'000};
constexpr size_t kMaxPieces = 256;  // of one write
// What one connection may write before others have their turn.
constexpr size_t kTurnBytes = 1 << 20;
constexpr size_t kLeastOfTurn = 4 << 10;  // what looking for more counts as
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Frame as_frame(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string request_id_of(const Request& request) {
  const auto given = request.headers.find("X-Request-Id");
  if (given && given->size() <= 64 && is_safe_name(*given)) return std::string(*given);
  SystemRandom random;
  return random_base32(random, 12);
}

}  // namespace

Connection::Connection(Shard& shard, uint64_t id, Transport transport, Peer peer)
    : shard_(shard),
      id_(id),
      transport_(std::move(transport)),
      pace_(shard.limits().pace),
      peer_(std::make_unique<Peer>(std::move(peer))) {}

Connection::~Connection() = default;

template <typename Work>
void Connection::guarded(Work&& work) {
  if (survive("a connection", std::forward<Work>(work))) return;
  advancing_ = false;
  close();
}

void Connection::begin() {
  state_ = transport_.is_tls() ? State::kHandshake : State::kReading;
  set_deadline(transport_.is_tls() ? shard_.limits().handshake_timeout
                                   : shard_.limits().idle_timeout);
  guarded([this] { advance(); });
}

void Connection::set_deadline(Millis patience) {
  deadline_ = std::chrono::steady_clock::now() + patience;
}

void Connection::on_events(uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) readable_ = true;
  if ((events & EPOLLOUT) != 0) writable_ = true;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return close();
  // A handler is at work and the client has only ended its sending: it may still read.
  guarded([this] { advance(); });
}

// Goes on until the socket, or somebody else, has to do something.
void Connection::advance() {
  if (advancing_) return;  // called from within: the loop below goes on
  advancing_ = true;
  State before = State::kClosed;
  while (state_ != State::kClosed && before != state_) {
    before = state_;
    switch (state_) {
      case State::kHandshake:
        if (handshake()) before = State::kClosed;
        break;
      case State::kReading:
        read_some();
        break;
      case State::kHandling:
        break;
      case State::kWriting:
        write();
        break;
      case State::kStream:
        if (readable_) drain_input();
        if (state_ == State::kStream) write();
        break;
      case State::kLinger:
        finish_writing();
        drain_input();
        break;
      case State::kClosed:
        break;
    }
  }
  advancing_ = false;
}

bool Connection::handshake() {
  const IoResult result = transport_.handshake();
  if (result.kind == IoResult::Kind::kAgain) {
    readable_ = writable_ = true;  // either may be what it waits for
    return false;
  }
  if (result.kind != IoResult::Kind::kDone) {
    close();
    return false;
  }
  peer_->certificate = transport_.peer_certificate();
  state_ = State::kReading;
  readable_ = true;
  set_deadline(shard_.limits().idle_timeout);
  return true;
}

void Connection::read_some() {
  while (state_ == State::kReading) {
    if (!input_.empty() && parse()) continue;
    if (state_ != State::kReading) return;
    if (input_ended_ || !readable_) {
      if (input_ended_) close();
      return;
    }
    const std::span<char> room = shard_.scratch();
    const IoResult result = transport_.read(room);
    switch (result.kind) {
      case IoResult::Kind::kDone:
        if (!inbound_) {
          inbound_ = std::make_unique<Inbound>(shard_.limits());
          set_deadline(shard_.limits().header_timeout);
        }
        input_.append(room.data(), result.bytes);
        break;
      case IoResult::Kind::kAgain:
        readable_ = false;
        break;
      case IoResult::Kind::kEnd:
        input_ended_ = true;
        break;
      case IoResult::Kind::kError:
        return close();
    }
  }
}

// Whether it took something in or changed the state.
bool Connection::parse() {
  if (!inbound_) inbound_ = std::make_unique<Inbound>(shard_.limits());
  RequestParser& parser = inbound_->parser;
  const auto before = parser.state();
  const auto taken = parser.feed(input_);
  if (!taken) {
    refuse(taken.error());
    return true;
  }
  input_.erase(0, *taken);
  if (before == RequestParser::State::kHead && parser.state() != before) {
    Request& request = parser.request();
    request.peer = *peer_;
    strip_base_path(request, shard_.state().options.base_path);
    request.id = request_id_of(request);
    request.received = std::chrono::steady_clock::now();
    const auto& limit_of = shard_.state().options.body_limit;
    if (!parser.set_body_limit(limit_of ? limit_of(request) : size_t{1} << 20)) {
      refuse({413, "the body is too large"});
      return true;
    }
    if (parser.state() == RequestParser::State::kDone) {
      dispatch();
      return true;
    }
    set_deadline(shard_.limits().body_timeout);
    if (parser.expects_continue()) {
      const iovec piece{const_cast<char*>(kContinue.data()), kContinue.size()};
      (void)transport_.write({&piece, 1});  // a client that misses it sends its body after a while
    }
    return true;
  }
  if (parser.state() == RequestParser::State::kDone) {
    dispatch();
    return true;
  }
  return *taken > 0;
}

void Connection::dispatch() {
  SharedState& state = shard_.state();
  ++state.requests;
  Request request = std::move(inbound_->parser.request());
  state.built += request.body.size();
  auto target = std::make_shared<Responder::Target>();
  target->reactor = shard_.shared_reactor();
  target->shard = &shard_;
  target->connection = id_;
  target->state = shard_.shared_state();
  target->request_id = request.id;
  target->is_head_request = request.method == "HEAD";
  target->client =
      client_key(state.options.client_of ? state.options.client_of(request) : peer_->address);
  target->close = !inbound_->parser.keep_alive();
  target->takes_chunks = inbound_->parser.takes_chunks();
  inbound_.reset();
  handled_ = target;
  state_ = State::kHandling;
  deadline_ = MonoTime::max();  // handlers keep deadlines of their own
  Responder responder(std::move(target));
  if (!count_client(handled_->client)) {
    ++state.refused;
    return responder.send(
        refusal_response(429, "your address has too many requests open", request.id));
  }
  if (state.options.inline_answer) {
    if (auto response = state.options.inline_answer(request)) {
      return responder.send(*std::move(response));
    }
  }
  auto shared =
      std::make_shared<std::pair<Request, Responder>>(std::move(request), std::move(responder));
  std::move_only_function<void()> work = [&handler = state.handler, shared] {
    handler(std::move(shared->first), std::move(shared->second));
  };
  const Lane lane = state.options.lane ? state.options.lane(shared->first) : Lane::kOther;
  if (!state.lane(lane).submit(handled_->client, work)) {
    shared->second.send(refusal_response(503, "too many requests wait already", shared->first.id));
  }
}

void Connection::refuse(const Refusal& refusal) {
  ++shard_.state().malformed;
  const Request& request = inbound_->parser.request();
  const std::string id = request.id.empty() ? request_id_of(request) : request.id;
  const HeadFacts facts{.is_head_request = request.method == "HEAD",
                        .close = true,
                        .request_id = id,
                        .common = &shard_.state().options.common_headers};
  Answer refused = render_answer(refusal_response(refusal.status, refusal.reason, id), facts);
  input_ = {};
  inbound_.reset();
  state_ = State::kHandling;
  answer(std::move(refused));
}

void Connection::answer(Answer answer) {
  if (state_ != State::kHandling) return;
  guarded([&] {
    outbound_ = std::make_unique<Outbound>();
    outbound_->frames.push_back(as_frame(std::move(answer.bytes)));
    if (answer.shared && !answer.shared->empty()) {
      outbound_->frames.push_back(std::move(answer.shared));
    }
    outbound_->body = std::move(answer.body);
    outbound_->window = std::move(answer.window);
    outbound_->chunked = answer.chunked;
    outbound_->close_after = answer.close;
    state_ = State::kWriting;
    begin_pace();
    advance();
  });
}

void Connection::become_stream(Answer head, StreamOptions options, Responder::MakeSource make) {
  if (state_ != State::kHandling) return;
  handled_.reset();
  ++shard_.state().streams;
  is_stream_ = true;
  state_ = State::kStream;
  guarded([&] {
    input_ = {};
    inbound_.reset();
    streaming_ = std::make_unique<Streaming>();
    streaming_->options = std::move(options);
    streaming_->next_heartbeat =
        std::chrono::steady_clock::now() + streaming_->options.heartbeat_every;
    outbound_ = std::make_unique<Outbound>();
    outbound_->frames.push_back(as_frame(std::move(head.bytes)));
    begin_pace();
    streaming_->source = make(StreamHandle(&shard_.reactor(), id_));
    if (!streaming_->source) streaming_->ended = true;
    readable_ = true;
    advance();
  });
}

void Connection::pull() {
  if (state_ == State::kStream || state_ == State::kWriting) guarded([this] { advance(); });
}

// The next window of the body, read where it may block.
void Connection::fetch() {
  SharedState& state = shard_.state();
  outbound_->window = {};
  Workers::Work work = [reactor = shard_.shared_reactor(), shard = &shard_, id = id_,
                        source = outbound_->body.source, target = handled_,
                        window = state.windows.take()]() mutable {
    const bool posted = survive("a body", [&] {
      Result<std::string> piece = source->next(window.bytes());
      source.reset();
      reactor->post([shard, id, piece = std::move(piece), window = std::move(window)]() mutable {
        if (Connection* connection = shard->find(id)) {
          connection->take_body(std::move(piece), std::move(window));
        }
      });
    });
    if (!posted) target->lost = true;
  };
  outbound_->fetching = true;
  if (!state.body_readers->submit(handled_->client, work)) close();
}

void Connection::take_body(Result<std::string> piece, Windows::Window window) {
  if (state_ != State::kWriting || !outbound_ || !outbound_->fetching) return;
  guarded([&] {
    outbound_->fetching = false;
    outbound_->window = std::move(window);
    if (!piece) {
      log::warning("request {}: the body ends early: {}", handled_->request_id,
                   full_message(piece.error()));
      return close();
    }
    if (piece->empty()) {
      end_body();
    } else if (!add_piece(*std::move(piece))) {
      return close();
    }
    if (state_ != State::kWriting) return;
    pace_.resume(std::chrono::steady_clock::now(), transport_.acknowledged());
    advance();
  });
}

// False: there is more than was announced.
bool Connection::add_piece(std::string piece) {
  Outbound& out = *outbound_;
  if (out.body.length && *out.body.length < piece.size()) return false;
  if (out.body.length) *out.body.length -= piece.size();
  if (out.chunked) out.frames.push_back(as_frame(fmt::format("{:x}\r\n", piece.size())));
  out.frames.push_back(as_frame(std::move(piece)));
  if (out.chunked) out.frames.push_back(as_frame("\r\n"));
  if (out.body.length == uint64_t{0}) out.body.source.reset();
  return true;
}

// A body that is shorter than it was announced: the client has to see that it is not whole.
void Connection::end_body() {
  Outbound& out = *outbound_;
  if (out.body.length.value_or(0) > 0) return close();
  out.body.source.reset();
  if (out.chunked) out.frames.push_back(as_frame("0\r\n\r\n"));
}

void Connection::begin_pace() {
  deadline_ = MonoTime::max();
  pace_.begin(std::chrono::steady_clock::now(), transport_.acknowledged());
}

// Writes what is there; true when all of it went out.
bool Connection::write_frames() {
  Outbound& out = *outbound_;
  while (out.next < out.frames.size()) {
    if (!writable_) return false;
    std::array<iovec, kMaxPieces> pieces;
    size_t count = 0;
    for (size_t at = out.next; at < out.frames.size() && count < kMaxPieces; ++at) {
      const std::string& bytes = *out.frames[at];
      const size_t skip = at == out.next ? out.offset : 0;
      pieces[count++] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
    }
    const IoResult result = transport_.write({pieces.data(), count});
    if (result.kind == IoResult::Kind::kAgain) {
      writable_ = false;
      return false;
    }
    if (result.kind != IoResult::Kind::kDone) {
      close();
      return false;
    }
    shard_.state().bytes_out += result.bytes;
    turn_ += result.bytes;
    size_t left = result.bytes;
    while (left > 0) {
      const size_t rest = out.frames[out.next]->size() - out.offset;
      if (left < rest) {
        out.offset += left;
        break;
      }
      left -= rest;
      out.frames[out.next++].reset();
      out.offset = 0;
    }
    while (out.next < out.frames.size() && out.frames[out.next]->size() == out.offset) {
      out.frames[out.next++].reset();
      out.offset = 0;
    }
  }
  return true;
}

void Connection::write() {
  for (turn_ = 0; turn_ < kTurnBytes; turn_ += kLeastOfTurn) {
    if (outbound_ && !write_frames()) return;
    if (!refill()) return;
  }
  shard_.reactor().wake_stream(id_);  // goes on when the others have had their turn
}

// More to write; false: nothing now, or never.
bool Connection::refill() {
  if (state_ == State::kStream) return pull_frames();
  if (state_ != State::kWriting) return false;
  if (outbound_->fetching) return false;
  outbound_->frames.clear();
  outbound_->next = 0;
  if (outbound_->body.source) {
    fetch();
  } else {
    written();
  }
  return false;
}

bool Connection::pull_frames() {
  if (streaming_->ended) {
    linger();
    return false;
  }
  const bool waited = !outbound_;
  if (waited) outbound_ = std::make_unique<Outbound>();
  outbound_->frames.clear();
  outbound_->next = 0;
  const auto next = streaming_->source->pull(kPullBudget, outbound_->frames);
  if (next == StreamSource::Next::kEnded) streaming_->ended = true;
  if (outbound_->frames.empty() && next == StreamSource::Next::kWait) {
    outbound_.reset();  // a stream that waits holds nothing
    return false;
  }
  if (outbound_->frames.empty()) return true;
  streaming_->next_heartbeat =
      std::chrono::steady_clock::now() + streaming_->options.heartbeat_every;
  if (waited) begin_pace();
  return true;
}

void Connection::written() {
  const bool close_after = outbound_->close_after || shard_.state().closing;
  outbound_.reset();
  handled_.reset();
  if (close_after) return linger();
  next_request();
}

// A proxy's connection carries the requests of many clients, so those are what is counted.
bool Connection::count_client(const std::string& client) {
  if (!peer_->proxy || client == client_key(peer_->address)) return true;  // the proxy's own
  const size_t most = shard_.limits().max_connections_per_address;
  if (!shard_.state().per_address.take(client, most)) return false;
  client_ = client;
  return true;
}

void Connection::let_client_go() {
  if (!client_.empty()) shard_.state().per_address.give_back(std::exchange(client_, {}));
}

void Connection::next_request() {
  let_client_go();
  state_ = State::kReading;
  if (input_.empty()) input_ = {};
  set_deadline(input_.empty() ? shard_.limits().idle_timeout : shard_.limits().header_timeout);
}

// Closing while the client still sends would reset the connection and take the answer along.
void Connection::linger() {
  outbound_.reset();
  streaming_.reset();
  if (input_ended_) {
    finish_writing();
    return close();
  }
  state_ = State::kLinger;
  input_ = {};
  readable_ = true;
  finish_writing();
}

// TLS says goodbye with bytes of its own, which may have to wait for a slow client.
void Connection::finish_writing() {
  if (writing_ended_) return;
  writing_ended_ = transport_.shut_down_writing();
  set_deadline(writing_ended_ ? kLingerTime : shard_.limits().pace.stall);
}

// What a client sends although nobody listens: thrown away. Its end is the end.
void Connection::drain_input() {
  size_t drained = 0;
  while (readable_ && state_ != State::kClosed) {
    const IoResult result = transport_.read(shard_.scratch());
    if (result.kind == IoResult::Kind::kAgain) {
      readable_ = false;
      return;
    }
    if (result.kind != IoResult::Kind::kDone) return close();
    drained += result.bytes;
    if (drained > kMaxLingerBytes) return close();
  }
}

void Connection::tick(MonoTime now) {
  if (state_ == State::kClosed) return;
  if (now >= deadline_) {
    // If a request has started, answer 408; otherwise close.
    if (state_ == State::kReading && inbound_) {
      guarded([this] { refuse({408, "the request did not arrive in time"}); });
      return;
    }
    return close();
  }
  if (handled_ && handled_->lost) return guarded([this] { answer_lost(); });
  if (outbound_ && outbound_->has_frames()) return look_at_reader(now);
  if (state_ != State::kStream || outbound_ || !streaming_->options.heartbeat) return;
  if (now < streaming_->next_heartbeat) return;
  guarded([&] {
    streaming_->next_heartbeat = now + streaming_->options.heartbeat_every;
    outbound_ = std::make_unique<Outbound>();
    outbound_->frames.push_back(streaming_->options.heartbeat);
    begin_pace();
    advance();
  });
}

void Connection::look_at_reader(MonoTime now) {
  if (now < pace_.next_look()) return;
  if (!pace_.look(now, transport_.acknowledged())) close();
}

// There was no memory for the answer, or for the rest of it.
void Connection::answer_lost() {
  if (state_ != State::kHandling) return close();
  handled_->lost = false;
  outbound_ = std::make_unique<Outbound>();
  outbound_->frames.push_back(shard_.state().out_of_memory);
  outbound_->close_after = true;
  state_ = State::kWriting;
  begin_pace();
  advance();
}

void Connection::wind_down() {
  const bool idle =
      state_ == State::kHandshake || (state_ == State::kReading && !inbound_ && input_.empty());
  if (idle) close();
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  shard_.reactor().remove(transport_.fd());
  streaming_.reset();
  outbound_.reset();
  inbound_.reset();
  handled_.reset();
  transport_.close();
  let_client_go();
  shard_.retire(id_, *peer_, is_stream_);
}

}  // namespace wave::http

#include "http/connection.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>

#include "base/id.h"
#include "base/text.h"
#include "http/responder.h"
#include "http/shard.h"

namespace wave::http {
namespace {

constexpr size_t kPullBudget = 64 << 10;
constexpr size_t kFilePiece = 64 << 10;
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
      peer_(std::make_unique<Peer>(std::move(peer))) {}

Connection::~Connection() = default;

void Connection::begin() {
  state_ = transport_.is_tls() ? State::kHandshake : State::kReading;
  set_deadline(transport_.is_tls() ? shard_.limits().handshake_timeout
                                   : shard_.limits().idle_timeout);
  advance();
}

void Connection::set_deadline(Millis patience) {
  deadline_ = std::chrono::steady_clock::now() + patience;
}

void Connection::on_events(uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) readable_ = true;
  if ((events & EPOLLOUT) != 0) writable_ = true;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return close();
  // A handler is at work and the client has only ended its sending: it may still read.
  advance();
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
  auto target = std::make_shared<Responder::Target>();
  target->reactor = shard_.shared_reactor();
  target->shard = &shard_;
  target->connection = id_;
  target->state = shard_.shared_state();
  target->request_id = request.id;
  target->is_head_request = request.method == "HEAD";
  target->close = !inbound_->parser.keep_alive();
  inbound_.reset();
  state_ = State::kHandling;
  deadline_ = MonoTime::max();  // handlers keep deadlines of their own
  Responder responder(std::move(target));
  if (!count_client(request)) {
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
  if (!state.workers->submit(work)) {
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
  outbound_ = std::make_unique<Outbound>();
  outbound_->frames.push_back(as_frame(std::move(answer.bytes)));
  if (answer.shared && !answer.shared->empty()) {
    outbound_->frames.push_back(std::move(answer.shared));
  }
  outbound_->file = std::move(answer.file);
  outbound_->close_after = answer.close;
  state_ = State::kWriting;
  (void)load_file_piece();  // the head goes out with the first piece
  if (state_ != State::kWriting) return;
  set_deadline(shard_.limits().write_timeout);
  advance();
}

void Connection::become_stream(Answer head, StreamOptions options, Responder::MakeSource make) {
  if (state_ != State::kHandling) return;
  ++shard_.state().streams;
  is_stream_ = true;
  state_ = State::kStream;
  input_ = {};
  inbound_.reset();
  streaming_ = std::make_unique<Streaming>();
  streaming_->options = std::move(options);
  streaming_->next_heartbeat =
      std::chrono::steady_clock::now() + streaming_->options.heartbeat_every;
  outbound_ = std::make_unique<Outbound>();
  outbound_->frames.push_back(as_frame(std::move(head.bytes)));
  set_deadline(streaming_->options.stall_limit);
  streaming_->source = make(StreamHandle(&shard_.reactor(), id_));
  if (!streaming_->source) streaming_->ended = true;
  readable_ = true;
  advance();
}

void Connection::pull() {
  if (state_ == State::kStream || state_ == State::kWriting) advance();
}

// The next piece of the answer's file, behind the frames that are there; false: there is none.
bool Connection::load_file_piece() {
  FileBody& file = outbound_->file;
  if (!file.file || file.length == 0) return false;
  std::string piece(std::min<uint64_t>(file.length, kFilePiece), '\0');
  const ssize_t got =
      ::pread(file.file->get(), piece.data(), piece.size(), static_cast<off_t>(file.offset));
  if (got <= 0) {
    // Shorter than it was: the client has to see that the body is not whole.
    close();
    return false;
  }
  piece.resize(static_cast<size_t>(got));
  file.offset += piece.size();
  file.length -= piece.size();
  outbound_->frames.push_back(as_frame(std::move(piece)));
  return true;
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
    set_deadline(streaming_ ? streaming_->options.stall_limit : shard_.limits().write_timeout);
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
  outbound_->frames.clear();
  outbound_->next = 0;
  if (load_file_piece()) return true;
  if (state_ == State::kWriting) written();
  return false;
}

bool Connection::pull_frames() {
  if (streaming_->ended) {
    linger();
    return false;
  }
  if (!outbound_) outbound_ = std::make_unique<Outbound>();
  outbound_->frames.clear();
  outbound_->next = 0;
  const auto next = streaming_->source->pull(kPullBudget, outbound_->frames);
  if (next == StreamSource::Next::kEnded) streaming_->ended = true;
  if (outbound_->frames.empty() && next == StreamSource::Next::kWait) {
    outbound_.reset();  // a stream that waits holds nothing
    deadline_ = MonoTime::max();
    return false;
  }
  if (outbound_->frames.empty()) return true;
  streaming_->next_heartbeat =
      std::chrono::steady_clock::now() + streaming_->options.heartbeat_every;
  if (deadline_ == MonoTime::max()) set_deadline(streaming_->options.stall_limit);
  return true;
}

void Connection::written() {
  const bool close_after = outbound_->close_after || shard_.state().closing;
  outbound_.reset();
  if (close_after) return linger();
  next_request();
}

// A proxy's connection carries the requests of many clients, so those are what is counted.
bool Connection::count_client(const Request& request) {
  SharedState& state = shard_.state();
  if (!peer_->proxy || !state.options.client_of) return true;
  std::string client = state.options.client_of(request);
  if (client == peer_->address) return true;  // the proxy's own
  if (!state.per_address.take(client, shard_.limits().max_connections_per_address)) return false;
  client_ = std::move(client);
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
  set_deadline(writing_ended_ ? kLingerTime : shard_.limits().write_timeout);
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
    // A request that was begun is told why; everything else just ends.
    if (state_ == State::kReading && inbound_) {
      refuse({408, "the request did not arrive in time"});
      return;
    }
    return close();
  }
  if (state_ != State::kStream || outbound_ || !streaming_->options.heartbeat) return;
  if (now < streaming_->next_heartbeat) return;
  streaming_->next_heartbeat = now + streaming_->options.heartbeat_every;
  outbound_ = std::make_unique<Outbound>();
  outbound_->frames.push_back(streaming_->options.heartbeat);
  set_deadline(streaming_->options.stall_limit);
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
  transport_.close();
  let_client_go();
  shard_.retire(id_, *peer_, is_stream_);
}

}  // namespace wave::http

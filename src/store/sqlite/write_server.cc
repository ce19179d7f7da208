#include "store/sqlite/write_server.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <vector>

#include "base/log.h"

namespace wave::store::sqlite {
namespace {

constexpr size_t kMaxConnections = 256;
constexpr size_t kReadAtOnce = 256 << 10;
constexpr int kLookAgainMs = 50;
constexpr auto kLastAnswers = std::chrono::seconds(1);

Error other_version() {
  return {Code::kStoreNewer, "the server of this project is another version of wave",
          "restart the server with this version, or use the server's"};
}

}  // namespace

/// Answers on their way from the writer's thread to this one. Shared: an answer may come after the
/// connection, and the server, are gone.
struct WriteServer::Outbox {
  std::mutex mutex;
  std::map<uint64_t, std::string> answers;  // by connection; guarded by mutex
  size_t outstanding = 0;                   // requests without an answer; guarded by mutex
  std::atomic<bool> stopping = false;
  UniqueFd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  void ring() const {
    const uint64_t one = 1;
    (void)!::write(wake.get(), &one, sizeof one);
  }
};

struct WriteServer::Connection {
  UniqueFd socket;
  uint64_t number = 0;  // never given out twice
  std::string in, out;
  bool broken = false;
};

Result<std::unique_ptr<WriteServer>> WriteServer::start(const StatePaths& paths, int schema_version,
                                                        CarryOut carry_out) {
  WAVE_TRY(UniqueFd socket, listen_for_writes(paths));
  return std::unique_ptr<WriteServer>(
      new WriteServer(std::move(socket), schema_version, std::move(carry_out)));
}

WriteServer::WriteServer(UniqueFd socket, int schema_version, CarryOut carry_out)
    : socket_(std::move(socket)),
      schema_version_(static_cast<uint32_t>(schema_version)),
      carry_out_(std::move(carry_out)),
      outbox_(std::make_shared<Outbox>()) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the program's other threads
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

WriteServer::~WriteServer() {
  outbox_->stopping = true;
  outbox_->ring();
  thread_.join();
}

void WriteServer::run() {
  while (!outbox_->stopping) {
    if (!poll_once()) return;
  }
  socket_.reset();
  const auto end = std::chrono::steady_clock::now() + kLastAnswers;
  while (!is_done() && std::chrono::steady_clock::now() < end) {
    if (!poll_once()) return;
  }
}

bool WriteServer::is_done() const {
  for (const auto& [fd, connection] : connections_) {
    if (!connection->out.empty()) return false;
  }
  const std::scoped_lock lock(outbox_->mutex);
  return outbox_->outstanding == 0 && outbox_->answers.empty();
}

/// False: nothing can be waited for any more.
bool WriteServer::poll_once() {
  const bool stopping = outbox_->stopping;
  std::vector<pollfd> waits{{outbox_->wake.get(), POLLIN, 0}};
  const bool accepts = !stopping && accepts_ && connections_.size() < kMaxConnections;
  if (accepts) waits.push_back({socket_.get(), POLLIN, 0});
  for (const auto& [fd, connection] : connections_) {
    short events = stopping ? 0 : POLLIN;
    if (!connection->out.empty()) events |= POLLOUT;
    waits.push_back({fd, events, 0});
  }
  const int timeout = stopping || !accepts_ ? kLookAgainMs : -1;
  if (::poll(waits.data(), waits.size(), timeout) < 0) return errno == EINTR;
  accepts_ = true;
  uint64_t ignored = 0;
  (void)!::read(outbox_->wake.get(), &ignored, sizeof ignored);
  {
    const std::scoped_lock lock(outbox_->mutex);
    for (const auto& [fd, connection] : connections_) {
      if (auto answer = outbox_->answers.extract(connection->number)) {
        connection->out += answer.mapped();
      }
    }
    outbox_->answers.clear();  // of connections that are gone
  }
  for (const pollfd& wait : waits) {
    const auto found = connections_.find(wait.fd);
    if (found == connections_.end()) continue;
    if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !stopping) read_from(*found->second);
    write_to(*found->second);
    if (found->second->broken) connections_.erase(found);
  }
  if (accepts) accept_all();
  return true;
}

void WriteServer::accept_all() {
  while (connections_.size() < kMaxConnections) {
    UniqueFd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    accepts_ = socket.valid() || errno == EAGAIN;
    if (!socket.valid()) return;
    if (!is_ours(socket)) continue;
    auto connection = std::make_unique<Connection>();
    connection->number = next_connection_++;
    const int fd = socket.get();
    connection->socket = std::move(socket);
    connections_.emplace(fd, std::move(connection));
  }
}

void WriteServer::read_from(Connection& connection) {
  std::string buffer(kReadAtOnce, '\0');
  const ssize_t got = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    connection.broken = true;
    return;
  }
  connection.in.append(buffer, 0, static_cast<size_t>(got));
  take_frames(connection);
}

void WriteServer::take_frames(Connection& connection) {
  size_t at = 0;
  while (true) {
    const std::string_view rest = std::string_view(connection.in).substr(at);
    const auto head = whole_frame(rest);
    if (!head) {
      log::warning("a process of this project sends what is no write: {}", head.error().message);
      connection.broken = true;
      return;
    }
    if (!*head) break;
    take(connection, **head, rest.substr(sizeof(FrameHead), (*head)->size));
    at += sizeof(FrameHead) + (*head)->size;
  }
  connection.in.erase(0, at);
}

void WriteServer::take(Connection& connection, const FrameHead& head, std::string_view bytes) {
  {
    const std::scoped_lock lock(outbox_->mutex);
    ++outbox_->outstanding;
  }
  const Answered answered = [outbox = outbox_, number = connection.number,
                             id = head.id](const Result<WriteAnswer>& answer) {
    {
      const std::scoped_lock lock(outbox->mutex);
      append_frame(outbox->answers[number], {.id = id}, pack(answer));
      --outbox->outstanding;
    }
    outbox->ring();
  };
  const bool same_version = head.protocol == kWriteProtocol && head.schema == schema_version_;
  if (!same_version) return answered(fail(other_version()));
  Result<WriteRequest> request = unpack_request(bytes);
  if (!request) return answered(fail(request.error()));
  carry_out_(*std::move(request), head.asked_before != 0, answered);
}

void WriteServer::write_to(Connection& connection) {
  while (!connection.out.empty()) {
    const ssize_t sent =
        ::send(connection.socket.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      connection.broken = connection.broken || errno != EAGAIN;
      return;
    }
    connection.out.erase(0, static_cast<size_t>(sent));
  }
}

}  // namespace wave::store::sqlite

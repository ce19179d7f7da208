#include "store/sqlite/write_client.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace wave::store::sqlite {
namespace {

// As long as a statement waits for another process's transaction.
constexpr Millis kAnswerWithin{10'000};

Error only_the_server() {
  return {Code::kStoreBusy, "a server of this project runs, and only it can write this",
          "ask the server, or stop it first"};
}

}  // namespace

WriteClient::HandedOver WriteClient::hand_over(std::deque<Job>& jobs) {
  if (const Status ready = connect(); !ready) return {0, ready};
  if (const Status sent = send_all(jobs); !sent) return {0, sent};
  HandedOver handed;
  for (Job& job : jobs) {
    if (job.request == nullptr) {
      job.outcome = fail(only_the_server());
      ++handed.answered;
      continue;
    }
    const Result<std::string> bytes = receive(handed.answered);
    if (!bytes) {
      handed.status = fail(bytes.error());
      return handed;
    }
    Result<WriteAnswer> answer = unpack_answer(*bytes);
    if (answer) {
      if (job.answered) job.answered(*std::move(answer));
      job.outcome = {};
    } else {
      job.outcome = fail(std::move(answer).error());
    }
    ++handed.answered;
  }
  return handed;
}

Status WriteClient::connect() {
  if (connection_.valid()) return {};
  received_.clear();
  auto connected = connect_to_writes(paths_, kAnswerWithin);
  if (connected) {
    connection_ = *std::move(connected);
    return {};
  }
  if (connected.error().code == Code::kPermissionDenied) return fail(connected.error());
  return fail(Code::kServerUnreachable, full_message(connected.error()));
}

Status WriteClient::send_all(const std::deque<Job>& jobs) {
  std::string out;
  uint64_t id = 0;
  for (const Job& job : jobs) {
    const FrameHead head{.schema = static_cast<uint32_t>(schema_version_),
                         .asked_before = job.asked_before ? 1u : 0u,
                         .id = id++};
    if (job.request != nullptr) append_frame(out, head, pack(*job.request));
  }
  std::string_view rest = out;
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return lost(errno);
    rest.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

Result<std::string> WriteClient::receive(uint64_t id) {
  std::array<char, 64 << 10> buffer;
  while (true) {
    const auto head = whole_frame(received_);
    if (!head) return lost(EPROTO);
    if (*head) {
      if ((*head)->id != id) return lost(EPROTO);
      std::string bytes = received_.substr(sizeof(FrameHead), (*head)->size);
      received_.erase(0, sizeof(FrameHead) + (*head)->size);
      return bytes;
    }
    const ssize_t got = ::recv(connection_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return lost(got == 0 ? ECONNRESET : errno);
    received_.append(buffer.data(), static_cast<size_t>(got));
  }
}

/// An answer that comes after all belongs to nobody any more, so the connection goes.
std::unexpected<Error> WriteClient::lost(int error) {
  connection_.reset();
  if (error == EAGAIN || error == EWOULDBLOCK) {
    return fail(Code::kTimeout,
                fmt::format("the server has not answered for {} s", kAnswerWithin.count() / 1000));
  }
  return fail(Code::kServerUnreachable, "the connection to the server was lost");
}

}  // namespace wave::store::sqlite

#include "http/resolve.h"

#include <fmt/core.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/file.h"

namespace wave::http {
namespace {

struct Resolution {
  int error = 0;
  std::vector<SocketAddress> addresses;
};

Resolution ask(const std::string& host, uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  Resolution answer;
  answer.error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (answer.error != 0) return answer;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
    answer.addresses.push_back(address);
  }
  ::freeaddrinfo(list);
  return answer;
}

/// Shared by the one who asks and the thread that waits for the resolver.
struct Question {
  std::string host;
  uint16_t port = 0;
  UniqueFd answered;
  std::mutex mutex;
  Resolution answer;
};

void answer_question(const std::shared_ptr<Question>& question) {
  Resolution answer = ask(question->host, question->port, AI_ADDRCONFIG);
  const std::scoped_lock lock(question->mutex);
  question->answer = std::move(answer);
  ::eventfd_write(question->answered.get(), 1);
}

/// The C library's resolver knows no deadline. So it is asked on a thread that, if nobody waits for
/// it any more, ends by itself when the resolver's own timeouts have passed.
Result<Resolution> ask_patiently(const std::string& host, uint16_t port, const Patience& patience) {
  auto question = std::make_shared<Question>();
  question->host = host;
  question->port = port;
  question->answered = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!question->answered.valid()) return fail(errno_error(errno, "making an eventfd"));
  try {
    std::thread(answer_question, question).detach();
  } catch (const std::system_error& error) {
    return fail(errno_error(error.code().value(), "starting a thread"));
  }
  WAVE_CHECK(patience.wait(question->answered.get(), POLLIN));
  const std::scoped_lock lock(question->mutex);
  return std::move(question->answer);
}

}  // namespace

Result<std::vector<SocketAddress>> resolve(const std::string& host, uint16_t port,
                                           const Patience& patience) {
  Resolution answer = ask(host, port, AI_NUMERICHOST);
  if (answer.error != 0) {
    WAVE_TRY(answer, ask_patiently(host, port, patience));
  }
  if (answer.error != 0 || answer.addresses.empty()) {
    return fail(Code::kServerUnreachable,
                fmt::format("no address is known for {}: {}", host, ::gai_strerror(answer.error)),
                "look at the host's spelling, and at this machine's name resolution");
  }
  return std::move(answer.addresses);
}

}  // namespace wave::http

#include "process/launching.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "process/host_request.h"
#include "process/launch_reply.h"
#include "process/launcher_process.h"
#include "process/launcher_state.h"

namespace wave::process {
namespace {

using Steady = std::chrono::steady_clock;

/// How long a launcher may take no request at all: it only ever forks. Counted from the last one
/// that it took, since many may wait for their turn.
constexpr Millis kTakePatience{5'000};
/// How often to look whether somebody has stopped it.
constexpr Millis kTakeRound{250};
constexpr Millis kFullSocketRound{10};
/// How long a host may take to write its meta.
constexpr Millis kHostPatience{20'000};
constexpr int kMostSends = 3;
constexpr size_t kMaxReply = 1 << 20;

Result<UniqueFd> memory_file(std::string_view bytes) {
  UniqueFd fd(::memfd_create("wave-request", MFD_CLOEXEC));
  if (!fd.valid()) return fail(errno_error(errno, "cannot create a file in memory"));
  WAVE_CHECK(write_all(fd.get(), bytes));
  return fd;
}

}  // namespace

Result<Launching> Launching::begin(Launcher& launcher, const HostRequest& request) {
  WAVE_CHECK(check_request(request));
  HostRequest absolute = request;
  std::error_code error;  // only for a current folder that has been removed
  absolute.dir = fs::absolute(request.dir, error);
  absolute.cwd = fs::absolute(request.cwd, error);
  if (!request.owner_lock.empty()) absolute.owner_lock = fs::absolute(request.owner_lock, error);
  if (error) return fail(errno_error(error.value(), "cannot resolve", request.dir.native()));
  WAVE_TRY(UniqueFd file, memory_file(encode_request(absolute)));
  Launching launching(launcher, absolute.dir, std::move(file));
  WAVE_CHECK(launching.send());
  return launching;
}

/// A new pipe and, if the launcher's socket has room, the request. Otherwise it is tried again.
Status Launching::send() {
  if (!theirs_.valid()) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(errno_error(errno, "cannot create a pipe"));
    reply_.reset(ends[0]);
    theirs_.reset(ends[1]);
    if (::fcntl(reply_.get(), F_SETFL, O_NONBLOCK) != 0) {
      return fail(errno_error(errno, "cannot set up a pipe"));
    }
    taken_ = false;
    text_.clear();
    ++sends_;
    sent_at_ = Steady::now();
  }
  WAVE_TRY(const auto request, launcher_->impl_->send(request_.get(), theirs_.get()));
  generation_ = request.generation;
  next_look_ = Steady::now() + (request.sent ? kTakeRound : kFullSocketRound);
  if (request.sent) theirs_.reset();
  return {};
}

std::optional<Result<HostMeta>> Launching::advance() {
  if (auto result = read_reply()) return result;
  const MonoTime now = Steady::now();
  if (now < next_look_) return std::nullopt;
  if (taken_) {
    if (now < sent_at_ + kHostPatience) {
      next_look_ = sent_at_ + kHostPatience;
      return std::nullopt;
    }
    return send_again(Error(Code::kTimeout, "the agent-host did not answer",
                            "is it stopped (SIGSTOP, a debugger)? the launch is tried again"));
  }
  Launcher::Impl& launchers = *launcher_->impl_;
  // Waking it is enough for a SIGSTOP, and not for a debugger.
  const bool was_stopped = launchers.wake(generation_) && now >= sent_at_ + 2 * kTakeRound;
  const MonoTime alive_at = std::max(sent_at_, launchers.last_taken(generation_));
  if (was_stopped || now >= alive_at + kTakePatience) {
    launchers.replace(generation_);
    theirs_.reset();
    return send_again(Error(Code::kTimeout, "the launcher process does not answer",
                            "is it stopped (SIGSTOP, a debugger)? the launch is tried again"));
  }
  next_look_ = now + kTakeRound;
  if (!theirs_.valid()) return std::nullopt;
  if (auto sent = send(); !sent) return fail(sent.error());
  return std::nullopt;
}

/// Everything that has come; the answer, when the pipe has ended.
std::optional<Result<HostMeta>> Launching::read_reply() {
  while (text_.size() < kMaxReply) {
    char chunk[4096];
    const ssize_t got = ::read(reply_.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    if (got < 0) return fail(errno_error(errno, "cannot read the agent-host's answer"));
    if (got == 0) break;
    text_.append(chunk, static_cast<size_t>(got));
    if (!taken_) {
      taken_ = true;
      launcher_->impl_->note_taken(generation_, Steady::now());
    }
  }
  if (!taken_) launcher_->impl_->replace(generation_);  // it ended with the request untaken
  const size_t answer = text_.starts_with(kRequestTaken) ? 1 : 0;
  if (text_.size() > answer) {
    auto meta = decode_reply(std::string_view(text_).substr(answer));
    if (meta) meta->dir = dir_;
    return meta;
  }
  return send_again(Error(Code::kInterrupted,
                          "the agent-host or its launcher ended before it could start the program",
                          "restart wave; what runs goes on"));
}

std::optional<Result<HostMeta>> Launching::send_again(Error why) {
  if (sends_ >= kMostSends) return fail(std::move(why));
  auto sent = send();
  // A launcher that died takes nothing: the one that stands by does.
  if (!sent && sent.error().code == Code::kInterrupted) return fail(std::move(why));
  if (!sent) return fail(sent.error());
  return std::nullopt;
}

}  // namespace wave::process

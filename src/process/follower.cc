#include "process/follower.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <unordered_map>

#include "base/disk.h"
#include "base/id.h"
#include "base/log.h"
#include "base/system_fault.h"
#include "process/attempt_files.h"
#include "process/proc.h"

namespace wave::process {
namespace {

constexpr size_t kChunk = 64 << 10;
constexpr int kChunksPerTurn = 4;
constexpr Millis kSlowPoll{1'000};
constexpr Millis kUnwatchedPoll{100};
constexpr Millis kStrayPatience{2'000};
/// A host that was asked to end its program has this much time beyond the grace period: it may have
/// to wait for what SIGKILL does not end at once.
constexpr Millis kAnswerPatience{4'000};
/// How often to look whether somebody has stopped a host that was asked for something.
constexpr Millis kStoppedRound{250};
/// How long after its deadline a program may run before its host is taken for deaf.
constexpr Millis kDeadlinePatience{5'000};
/// Of what was printed before a stop more than this is skipped, but for the tail.
constexpr uint64_t kMostBacklog = 8 << 20;
constexpr uint64_t kBacklogTail = 1 << 20;
constexpr int kMaxReadErrors = 60;  // in a row, a second apart: then the rest is given up
constexpr uint32_t kInterest = IN_MODIFY | IN_MOVED_TO;

struct Spool {
  UniqueFd fd;
  uint64_t offset = 0;
  uint64_t end = UINT64_MAX;  // known once the process has ended: what is leaked may write on
};

uint64_t size_of(const Spool& spool) {
  struct stat info{};
  return ::fstat(spool.fd.get(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

}  // namespace

struct FollowerHub::Impl : std::enable_shared_from_this<FollowerHub::Impl> {
  explicit Impl(Loop& the_loop) : loop(the_loop), chunk(kChunk, '\0') {}

  void start();
  void stop();
  void add(const std::shared_ptr<Follower::Impl>& follower);
  void remove(Follower::Impl& follower);
  void read_events();
  void arm_poll();
  void poll_all();

  Loop& loop;
  UniqueFd inotify;
  Loop::WatchId watch = 0;
  Loop::TimerId timer = 0;
  /// By inotify's watch descriptor. Two followers of one folder share one.
  std::unordered_multimap<int, std::weak_ptr<Follower::Impl>> by_watch;
  std::unordered_map<Follower::Impl*, std::weak_ptr<Follower::Impl>> followers;
  size_t unwatched = 0;
  std::string chunk;  // what is being delivered
};

struct Follower::Impl : std::enable_shared_from_this<Follower::Impl> {
  enum class End { kNotYet, kFindingStrays, kKnown, kReported };

  explicit Impl(std::shared_ptr<FollowerHub::Impl> the_hub) : hub(std::move(the_hub)) {}

  Status open(uint64_t out_offset, uint64_t err_offset);
  void watch_end();
  void schedule();
  void turn();
  bool deliver_chunk(bool is_err);
  void skip_backlog(bool is_err);
  void look_for_end();
  void host_is_gone();
  void expect_end(Millis grace, std::string reason);
  void wait_for_strays();
  void look_again();
  void look_at_host();
  void watch_limits();
  void watch_program();
  void tell_of_stopped_host();
  void end_without_host();
  [[nodiscard]] bool is_away() const;
  void set_end(HostExit exit, uint64_t out_end, uint64_t err_end);
  void report_failure(const Error& error);
  void detach();
  [[nodiscard]] bool drained() const {
    return spools[0].offset >= spools[0].end && spools[1].offset >= spools[1].end;
  }

  std::shared_ptr<FollowerHub::Impl> hub;
  fs::path dir;
  HostMeta meta;
  FollowHandlers handlers;
  Spool spools[2];  // out, err
  UniqueFd host;
  Loop::WatchId host_watch = 0;
  int inotify_watch = -1;
  int read_errors = 0;
  bool host_gone = false;
  bool scheduled = false, paused = false, detached = false;
  End end = End::kNotYet;
  HostExit exit;
  std::string reason;  // why the host was asked to end its program; empty: it was not
  MonoTime grace_ends = MonoTime::max();  // of the program, from then on
  bool terminated = false;                // SIGTERM was sent in the host's place
  bool asked = false, forced = false;     // whether the host knows, and whether at once
  bool warned = false;
  bool told_stopped = false;                 // on_host_stopped was called
  MonoTime stopped_since = MonoTime::max();  // the host, with its program ended
  Loop::TimerId host_timer = 0;
};

// ---- the hub

void FollowerHub::Impl::start() {
  inotify.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify.valid()) return;  // the poll alone does it, more slowly
  watch = loop.watch_readable(inotify.get(), [this] { read_events(); });
}

void FollowerHub::Impl::stop() {
  if (watch != 0) loop.unwatch(watch);
  if (timer != 0) loop.cancel_timer(timer);
  watch = timer = 0;
  inotify.reset();
}

void FollowerHub::Impl::add(const std::shared_ptr<Follower::Impl>& follower) {
  if (inotify.valid()) {
    follower->inotify_watch =
        ::inotify_add_watch(inotify.get(), follower->dir.c_str(), kInterest | IN_ONLYDIR);
  }
  if (follower->inotify_watch >= 0) {
    by_watch.emplace(follower->inotify_watch, follower);
  } else {
    ++unwatched;
  }
  followers.emplace(follower.get(), follower);
  if (timer == 0 || unwatched == 1) arm_poll();
}

void FollowerHub::Impl::remove(Follower::Impl& follower) {
  if (followers.erase(&follower) == 0) return;
  const int descriptor = std::exchange(follower.inotify_watch, -1);
  if (descriptor < 0) {
    --unwatched;
  } else {
    auto [at, end] = by_watch.equal_range(descriptor);
    while (at != end) {
      const auto other = at->second.lock();
      at = !other || other.get() == &follower ? by_watch.erase(at) : std::next(at);
    }
    if (!by_watch.contains(descriptor) && inotify.valid()) {
      ::inotify_rm_watch(inotify.get(), descriptor);
    }
  }
  if (followers.empty() && timer != 0) loop.cancel_timer(std::exchange(timer, 0));
}

void FollowerHub::Impl::read_events() {
  alignas(inotify_event) char buffer[16 << 10];
  const ssize_t got = ::read(inotify.get(), buffer, sizeof buffer);
  for (ssize_t at = 0; at < got;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
      for (auto& [key, follower] : followers) {
        if (const auto alive = follower.lock()) alive->schedule();
      }
    }
    const auto [first, last] = by_watch.equal_range(event->wd);
    for (auto it = first; it != last; ++it) {
      if (const auto alive = it->second.lock()) alive->schedule();
    }
  }
}

void FollowerHub::Impl::arm_poll() {
  if (timer != 0) loop.cancel_timer(timer);
  const Millis period = unwatched > 0 ? kUnwatchedPoll : kSlowPoll;
  timer = loop.call_at(loop.clock().mono() + period, [weak = weak_from_this()] {
    if (const auto alive = weak.lock()) alive->poll_all();
  });
}

void FollowerHub::Impl::poll_all() {
  timer = 0;
  for (auto& [key, follower] : followers) {
    const auto alive = follower.lock();
    if (!alive) continue;
    alive->watch_limits();
    alive->watch_program();
    alive->schedule();
  }
  if (!followers.empty()) arm_poll();
}

FollowerHub::FollowerHub(Loop& loop) : impl_(std::make_shared<Impl>(loop)) {
  impl_->start();
}

FollowerHub::~FollowerHub() {
  impl_->stop();
}

// ---- the follower

Status Follower::Impl::open(uint64_t out_offset, uint64_t err_offset) {
  WAVE_TRY(meta, read_meta(dir));
  const uint64_t offsets[] = {out_offset, err_offset};
  for (int i = 0; i < 2; ++i) {
    const fs::path path = dir / (i == 0 ? "out" : "err");
    WAVE_TRY(spools[i].fd, open_file(path, O_RDONLY | O_NOFOLLOW));
    spools[i].offset = offsets[i];
    if (size_of(spools[i]) >= offsets[i]) continue;
    return fail(Code::kConflict,
                fmt::format("{} is shorter than the {} bytes that were read from it before",
                            path.native(), offsets[i]));
  }
  return {};
}

void Follower::Impl::watch_end() {
  auto opened = watch_host(meta);
  if (!opened) {
    // Anything else says that it is not known, or that it lives and has no pid here: it is asked
    // again at the next turn.
    host_gone = opened.error().code == Code::kNotFound;
    return;
  }
  host = std::move(*opened);
  host_watch = hub->loop.watch_readable(host.get(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->detached) return;
    self->hub->loop.unwatch(std::exchange(self->host_watch, 0));
    self->host.reset();
    self->host_gone = true;
    self->schedule();
  });
}

void Follower::Impl::schedule() {
  if (scheduled || paused || detached || end == End::kReported) return;
  scheduled = true;
  hub->loop.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->turn();
  });
}

/// One bounded piece of work: some chunks, then the end if it has come.
void Follower::Impl::turn() {
  scheduled = false;
  if (end == End::kNotYet && !host.valid() && !host_gone) watch_end();
  if (end == End::kNotYet) look_for_end();
  if (end == End::kKnown && !reason.empty() && handlers.on_skipped) {
    for (const bool is_err : {false, true}) {
      if (!detached) skip_backlog(is_err);
    }
  }
  for (int chunks = 0; chunks < kChunksPerTurn;) {
    bool progress = false;
    for (const bool is_err : {false, true}) {
      if (paused || detached) return;
      if (!deliver_chunk(is_err)) continue;
      progress = true;
      ++chunks;
    }
    if (paused || detached) return;
    if (progress) continue;
    if (end != End::kKnown || !drained()) return;
    end = End::kReported;
    hub->remove(*this);
    const auto on_exit = std::move(handlers.on_exit);
    if (on_exit) on_exit(exit);
    return;
  }
  schedule();
}

/// Delivers the next bytes of a spool. False when there are none.
bool Follower::Impl::deliver_chunk(bool is_err) {
  Spool& spool = spools[is_err ? 1 : 0];
  const size_t wanted = std::min<uint64_t>(kChunk, spool.end - std::min(spool.end, spool.offset));
  if (wanted == 0) return false;
  const ssize_t got =
      ::pread(spool.fd.get(), hub->chunk.data(), wanted, static_cast<off_t>(spool.offset));
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) {
    if (got < 0 && ++read_errors == 1) {
      log::warning("cannot read the spools in {}: errno {}", dir.native(), errno);
    }
    // Shorter than at the end that was recorded: somebody cut it. Waiting would be for ever, as it
    // would for a disk that does not give it back.
    const bool for_good = got == 0 || read_errors > kMaxReadErrors;
    if (end == End::kKnown && for_good) spool.end = spool.offset;
    return false;
  }
  read_errors = 0;
  const uint64_t offset = spool.offset;
  spool.offset += static_cast<uint64_t>(got);
  if (handlers.on_bytes) {
    handlers.on_bytes(is_err, offset, {hub->chunk.data(), static_cast<size_t>(got)});
  }
  return true;
}

/// Whoever stops something wants it to be over, and not to see all of what it had printed.
void Follower::Impl::skip_backlog(bool is_err) {
  Spool& spool = spools[is_err ? 1 : 0];
  if (spool.end < spool.offset + kMostBacklog) return;
  const uint64_t from = std::exchange(spool.offset, spool.end - kBacklogTail);
  handlers.on_skipped(is_err, from, spool.offset - from);
}

void Follower::Impl::look_for_end() {
  const bool gone =
      host_gone;  // asked before the exit is looked for: it is written before the host ends
  auto found = read_exit(dir);
  if (!found) {
    // What the machine is short of, and a disk that is away, may pass: looked at again.
    if (gone && !is_shortage(found.error())) report_failure(found.error());
    return;
  }
  if (*found) {
    const HostExit& known = **found;
    set_end(known, known.out_bytes, known.err_bytes);
  } else if (gone && !is_away()) {
    host_is_gone();
  }
}

/// Whether the folder is not there although nobody removed it: its file system is not mounted. It
/// may hold the exit, and is waited for.
bool Follower::Impl::is_away() const {
  struct stat info{};
  if (::stat(dir.c_str(), &info) == 0) return false;
  return ::fstat(spools[0].fd.get(), &info) == 0 && info.st_nlink > 0;
}

void Follower::Impl::host_is_gone() {
  end = End::kFindingStrays;
  struct Found {
    std::vector<int> leaked;
    bool may_have_more = false;
  };
  auto found = std::make_shared<Found>();
  hub->loop.run_blocking(
      [found, of = meta] {
        found->leaked = kill_strays(of, kStrayPatience);
        found->may_have_more = may_have_strays(of);
      },
      [found, weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->detached) return;
        // What may live is not started again beside itself, unless it is to end anyway.
        if (found->may_have_more && self->reason.empty()) return self->wait_for_strays();
        HostExit lost;
        lost.reason = "host_lost";
        lost.leaked = found->leaked;
        if (found->may_have_more) lost.leaked.push_back(self->meta.pid);
        lost.out_bytes = size_of(self->spools[0]);
        lost.err_bytes = size_of(self->spools[1]);
        self->set_end(lost, lost.out_bytes, lost.err_bytes);
        self->schedule();
      });
}

void Follower::Impl::wait_for_strays() {
  if (!std::exchange(warned, true)) {
    log::warning(
        "the agent-host in {} is gone, its program lives on, and /proc does not show it: "
        "its step waits for its end",
        dir.native());
  }
  end = End::kNotYet;  // looked for again at the next poll
}

/// The host was asked to end its program. One that does not is stopped, held by a debugger, or
/// frozen: that is the trouble of this process alone, and its program is ended without it.
void Follower::Impl::expect_end(Millis grace, std::string why) {
  const MonoTime now = hub->loop.clock().mono();
  grace_ends = std::min(grace_ends, now + grace);
  if (reason.empty()) reason = std::move(why);
  look_again();
}

void Follower::Impl::look_again() {
  if (host_timer != 0) hub->loop.cancel_timer(host_timer);
  host_timer =
      hub->loop.call_at(hub->loop.clock().mono() + kStoppedRound, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->detached) return;
        self->host_timer = 0;
        self->look_at_host();
      });
}

void Follower::Impl::look_at_host() {
  if (host_gone || end != End::kNotYet) return;
  const MonoTime now = hub->loop.clock().mono();
  // It was woken. If it is stopped all the same, nobody keeps the grace period but us.
  const bool stopped = host_is_stopped(meta);
  if (!asked) asked = request_stop(meta, forced).has_value();
  if (now >= grace_ends + (stopped ? Millis(0) : kAnswerPatience)) return end_without_host();
  if (stopped && !std::exchange(terminated, true)) {
    hub->loop.run_blocking([of = meta] { terminate_tree(of); }, [] {});
  }
  look_again();
}

void Follower::Impl::end_without_host() {
  log::warning("the agent-host {} in {} does not answer and is ended with its program",
               meta.host_pid, dir.native());
  end = End::kFindingStrays;
  HostExit ended;
  ended.signal = SIGKILL;
  ended.reason = reason;
  ended.message = "its agent-host did not answer and was ended with it";
  if (meta.started > Millis(0) && meta.boot_id == boot_id()) {
    ended.duration =
        std::chrono::floor<Millis>(hub->loop.clock().mono().time_since_epoch()) - meta.started;
  }
  ended.out_bytes = size_of(spools[0]);
  ended.err_bytes = size_of(spools[1]);
  if (reason == "output_limit") ended.limit = meta.max_output;
  auto known = std::make_shared<HostExit>(std::move(ended));
  hub->loop.run_blocking(
      [known, of = meta, folder = dir] {
        known->leaked = end_tree(of, kStrayPatience);
        // For the next owner. The host may have come to it after all.
        const auto written = read_exit(folder);
        if (written && *written) *known = **written;
        if (written && !*written) (void)write_exit(folder, *known);
      },
      [known, weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->detached) return;
        known->out_bytes = std::max(known->out_bytes, size_of(self->spools[0]));
        known->err_bytes = std::max(known->err_bytes, size_of(self->spools[1]));
        self->set_end(*known, known->out_bytes, known->err_bytes);
        self->schedule();
      });
}

/// What the host keeps, kept in its place when it clearly does not.
void Follower::Impl::watch_limits() {
  if (host_gone || end != End::kNotYet || !reason.empty()) return;
  const MonoTime now = hub->loop.clock().mono();
  const bool is_late = meta.deadline > Millis(0) && meta.boot_id == boot_id() &&
                       now >= MonoTime(meta.deadline) + kDeadlinePatience;
  const uint64_t printed = std::max(size_of(spools[0]), size_of(spools[1]));
  const bool is_full = meta.max_output > 0 && printed / 2 > meta.max_output;
  if (!is_late && !is_full) return;
  wake_host(meta);
  expect_end(is_full ? Millis(0) : meta.grace, is_full ? "output_limit" : "timeout");
}

/// A host that is stopped does not see its program end, and nobody else waits for that.
void Follower::Impl::watch_program() {
  if (host_gone || end != End::kNotYet || !reason.empty() || meta.pid == 0) return;
  const auto program = process_info(meta.pid);
  const bool is_alive = program && program->is_alive() && program->start_time == meta.start_time;
  if (is_alive || !host_is_stopped(meta)) {
    stopped_since = MonoTime::max();
    return;
  }
  const MonoTime now = hub->loop.clock().mono();
  stopped_since = std::min(stopped_since, now);
  if (!std::exchange(told_stopped, true)) tell_of_stopped_host();
  wake_host(meta);
  if (now - stopped_since < meta.grace + kAnswerPatience) return;
  reason = "host_lost";
  end_without_host();
}

void Follower::Impl::tell_of_stopped_host() {
  log::warning("the agent-host {} in {} is stopped, and its program has ended: it is woken",
               meta.host_pid, dir.native());
  hub->loop.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && !self->detached && self->handlers.on_host_stopped) self->handlers.on_host_stopped();
  });
}

void Follower::Impl::set_end(HostExit the_exit, uint64_t out_end, uint64_t err_end) {
  exit = std::move(the_exit);
  spools[0].end = out_end;
  spools[1].end = err_end;
  end = End::kKnown;
}

/// The exit is there and cannot be read: the process is over, and nobody knows how.
void Follower::Impl::report_failure(const Error& error) {
  HostExit lost;
  lost.reason = "host_lost";
  lost.message = full_message(error);
  lost.out_bytes = size_of(spools[0]);
  lost.err_bytes = size_of(spools[1]);
  set_end(lost, lost.out_bytes, lost.err_bytes);
}

void Follower::Impl::detach() {
  detached = true;
  hub->remove(*this);
  if (host_watch != 0) hub->loop.unwatch(std::exchange(host_watch, 0));
  if (host_timer != 0) hub->loop.cancel_timer(std::exchange(host_timer, 0));
  host.reset();
}

Follower::Follower(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Follower::~Follower() {
  impl_->detach();
}

Result<std::unique_ptr<Follower>> Follower::attach(FollowerHub& hub,
                                                   const std::filesystem::path& dir,
                                                   uint64_t out_offset, uint64_t err_offset,
                                                   FollowHandlers handlers) {
  auto impl = std::make_shared<Impl>(hub.impl_);
  impl->dir = dir;
  impl->handlers = std::move(handlers);
  WAVE_CHECK(impl->open(out_offset, err_offset));
  hub.impl_->add(impl);
  impl->watch_end();
  impl->schedule();  // what was there before the watch was
  return std::unique_ptr<Follower>(new Follower(std::move(impl)));
}

void Follower::pause() {
  impl_->paused = true;
}

void Follower::resume() {
  impl_->paused = false;
  impl_->schedule();
}

Status Follower::stop(bool force) {
  Impl& impl = *impl_;
  if (impl.end != Impl::End::kNotYet) return {};
  if (impl.host_gone) {
    impl.reason = "stopped";
    return {};
  }
  auto asked = request_stop(impl.meta, force);
  if (!asked && asked.error().code == Code::kNotFound) return {};
  impl.asked = asked.has_value();
  impl.forced |= force;
  impl.expect_end(force ? Millis(0) : impl.meta.grace, "stopped");
  return {};
}

const HostMeta& Follower::meta() const {
  return impl_->meta;
}

}  // namespace wave::process

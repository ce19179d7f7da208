#include "process/host.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <unordered_set>

#include "base/disk.h"
#include "base/system_fault.h"
#include "process/attempt_files.h"
#include "process/cgroup.h"
#include "process/launch_reply.h"
#include "process/proc.h"
#include "process/run_command.h"
#include "process/spawn.h"

namespace wave::process {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;

/// What the program left behind gets this long between SIGTERM and SIGKILL, or the grace period if
/// shorter.
constexpr Millis kLeftoverGrace{2'000};
/// How long SIGKILL may take to show. What is alive after that is named in `leaked`.
constexpr Millis kKillPatience{2'000};
constexpr Millis kKillRound{20};
constexpr Millis kMarkerRound{50};
/// How often the spools' sizes are looked at: slowly, and sooner the faster they approach the cap.
constexpr Millis kSpoolRound{250};
constexpr Millis kFastestSpoolRound{5};
constexpr Millis kOwnerRound{30'000};
/// Below this the disk is taken for used up: others write to it between two looks, and it may have
/// been full for a moment.
constexpr uint64_t kUsedUpBytes = 16 << 20;
constexpr uint64_t kUsedUpInodes = 16;
/// A full disk must not cost the exit status: it is tried again for this long.
constexpr Millis kExitPatience{600'000};
constexpr Millis kExitRound{500};

uint64_t file_size(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

bool is_removed(const UniqueFd& spool) {
  struct stat info{};
  return ::fstat(spool.get(), &info) == 0 && info.st_nlink == 0;
}

bool is_used_up(const DiskRoom& room) {
  return room.read_only || room.free_bytes < kUsedUpBytes ||
         (room.free_inodes && *room.free_inodes < kUsedUpInodes);
}

/// Whether a living process holds the owner's lock: an open file description lock, which can be
/// asked about without being taken (fcntl(2), F_OFD_GETLK), so that looking never stands in an
/// owner's way.
bool is_owned(const fs::path& lock) {
  const UniqueFd fd(::open(lock.c_str(), O_RDONLY | O_CLOEXEC));
  // Only a lock that does not exist is certainly not held.
  if (!fd.valid()) return errno != ENOENT && errno != ENOTDIR;
  struct flock query{};
  query.l_type = F_WRLCK;
  query.l_whence = SEEK_SET;
  return ::fcntl(fd.get(), F_OFD_GETLK, &query) != 0 || query.l_type != F_UNLCK;
}

/// Held by every process that has inherited the spool: a sign of life where /proc shows none.
void lock_spool(int fd) {
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kSpoolLock;
  lock.l_len = 1;
  ::fcntl(fd, F_OFD_SETLK, &lock);
}

class Host {
 public:
  Host(HostRequest request, const HostContext& context)
      : request_(std::move(request)), context_(context) {}

  /// Up to the point where the program runs, or is known not to.
  Result<HostMeta> start();
  /// From there to <dir>/exit.
  void keep();

 private:
  enum class Phase {
    kRunning,      // nobody wants it to end
    kTerminating,  // SIGTERM is out, SIGKILL follows at phase_end_
    kKilling,      // SIGKILL is out, what lives at phase_end_ is leaked
    kOver
  };

  Status open_spools();
  Status start_program();
  Result<HostMeta> record();

  void wait();
  [[nodiscard]] Clock::time_point next_wake() const;
  void take_signals();
  void reap();
  void note_exec_result();
  void check_deadline();
  void check_spools();
  void check_room();
  void check_stop_file();
  void check_owner();
  void check_leftovers();

  void stop(std::string reason, bool force);
  void terminate(Millis grace);
  void kill_all();
  void kill_round();
  [[nodiscard]] std::vector<ProcessInfo> everything_left();

  HostRequest request_;
  const HostContext& context_;
  HostMeta meta_;
  UniqueFd signals_, in_, out_, err_;
  UniqueFd life_;  // our meta, locked as long as we live
  HeldProgram program_;

  HostExit exit_;
  Phase phase_ = Phase::kRunning;
  bool program_ended_ = false;
  bool children_left_ = true;
  bool killed_once_ = false;
  bool saw_everything_ = true;  // at the last look at /proc
  int stop_signals_ = 0;
  Clock::time_point started_ = Clock::now();
  Clock::time_point phase_end_ = Clock::time_point::max();
  Clock::time_point next_look_ = Clock::time_point::max();  // at what is left, while ending
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point next_spool_check_;
  uint64_t last_spool_size_ = 0;
  Clock::time_point next_owner_check_ = Clock::time_point::max();
  Clock::time_point last_owned_ = started_;
};

Result<HostMeta> Host::start() {
  ::setsid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ::prctl(PR_SET_NAME, "wave-host", 0, 0, 0);
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGUSR1, SIGCHLD}) ::sigaddset(&wanted, signal);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) return fail(errno_error(errno, "cannot create a signalfd"));

  WAVE_CHECK(open_spools());
  if (auto started = start_program(); !started) {
    // A shortage is no property of the program: the folder stays free for another try.
    if (is_shortage(started.error())) return fail(started.error());
    exit_.reason = "spawn_failed";
    exit_.message = started.error().message;
    phase_ = Phase::kOver;
  }
  return record();
}

Status Host::open_spools() {
  WAVE_CHECK(make_directories(request_.dir, 0700));
  if (::access((request_.dir / "meta").c_str(), F_OK) == 0) {
    return fail(Code::kConflict,
                fmt::format("something was started in {} before", request_.dir.native()));
  }
  // Spools are appended to, never truncated: a host that loses the race for the folder harms
  // nothing.
  const int flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW;
  WAVE_TRY(out_, open_file(request_.dir / "out", flags, 0600));
  WAVE_TRY(err_, open_file(request_.dir / "err", flags, 0600));
  lock_spool(out_.get());
  lock_spool(err_.get());
  if (request_.stdin_text.empty()) {
    WAVE_TRY(in_, open_file("/dev/null", O_RDONLY));
    return {};
  }
  const fs::path mine = request_.dir / fmt::format("in.{}", ::getpid());
  WAVE_CHECK(write_file(mine, request_.stdin_text, 0600));
  WAVE_TRY(in_, open_file(mine, O_RDONLY));
  return {};
}

Status Host::start_program() {
  std::string program = request_.argv[0];
  if (!program.contains('/')) {
    const auto path = request_.env.find("PATH");
    const ShortageWatch watch;
    const auto found = find_program(program, path == request_.env.end() ? "" : path->second);
    if (!found) {
      return fail(watch.behind(Error(Code::kNotFound, fmt::format("{} is not in PATH", program))));
    }
    program = found->native();
  }
  if (request_.use_cgroup) meta_.cgroup = make_agent_cgroup(context_.cgroup, request_.agent_id);
  const StandardFds fds{in_.get(), out_.get(), err_.get()};
  auto held = hold_program(request_, program, fds, meta_.cgroup);
  if (!held && !meta_.cgroup.empty()) {  // the cgroup may be what it does not work with
    remove_cgroup(meta_.cgroup);
    meta_.cgroup.clear();
    held = hold_program(request_, program, fds, {});
  }
  if (!held) return fail(held.error());
  program_ = std::move(*held);
  return {};
}

/// Takes possession of the folder; from then on there is an exit to come.
Result<HostMeta> Host::record() {
  meta_.agent_id = request_.agent_id;
  meta_.boot_id = context_.boot_id;
  meta_.host_pid = ::getpid();
  if (const auto self = process_info(meta_.host_pid)) meta_.host_start_time = self->start_time;
  meta_.pid = program_.pid;
  meta_.grace = request_.grace;
  meta_.max_output = request_.max_output;
  meta_.started = duration_cast<Millis>(Clock::now().time_since_epoch());
  if (request_.timeout > Millis(0)) meta_.deadline = meta_.started + request_.timeout;
  if (program_.pid != 0) {
    if (const auto info = process_info(program_.pid)) meta_.start_time = info->start_time;
  }
  const fs::path mine = request_.dir / fmt::format("in.{}", meta_.host_pid);
  auto created = create_locked_meta(request_.dir, meta_);
  if (!created) {
    if (!request_.stdin_text.empty()) ::unlink(mine.c_str());
    program_.control.reset();  // the held program ends without having run
    if (program_.pid != 0) ::waitpid(program_.pid, nullptr, 0);
    remove_cgroup(meta_.cgroup);
    return fail(created.error());
  }
  life_ = *std::move(created);
  if (!request_.stdin_text.empty()) ::rename(mine.c_str(), (request_.dir / "in").c_str());
  started_ = Clock::now();
  if (program_.pid != 0) (void)program_.release();  // if it is dead already, it will be reaped
  return meta_;
}

void Host::keep() {
  in_.reset();
  last_owned_ = started_;
  if (request_.timeout > Millis(0)) deadline_ = started_ + request_.timeout;
  next_spool_check_ = started_ + kSpoolRound;
  if (request_.unattended_limit > Millis(0)) next_owner_check_ = started_;
  std::string().swap(request_.stdin_text);

  while (phase_ != Phase::kOver) {
    wait();
    take_signals();
    note_exec_result();
    check_deadline();
    check_spools();
    check_owner();
    check_leftovers();
  }

  remove_cgroup(meta_.cgroup);
  if (exit_.reason == "spawn_failed") exit_.exit_code = -1;  // the 127 is ours, no program's
  // A flood may pass the cap between two looks; nobody who could write is left.
  for (const UniqueFd* spool : {&out_, &err_}) {
    if (file_size(spool->get()) <= request_.max_output) continue;
    if (::ftruncate(spool->get(), static_cast<off_t>(request_.max_output)) != 0) continue;
  }
  check_room();
  exit_.out_bytes = file_size(out_.get());
  exit_.err_bytes = file_size(err_.get());
  const Clock::time_point give_up = Clock::now() + kExitPatience;
  while (Clock::now() < give_up) {
    const Status written = write_exit(request_.dir, exit_);
    // Nobody waits in a removed folder; one that is not mounted comes back.
    if (written || is_removed(out_)) break;
    exit_.disk_ran_out |= is_of_disk(written.error());
    ::poll(nullptr, 0, static_cast<int>(kExitRound.count()));
  }
}

Clock::time_point Host::next_wake() const {
  Clock::time_point wake = std::min(phase_end_, next_look_);
  if (phase_ == Phase::kRunning) wake = std::min({wake, deadline_, next_owner_check_});
  if (phase_ != Phase::kKilling) wake = std::min(wake, next_spool_check_);
  return wake;
}

void Host::wait() {
  const Clock::duration left = std::max(next_wake() - Clock::now(), Clock::duration::zero());
  const auto seconds = duration_cast<std::chrono::seconds>(left);
  const timespec timeout{.tv_sec = seconds.count(),
                         .tv_nsec = std::chrono::nanoseconds(left - seconds).count()};
  pollfd fds[] = {{signals_.get(), POLLIN, 0}, {program_.control.get(), POLLIN, 0}};
  ::ppoll(fds, 2, &timeout, nullptr);  // poll(2) skips negative descriptors
}

void Host::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGTERM) stop("stopped", ++stop_signals_ > 1);
    if (info.ssi_signo == SIGUSR1) stop("stopped", true);
  }
  reap();
}

void Host::reap() {
  while (true) {
    int status = 0;
    const int pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0) children_left_ = errno != ECHILD;
    if (pid <= 0) break;
    if (pid != program_.pid) continue;
    program_ended_ = true;
    exit_.duration = duration_cast<Millis>(Clock::now() - started_);
    if (WIFEXITED(status)) exit_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) exit_.signal = WTERMSIG(status);
  }
  if (!program_ended_ || phase_ != Phase::kRunning) return;
  // The usual end: nothing left, and nothing to look for in /proc.
  if (!children_left_) {
    phase_ = Phase::kOver;
  } else {
    terminate(std::min(request_.grace, kLeftoverGrace));
  }
}

void Host::note_exec_result() {
  if (!program_.control.valid()) return;
  pollfd control{program_.control.get(), POLLIN, 0};
  if (!program_ended_ && ::poll(&control, 1, 0) == 0) return;
  auto failure = program_.exec_failure(request_);
  if (!failure) return;
  exit_.reason = "spawn_failed";
  exit_.message = std::move(*failure);
}

void Host::check_deadline() {
  if (phase_ == Phase::kRunning && Clock::now() >= deadline_) stop("timeout", false);
}

void Host::check_spools() {
  const Clock::time_point now = Clock::now();
  if (phase_ == Phase::kOver || phase_ == Phase::kKilling || now < next_spool_check_) return;
  check_stop_file();
  check_room();
  const uint64_t size = std::max(file_size(out_.get()), file_size(err_.get()));
  if (size > request_.max_output) {
    exit_.limit = request_.max_output;
    stop("output_limit", true);
    return;
  }
  const uint64_t grown = size - std::min(size, last_spool_size_);
  last_spool_size_ = size;
  // At this speed the cap is reached after `rounds` rounds: look again half way there.
  const uint64_t rounds_per_half = grown == 0 ? 1 : (request_.max_output - size) / grown / 2;
  next_spool_check_ = now + (rounds_per_half > 0 ? kSpoolRound : kFastestSpoolRound);
}

/// The program writes into the spools itself: a write that is refused is its error, and nobody else
/// would know.
void Host::check_room() {
  if (exit_.disk_ran_out) return;
  const auto room = disk_room(request_.dir);
  exit_.disk_ran_out = room && is_used_up(*room);
}

/// An owner in another pid namespace cannot signal us.
void Host::check_stop_file() {
  const fs::path file = request_.dir / kStopFile;
  if (::access(file.c_str(), F_OK) != 0) return;
  const auto text = read_file(file, 16);
  if (!text) return;
  const bool now = text->starts_with("now");
  if (now || stop_signals_ == 0) stop("stopped", now);
  ++stop_signals_;
}

void Host::check_owner() {
  const Clock::time_point now = Clock::now();
  if (phase_ != Phase::kRunning || now < next_owner_check_) return;
  if (is_owned(request_.owner_lock)) {
    last_owned_ = now;
  } else if (now - last_owned_ >= request_.unattended_limit) {
    stop("unattended", false);
    return;
  }
  const Millis round = std::min(kOwnerRound, request_.unattended_limit / 4);
  next_owner_check_ = now + std::max(round, Millis(10));
}

/// While ending: goes from SIGTERM to SIGKILL to giving up, or finds that nothing is left.
void Host::check_leftovers() {
  if (phase_ != Phase::kTerminating && phase_ != Phase::kKilling) return;
  const Clock::time_point now = Clock::now();
  const bool no_child = program_ended_ && !children_left_;
  if (!no_child && now < phase_end_ && now < next_look_) return;
  if (no_child && everything_left().empty() && saw_everything_) {
    phase_ = Phase::kOver;
    return;
  }
  if (phase_ == Phase::kTerminating) {
    if (now >= phase_end_) kill_all();
    // Marked processes that are not our children end without a signal to us.
    if (phase_ == Phase::kTerminating && no_child) next_look_ = now + kMarkerRound;
    return;
  }
  if (now < phase_end_) {
    kill_round();
    return;
  }
  for (const ProcessInfo& process : everything_left()) exit_.leaked.push_back(process.pid);
  phase_ = Phase::kOver;
}

void Host::stop(std::string reason, bool force) {
  // What has ended by itself did not end for this reason, but its leftovers may be hurried.
  if (phase_ == Phase::kRunning) exit_.reason = std::move(reason);
  if (force && phase_ != Phase::kOver) {
    kill_all();
  } else if (phase_ == Phase::kRunning) {
    terminate(request_.grace);
  }
}

void Host::terminate(Millis grace) {
  phase_ = Phase::kTerminating;
  phase_end_ = Clock::now() + grace;
  // The whole group at once, as a terminal would; then those that left it.
  const bool group_is_ours = !program_ended_;  // until it is reaped, its pid cannot be reused
  if (group_is_ours) ::kill(-program_.pid, SIGTERM);
  for (const ProcessInfo& process : everything_left()) {
    if (!group_is_ours || process.group != program_.pid) {
      send_signal(process.pid, process.start_time, SIGTERM);
    }
    wake(process);  // or it would not see the signal
  }
}

void Host::kill_all() {
  if (phase_ == Phase::kKilling) return;
  phase_ = Phase::kKilling;
  phase_end_ = Clock::now() + kKillPatience;
  if (!program_ended_) ::kill(-program_.pid, SIGKILL);
  kill_round();
}

void Host::kill_round() {
  kill_cgroup(meta_.cgroup);
  if (killed_once_) {
    for (const ProcessInfo& process : everything_left()) thaw(process.pid);
  }
  killed_once_ = true;
  // Again as long as new ones appear: a process that forks quickly must not slip through.
  std::unordered_set<int> seen;
  for (bool fresh = true; fresh && Clock::now() < phase_end_;) {
    fresh = false;
    for (const ProcessInfo& process : everything_left()) {
      fresh = seen.insert(process.pid).second || fresh;
      send_signal(process.pid, process.start_time, SIGKILL);
    }
  }
  next_look_ = Clock::now() + kKillRound;
}

/// All that lives and belongs to the program: our descendants, what carries the agent's marker,
/// what is in its cgroup, and their descendants.
std::vector<ProcessInfo> Host::everything_left() {
  const std::vector<int> in_cgroup = cgroup_processes(meta_.cgroup);
  const ProcessList all = all_processes();
  saw_everything_ = all.complete;
  std::vector<ProcessInfo> left = with_descendants(all.processes, [&](const ProcessInfo& process) {
    if (process.pid == meta_.host_pid) return true;
    if (process.start_time < meta_.host_start_time) return false;
    return std::ranges::find(in_cgroup, process.pid) != in_cgroup.end() ||
           has_marker(process.pid, request_.agent_id);
  });
  std::erase_if(left, [&](const ProcessInfo& process) {
    return process.pid == meta_.host_pid || !process.is_alive();
  });
  return left;
}

}  // namespace

void run_host(HostRequest request, const HostContext& context, UniqueFd reply) {
  Host host(std::move(request), context);
  const Result<HostMeta> started = host.start();
  send_reply(std::move(reply), started);
  if (!started) ::_exit(1);
  host.keep();
  ::_exit(0);
}

}  // namespace wave::process

#include "process/run_command.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "base/descriptor_limit.h"
#include "base/file.h"
#include "base/text.h"
#include "process/spawn_attributes.h"

namespace wave::process {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Millis kTermGrace{1'000};  // between SIGTERM and SIGKILL
constexpr int kAboveInherited = 32;

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(errno_error(errno, "cannot create a pipe"));
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Standard input as a file: nothing to feed while the program runs, nothing that could block or
/// break.
Result<UniqueFd> make_input(std::string_view text) {
  if (text.empty()) return open_file("/dev/null", O_RDONLY);
  UniqueFd fd(::memfd_create("wave-stdin", MFD_CLOEXEC));
  if (!fd.valid()) return fail(errno_error(errno, "cannot create a file in memory"));
  WAVE_CHECK(write_all(fd.get(), text));
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::string path_of(const CommandRequest& request) {
  if (request.env) {
    const auto path = request.env->find("PATH");
    return path == request.env->end() ? "" : path->second;
  }
  const char* path = std::getenv("PATH");
  return path == nullptr ? "" : path;
}

Result<int> spawn(const CommandRequest& request, int in, int out, int err) {
  std::string program = request.argv[0];
  if (!program.contains('/')) {
    const auto found = find_program(program, path_of(request));
    if (!found) {
      return fail(Code::kNotFound, fmt::format("{} is not in PATH", program),
                  fmt::format("install {}", program));
    }
    program = found->native();
  }
  SpawnAttributes spawn(SpawnAttributes::Apart::kGroup);
  ::posix_spawn_file_actions_adddup2(spawn.actions(), in, 0);
  ::posix_spawn_file_actions_adddup2(spawn.actions(), out, 1);
  ::posix_spawn_file_actions_adddup2(spawn.actions(), err, 2);
  // Away from the numbers that they get in the program, so that none is overwritten.
  std::vector<UniqueFd> inherited;
  int next = 3;
  for (const int fd : request.inherited) {
    inherited.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, kAboveInherited));
    if (!inherited.back().valid()) return fail(errno_error(errno, "cannot pass on a descriptor"));
  }
  for (const UniqueFd& fd : inherited) {
    ::posix_spawn_file_actions_adddup2(spawn.actions(), fd.get(), next++);
  }
  ::posix_spawn_file_actions_addclosefrom_np(spawn.actions(), next);
  if (!request.cwd.empty()) {
    ::posix_spawn_file_actions_addchdir_np(spawn.actions(), request.cwd.c_str());
  }
  std::vector<std::string> variables;
  if (request.env) {
    for (const auto& [name, value] : *request.env) variables.push_back(name + "=" + value);
  }
  const std::vector<char*> argv = pointers(request.argv);
  const std::vector<char*> envp = pointers(variables);
  int pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), spawn.actions(), spawn.attributes(),
                                  argv.data(), request.env ? envp.data() : environ);
  if (error == 0) {
    restore_descriptor_limit(pid);
    return pid;
  }
  struct stat info{};
  const bool is_there = request.cwd.empty() || ::stat(request.cwd.c_str(), &info) == 0;
  if (!is_there && errno != ENOENT && errno != ENOTDIR) {
    return fail(errno_error(errno, "cannot look at", request.cwd.native()));
  }
  if (!is_there || (!request.cwd.empty() && !S_ISDIR(info.st_mode))) {
    return fail(Code::kIo, fmt::format("cannot run {} in {}: no such folder", request.argv[0],
                                       request.cwd.native()));
  }
  return fail(errno_error(error, "cannot execute", program));
}

/// One output stream of the program.
struct Stream {
  UniqueFd fd;
  std::string* text;
  bool truncated = false;

  /// Reads what is there; closes at the end.
  void take(size_t max) {
    char chunk[65'536];
    while (fd.valid()) {
      const ssize_t got = ::read(fd.get(), chunk, sizeof chunk);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        fd.reset();
        return;
      }
      const size_t room = max - std::min(max, text->size());
      text->append(chunk, std::min(room, static_cast<size_t>(got)));
      truncated = truncated || static_cast<size_t>(got) > room;
    }
  }
};

/// Makes a request to stop something that poll(2) sees.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop)
      : asked_(stop.stop_possible() ? ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1),
        callback_(stop, [fd = asked_.get()] { (void)::eventfd_write(fd, 1); }) {}
  [[nodiscard]] int fd() const { return asked_.get(); }

 private:
  UniqueFd asked_;
  std::stop_callback<std::function<void()>> callback_;  // goes first, and waits for itself
};

/// The end of a program: by itself, or asked for with growing urgency.
class Ending {
 public:
  Ending(int pid, Clock::time_point deadline) : pid_(pid), next_(deadline) {}
  /// When `overdue` is to be called, unless it has ended by then.
  [[nodiscard]] Clock::time_point next() const { return next_; }
  void interrupt() {
    if (why_ == Why::kNone) ask(Why::kInterrupted);
  }
  /// Whether it may be reaped now: the signal that came last cannot be ignored.
  bool overdue() {
    if (why_ != Why::kNone) return true;
    ask(Why::kTimedOut);
    return false;
  }
  /// If it was asked to, all of it goes now. Before it is reaped, while its number is its own.
  void finish() const {
    if (why_ != Why::kNone) ::kill(-pid_, SIGKILL);
  }
  [[nodiscard]] bool timed_out() const { return why_ == Why::kTimedOut; }
  [[nodiscard]] bool interrupted() const { return why_ == Why::kInterrupted; }

 private:
  enum class Why { kNone, kTimedOut, kInterrupted };
  void ask(Why why) {
    why_ = why;
    ::kill(-pid_, SIGTERM);
    next_ = Clock::now() + kTermGrace;
  }

  const int pid_;
  Clock::time_point next_;
  Why why_ = Why::kNone;
};

int milliseconds_until(Clock::time_point when) {
  const auto left = std::chrono::ceil<Millis>(when - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

Error interrupted_error(const CommandRequest& request) {
  return {Code::kInterrupted, fmt::format("{} was interrupted", request.argv[0])};
}

}  // namespace

Result<CommandResult> run_command(const CommandRequest& request) {
  if (request.argv.empty()) return fail(Code::kUsage, "no program to run");
  if (request.stop.stop_requested()) return fail(interrupted_error(request));
  WAVE_TRY(const UniqueFd input, make_input(request.stdin_text));
  WAVE_TRY(Pipe out_pipe, make_pipe());
  WAVE_TRY(Pipe err_pipe, make_pipe());
  const Clock::time_point deadline = Clock::now() + request.timeout;
  WAVE_TRY(const int pid, spawn(request, input.get(), out_pipe.write.get(), err_pipe.write.get()));
  out_pipe.write.reset();
  err_pipe.write.reset();
  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!ended.valid()) {  // its end would not be seen before the deadline
    const Error error = errno_error(errno, "cannot watch", request.argv[0]);
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return fail(error);
  }

  CommandResult result;
  Stream out{std::move(out_pipe.read), &result.out};
  Stream err{std::move(err_pipe.read), &result.err};
  const StopSignal stop(request.stop);
  Ending ending(pid, deadline);
  while (true) {
    pollfd fds[] = {{out.fd.get(), POLLIN, 0},
                    {err.fd.get(), POLLIN, 0},
                    {ended.get(), POLLIN, 0},
                    {ending.interrupted() ? -1 : stop.fd(), POLLIN, 0}};
    const int wait_for = milliseconds_until(ending.next());
    const int ready = wait_for > 0 ? ::poll(fds, std::size(fds), wait_for) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      if (ending.overdue()) break;
      continue;
    }
    out.take(request.max_output);
    err.take(request.max_output);
    // Its end ends the waiting, though a process that it left behind may keep the pipes open.
    if (fds[2].revents != 0) break;
    if (fds[3].revents != 0) ending.interrupt();
  }
  ending.finish();
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return fail(errno_error(errno, "cannot wait for", request.argv[0]));
  }
  if (ending.interrupted()) return fail(interrupted_error(request));
  if (ending.timed_out()) {
    return fail(Code::kTimeout, fmt::format("{} did not end within {}", request.argv[0],
                                            format_duration(request.timeout)));
  }
  out.take(request.max_output);
  err.take(request.max_output);
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.out_truncated = out.truncated;
  return result;
}

std::optional<std::filesystem::path> find_program(const std::string& name,
                                                  const std::string& path) {
  const auto is_program = [](const fs::path& file) {
    return look_at(file).value_or(fs::file_type::not_found) == fs::file_type::regular &&
           ::access(file.c_str(), X_OK) == 0;
  };
  if (name.empty()) return std::nullopt;
  if (name.contains('/')) {
    return is_program(name) ? std::optional<fs::path>(name) : std::nullopt;
  }
  for (const std::string& folder : split(path, ':')) {
    // Relative entries would find programs in whatever folder an agent has just written to.
    if (!folder.starts_with('/')) continue;
    if (fs::path file = fs::path(folder) / name; is_program(file)) return file;
  }
  return std::nullopt;
}

}  // namespace wave::process

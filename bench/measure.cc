#include "measure.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

void durable_write(int fd) {
  const std::string line(200, 'x');
  if (!write_all(fd, line) || ::fdatasync(fd) != 0) std::abort();
}

}  // namespace

Finished run(std::vector<std::string> argv, const std::filesystem::path& cwd,
             const std::map<std::string, std::string>& env) {
  std::vector<std::string> environment;
  for (const auto& [key, value] : env) environment.push_back(key + "=" + value);
  std::vector<char*> argv_list = pointers(argv);
  std::vector<char*> env_list = pointers(environment);
  const auto begin = steady_clock::now();
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 0);
    ::dup2(null, 1);
    if (::getenv("WAVE_BENCH_SHOW") == nullptr) ::dup2(null, 2);
    if (::chdir(cwd.c_str()) == 0) ::execvpe(argv_list[0], argv_list.data(), env_list.data());
    ::_exit(127);
  }
  int status = 0;
  struct rusage usage{};
  ::wait4(pid, &status, 0, &usage);
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .peak_rss_kib = usage.ru_maxrss,
          .wall = steady_clock::now() - begin};
}

nanoseconds percentile(std::vector<nanoseconds> samples, double p) {
  if (samples.empty()) return {};
  std::ranges::sort(samples);
  return samples[std::min(samples.size() - 1,
                          static_cast<size_t>(p * static_cast<double>(samples.size())))];
}

std::vector<nanoseconds> bare_sync(const std::filesystem::path& scratch, int count) {
  const UniqueFd file(::open((scratch / "bare-sync").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  std::vector<nanoseconds> samples;
  for (int i = 0; i < count; ++i) {
    const auto begin = steady_clock::now();
    durable_write(file.get());
    samples.push_back(steady_clock::now() - begin);
  }
  return samples;
}

std::vector<nanoseconds> bare_computing(nanoseconds work, int count) {
  // How many turns that is, by the quickest of a few tries.
  constexpr uint64_t kTurns = 100'000;
  volatile uint64_t sink = 0;
  const auto time_of = [&](uint64_t turns) {
    const auto begin = steady_clock::now();
    for (uint64_t i = 0; i < turns; ++i) sink = sink + i;
    return std::chrono::duration_cast<nanoseconds>(steady_clock::now() - begin);
  };
  nanoseconds quickest = time_of(kTurns);
  for (int i = 0; i < 20; ++i) quickest = std::min(quickest, time_of(kTurns));
  const auto turns =
      static_cast<uint64_t>(static_cast<double>(kTurns) * static_cast<double>(work.count()) /
                            static_cast<double>(quickest.count()));
  std::vector<nanoseconds> samples;
  for (int i = 0; i < count; ++i) samples.push_back(time_of(turns));
  return samples;
}

std::string milliseconds(nanoseconds time) {
  return fmt::format("{:.2f} ms", static_cast<double>(time.count()) / 1e6);
}

int64_t now_ns() {
  return std::chrono::duration_cast<nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::vector<nanoseconds> bare_command(const std::filesystem::path& scratch,
                                      const std::string& script, int count) {
  const UniqueFd log(::open((scratch / "bare-log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  std::vector<nanoseconds> samples;
  for (int i = 0; i < count; ++i) {
    const auto begin = steady_clock::now();
    durable_write(log.get());
    (void)run({"/bin/sh", "-c", script}, scratch, {{"PATH", "/usr/bin:/bin"}});
    durable_write(log.get());
    samples.push_back(steady_clock::now() - begin);
  }
  return samples;
}

}  // namespace wave::bench

#include "process/proc_view.h"

#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <sstream>
#include <vector>

#include "base/file.h"

namespace wave::process {
namespace {

constexpr uint64_t kMaxStatus = 64 << 10;

/// The numbers behind a field of a status file.
std::vector<int> numbers_in(const std::string& path, std::string_view field) {
  const auto text = read_file(path, kMaxStatus);
  if (!text) return {};
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(field)) continue;
    std::istringstream words(line.substr(field.size()));
    std::vector<int> numbers;
    for (int number = 0; words >> number;) numbers.push_back(number);
    return numbers;
  }
  return {};
}

/// What /proc calls a process: a descriptor of it tells.
int outer_number(int pid) {
  const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd.valid()) return 0;
  const std::vector<int> numbers =
      numbers_in(fmt::format("/proc/self/fdinfo/{}", fd.get()), "Pid:");
  return numbers.empty() ? 0 : numbers[0];
}

}  // namespace

ProcView ProcView::now() {
  char link[16] = {};
  const ssize_t length = ::readlink("/proc/self", link, sizeof link - 1);
  if (length <= 0) return {Kind::kNone, 0};
  int self = 0;
  std::from_chars(link, link + length, self);
  if (self == ::getpid()) return {Kind::kOwn, 0};
  const std::vector<int> names = numbers_in("/proc/self/status", "NSpid:");
  if (names.size() > 1 && names.back() == ::getpid()) return {Kind::kOuter, names.size() - 1};
  return {Kind::kNone, 0};
}

std::optional<int> ProcView::number_of(int pid) const {
  if (kind_ == Kind::kNone || pid <= 0) return std::nullopt;
  if (kind_ == Kind::kOwn) return pid;
  const int number = outer_number(pid);
  return number > 0 ? std::optional(number) : std::nullopt;
}

std::string ProcView::path(int pid, const char* file) const {
  const std::optional<int> number = number_of(pid);
  return number ? fmt::format("/proc/{}/{}", *number, file) : std::string();
}

std::optional<int> ProcView::pid_of(int number) const {
  if (kind_ == Kind::kOwn) return number;
  if (kind_ == Kind::kNone) return std::nullopt;
  const std::vector<int> names = numbers_in(fmt::format("/proc/{}/status", number), "NSpid:");
  if (names.size() <= level_) return std::nullopt;
  // It may be of another namespace at the same depth: the number there is nobody's, or another's.
  const int pid = names[level_];
  if (outer_number(pid) != number) return std::nullopt;
  return pid;
}

}  // namespace wave::process

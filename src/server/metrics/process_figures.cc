#include "server/metrics/process_figures.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/text.h"

namespace wave::server::metrics {
namespace {

constexpr uint64_t kMostProcText = 64 << 10;

/// /proc files have no size, so they are read by range.
std::string proc_text(const char* path) {
  const auto text = read_range(path, 0, kMostProcText);
  return text ? *text : std::string();
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

/// Fields of /proc/self/stat behind the program's name, which may hold anything: the first is the
/// state, field 3 of proc_pid_stat(5).
std::vector<std::string> stat_fields() {
  const std::string text = proc_text("/proc/self/stat");
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return {};
  return split(std::string_view(text).substr(name_end + 2), ' ');
}

std::optional<double> boot_seconds() {
  const std::string text = proc_text("/proc/stat");
  const size_t at = text.find("\nbtime ");
  if (at == std::string::npos) return std::nullopt;
  return as_number(std::string_view(text).substr(at + 7));
}

void write_one(Exposition& out, std::string_view name, Type type, std::string_view help,
               std::optional<double> value) {
  if (!value) return;
  out.family(name, type, help);
  out.sample({}, *value);
}

std::optional<double> open_descriptors() {
  std::error_code error;
  double count = 0;
  for (fs::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  // One of them was the listing's own.
  return error ? std::nullopt : std::optional(count - 1);
}

}  // namespace

void write_process_figures(Exposition& out) {
  const std::vector<std::string> fields = stat_fields();
  const auto field = [&](size_t number) -> std::optional<double> {
    const size_t index = number - 3;
    return index < fields.size() ? as_number(fields[index]) : std::nullopt;
  };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));

  std::optional<double> cpu, start, resident;
  if (field(14) && field(15)) cpu = (*field(14) + *field(15)) / ticks;
  if (const auto boot = boot_seconds(); boot && field(22)) start = *boot + *field(22) / ticks;
  if (field(24)) resident = *field(24) * page;
  write_one(out, "process_cpu_seconds_total", Type::kCounter, "User and system CPU time.", cpu);
  write_one(out, "process_resident_memory_bytes", Type::kGauge, "Memory in use.", resident);
  write_one(out, "process_virtual_memory_bytes", Type::kGauge, "Address space.", field(23));
  write_one(out, "process_threads", Type::kGauge, "Threads.", field(20));
  write_one(out, "process_start_time_seconds", Type::kGauge,
            "When the process started, since the Unix epoch.", start);
  write_one(out, "process_open_fds", Type::kGauge, "Open descriptors.", open_descriptors());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    write_one(out, "process_max_fds", Type::kGauge, "Most descriptors that may be open.",
              static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace wave::server::metrics

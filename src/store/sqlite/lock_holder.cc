#include "store/sqlite/lock_holder.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/file.h"
#include "base/printable.h"
#include "base/text.h"

namespace wave::store::sqlite {
namespace {

constexpr uint64_t kMaxLocks = 4 << 20;
// Where SQLite locks: the writer of a WAL a byte of wave.db-shm, everybody else is kept out by the
// pending byte of wave.db and what follows it.
constexpr uint64_t kWalWriteByte = 120;
constexpr uint64_t kPendingByte = 0x40000000;
constexpr uint64_t kSharedBytes = 512;

struct HeldLock {
  int pid = 0;
  uint64_t inode = 0, first = 0, last = 0;
};

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "1: POSIX  ADVISORY  WRITE 4711 fe:00:9981320 120 120"; waiting ones have "->" after the number.
std::optional<HeldLock> parse_lock(std::string_view line) {
  std::vector<std::string> words;
  for (std::string& word : split(line, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  if (words.size() != 8 || words[3] != "WRITE") return std::nullopt;
  const auto inode = parse_number(std::string_view(words[5]).substr(words[5].rfind(':') + 1));
  const auto first = parse_number(words[6]);
  const auto last = words[7] == "EOF" ? std::optional(~uint64_t{0}) : parse_number(words[7]);
  if (!inode || !first || !last) return std::nullopt;
  const auto pid = parse_number(words[4]);  // -1: a lock that belongs to no one process
  return HeldLock{
      .pid = pid ? static_cast<int>(*pid) : 0, .inode = *inode, .first = *first, .last = *last};
}

uint64_t inode_of(const std::filesystem::path& file) {
  struct stat info{};
  return ::stat(file.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_ino) : 0;
}

}  // namespace

std::string lock_holder(const std::filesystem::path& database) {
  const auto locks = read_file("/proc/locks", kMaxLocks);
  if (!locks) return "another program";
  const uint64_t shared_memory = inode_of(database.native() + "-shm");
  const uint64_t file = inode_of(database);
  for (const std::string& line : split(*locks, '\n')) {
    const auto lock = parse_lock(line);
    if (!lock || lock->pid == ::getpid()) continue;
    const auto covers = [&](uint64_t from, uint64_t to) {
      return lock->first <= to && lock->last >= from;
    };
    const bool writes = lock->inode == shared_memory && covers(kWalWriteByte, kWalWriteByte);
    const bool excludes =
        lock->inode == file && covers(kPendingByte, kPendingByte + 1 + kSharedBytes);
    if (lock->inode == 0 || (!writes && !excludes)) continue;
    if (lock->pid == 0) break;
    const auto name = read_file(fmt::format("/proc/{}/comm", lock->pid), 64);
    return fmt::format("{} (process {})", name ? printable(trim(*name)) : "another program",
                       lock->pid);
  }
  return "another program";
}

}  // namespace wave::store::sqlite

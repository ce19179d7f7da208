#include "server/api/peer_guard.h"

#include <unistd.h>

#include <array>
#include <charconv>

#include "base/file.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "process/agent_guard.h"

namespace wave::server::api {
namespace {

constexpr uint64_t kMostTable = 64 << 20;

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t start = line.find_first_not_of(' ');
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    const size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

/// The inode of the socket bound to the local port that is connected, from /proc/net/tcp
/// (proc_net_tcp(5): sl local remote state queues timers retransmits uid timeout inode).
std::string inode_of_port(const std::string& table, uint16_t port) {
  constexpr std::string_view kEstablished = "01";
  for (const std::string& line : split(table, '\n')) {
    const auto words = words_of(line);
    if (words.size() < 10 || words[3] != kEstablished) continue;
    const size_t colon = words[1].rfind(':');
    if (colon == std::string_view::npos) continue;
    uint16_t local = 0;
    const std::string_view digits = words[1].substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), local, 16);
    if (local == port) return std::string(words[9]);
  }
  return {};
}

bool holds(const fs::path& folder, const std::string& link) {
  std::error_code error;
  fs::directory_iterator entry(folder / "fd", error);
  // Other users' processes cannot be looked at, nor those that end just now; that is no shortage.
  if (error) note_shortage(errno_error(error.value(), "cannot list", folder.native()));
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::array<char, 64> target{};
    const ssize_t size = ::readlink(entry->path().c_str(), target.data(), target.size());
    if (size > 0 && std::string_view(target.data(), static_cast<size_t>(size)) == link) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> agent_behind(const http::Peer& peer, const std::string& proc) {
  if (!is_loopback(peer.address) || peer.port == 0) return std::nullopt;
  std::string inode;
  for (const char* name : {"net/tcp", "net/tcp6"}) {
    const auto table = read_range(fs::path(proc) / name, 0, kMostTable);
    if (inode.empty() && table) inode = inode_of_port(*table, peer.port);
  }
  if (inode.empty() || inode == "0") return std::nullopt;
  const std::string link = "socket:[" + inode + "]";
  std::error_code error;
  fs::directory_iterator entry(proc, error);
  if (error) note_shortage(errno_error(error.value(), "cannot list", proc));
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    int pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc() || end != name.data() + name.size()) continue;
    if (!holds(entry->path(), link)) continue;
    if (auto agent = process::agent_above(pid, proc)) return agent;
  }
  return std::nullopt;
}

}  // namespace wave::server::api

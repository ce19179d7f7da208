#include "store/sqlite/write_socket.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wave::store::sqlite {
namespace {

constexpr std::string_view kSocketName = "writes.sock";
constexpr int kBacklog = 64;

/// A socket's address has room for about 100 bytes only. A longer path is reached through the
/// folder's descriptor, which has to stay open meanwhile.
struct SocketAddress {
  sockaddr_un address{};
  UniqueFd folder;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

Result<SocketAddress> socket_address(const StatePaths& paths) {
  SocketAddress found;
  found.address.sun_family = AF_UNIX;
  std::string path = (paths.state() / kSocketName).native();
  if (path.size() >= sizeof found.address.sun_path) {
    WAVE_TRY(found.folder, open_file(paths.state(), O_PATH | O_DIRECTORY));
    path = fmt::format("/proc/self/fd/{}/{}", found.folder.get(), kSocketName);
  }
  std::memcpy(found.address.sun_path, path.c_str(), path.size() + 1);
  return found;
}

Result<UniqueFd> unix_socket(int flags) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!socket.valid()) return fail(errno_error(errno, "cannot create a socket"));
  return socket;
}

}  // namespace

Result<UniqueFd> listen_for_writes(const StatePaths& paths) {
  WAVE_TRY(const SocketAddress address, socket_address(paths));
  WAVE_TRY(UniqueFd socket, unix_socket(SOCK_NONBLOCK));
  const std::filesystem::path path = paths.state() / kSocketName;
  (void)::unlink(path.c_str());  // the server's lock is held: nobody listens there
  if (::bind(socket.get(), address.get(), sizeof address.address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return fail(errno_error(errno, "cannot take the writes of other processes at", path.native()));
  }
  return socket;
}

Result<UniqueFd> connect_to_writes(const StatePaths& paths, Millis timeout) {
  WAVE_TRY(const SocketAddress address, socket_address(paths));
  WAVE_TRY(UniqueFd socket, unix_socket(0));
  const timeval limit{.tv_sec = timeout.count() / 1000,
                      .tv_usec = static_cast<suseconds_t>(timeout.count() % 1000 * 1000)};
  for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO}) {
    (void)::setsockopt(socket.get(), SOL_SOCKET, option, &limit, sizeof limit);
  }
  if (::connect(socket.get(), address.get(), sizeof address.address) != 0) {
    return fail(errno_error(errno, "cannot reach the server of this project"));
  }
  if (!is_ours(socket)) {
    return fail(Code::kPermissionDenied, "the server of this project is another user's",
                "run wave as the server's user");
  }
  return socket;
}

bool is_ours(const UniqueFd& connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0 || ::geteuid() == 0;
}

void append_frame(std::string& out, FrameHead head, std::string_view bytes) {
  head.size = static_cast<uint32_t>(bytes.size());
  out.append(reinterpret_cast<const char*>(&head), sizeof head);
  out += bytes;
}

Result<std::optional<FrameHead>> whole_frame(std::string_view bytes) {
  FrameHead head;
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.size > kMaxFrame) return fail(Code::kStore, "a frame of another process is too long");
  if (bytes.size() - sizeof head < head.size) return std::nullopt;
  return head;
}

}  // namespace wave::store::sqlite

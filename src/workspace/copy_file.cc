#include "workspace/copy_file.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"

namespace wave::workspace {
namespace {

constexpr size_t kPiece = size_t{1} << 30;  // for each copy_file_range

Status copy_by_hand(int source, int target, off_t from) {
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t got = ::pread(source, buffer.data(), buffer.size(), from);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "cannot read"));
    if (got == 0) return {};
    WAVE_CHECK(write_all(target, {buffer.data(), static_cast<size_t>(got)}));
    from += got;
  }
}

}  // namespace

Status copy_bytes(int source, int target) {
  if (::ioctl(target, FICLONE, source) == 0) return {};
  loff_t from = 0;
  while (true) {
    const ssize_t copied = ::copy_file_range(source, &from, target, nullptr, kPiece, 0);
    if (copied > 0 || (copied < 0 && errno == EINTR)) continue;
    if (copied < 0 && (errno == ENOSPC || errno == EDQUOT)) {
      return fail(errno_error(errno, "cannot copy"));
    }
    // The end, or a pair of file systems that cannot do it; pseudo files also answer 0 here.
    return copy_by_hand(source, target, from);
  }
}

}  // namespace wave::workspace

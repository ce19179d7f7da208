#include "store/blob_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "base/clock.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/hash.h"

namespace wave::store {
namespace {

constexpr uint64_t kMaxBlobBytes = 1ULL << 30;
constexpr auto kGrace = std::chrono::hours(1);
constexpr size_t kMaxRemembered = 16'384;
constexpr std::string_view kTemporaryPrefix = ".new-";
constexpr int kMaxPuts = 4;  // when the disk fails
constexpr Millis kPutPause{50};

bool may_pass(const Result<std::vector<std::string>>& put) {
  return !put && put.error().code == Code::kDiskError;
}

bool is_hash(std::string_view name) {
  constexpr size_t kLength = 64;
  return name.size() == kLength &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool younger_than_grace(const fs::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return errno != ENOENT;  // not known: it stays
  const auto changed = std::chrono::system_clock::from_time_t(info.st_mtime);
  return std::chrono::system_clock::now() - changed < kGrace;
}

}  // namespace

/// A temporary file that becomes a blob, unless it is dropped before.
struct BlobFolder::Written {
  UniqueFd file;
  fs::path temporary;
  std::string sha256;

  Written(UniqueFd opened, fs::path name) : file(std::move(opened)), temporary(std::move(name)) {}
  Written(Written&& other) noexcept
      : file(std::move(other.file)),
        temporary(std::exchange(other.temporary, {})),
        sha256(std::move(other.sha256)) {}
  Written& operator=(Written&&) = delete;
  ~Written() {
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }

  static Result<Written> create(const fs::path& folder) {
    std::string name = folder / fmt::format("{}XXXXXX", kTemporaryPrefix);
    UniqueFd file(::mkostemp(name.data(), O_CLOEXEC));  // mode 0600
    if (!file.valid()) return fail(errno_error(errno, "cannot create a file in", folder.native()));
    return Written(std::move(file), std::move(name));
  }
};

Result<BlobFolder::Written> BlobFolder::write_temporary(std::string_view content) const {
  WAVE_TRY(Written written, Written::create(folder_));
  WAVE_CHECK(write_all(written.file.get(), content));
  // Lets the disk begin, so that the syncs of a batch share their work.
  ::sync_file_range(written.file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  return written;
}

bool BlobFolder::reuse(const std::string& sha256, uint64_t size) const {
  struct stat info{};
  if (::stat(path(sha256).c_str(), &info) != 0) return false;
  if (!S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) != size) return false;
  // Young again: nobody removes it before the run that needs it is stored.
  return ::utimensat(AT_FDCWD, path(sha256).c_str(), nullptr, 0) == 0;
}

bool BlobFolder::all_known_durable(std::span<const std::string> hashes) {
  const std::scoped_lock lock(mutex_);
  return std::ranges::all_of(hashes, [&](const auto& hash) { return durable_.contains(hash); });
}

void BlobFolder::note_durable(std::span<const std::string> hashes) {
  const std::scoped_lock lock(mutex_);
  if (durable_.size() > kMaxRemembered) durable_.clear();
  durable_.insert(hashes.begin(), hashes.end());
}

Status BlobFolder::publish(std::span<const Written> files) {
  for (const Written& written : files) {
    if (::fsync(written.file.get()) != 0) return fail(errno_error(errno, "cannot sync a blob"));
  }
  for (const Written& written : files) {
    if (::rename(written.temporary.c_str(), path(written.sha256).c_str()) != 0) {
      return fail(errno_error(errno, "cannot store", path(written.sha256).native()));
    }
  }
  return {};
}

// A folder that cannot be written is the store's trouble, whatever errno says: not the caller's
// lack of permission.
Result<std::vector<std::string>> BlobFolder::put(std::span<const std::string_view> contents) {
  auto hashes = put_all(contents);
  for (int tries = 1; tries < kMaxPuts && may_pass(hashes); ++tries) {
    std::this_thread::sleep_for(kPutPause * tries);
    hashes = put_all(contents);
  }
  if (hashes) return hashes;
  const Error& error = hashes.error();
  if (is_of_disk(error) || error.code == Code::kLimit) return hashes;
  return fail(Code::kStore, error.message,
              fmt::format("see that {} can be written", folder_.native()));
}

Result<std::vector<std::string>> BlobFolder::put_all(std::span<const std::string_view> contents) {
  WAVE_CHECK(make_directories_below(folder_.parent_path(), folder_, 0700));
  std::vector<std::string> hashes;
  std::vector<Written> files;
  for (const std::string_view content : contents) {
    if (content.size() > kMaxBlobBytes) {
      return fail(Code::kLimit, "content of more than 1 GiB cannot be stored");
    }
    std::string sha256 = sha256_hex(content);
    if (!reuse(sha256, content.size())) {
      WAVE_TRY(Written written, write_temporary(content));
      written.sha256 = sha256;
      files.push_back(std::move(written));
    }
    hashes.push_back(std::move(sha256));
  }
  WAVE_CHECK(publish(files));
  // A blob that was there already may be another process's, its name not yet on disk.
  if (!files.empty() || !all_known_durable(hashes)) WAVE_CHECK(sync_path(folder_));
  note_durable(hashes);
  return hashes;
}

Result<std::string> BlobFolder::put_file(const fs::path& source) {
  WAVE_CHECK(make_directories_below(folder_.parent_path(), folder_, 0700));
  WAVE_TRY(const UniqueFd from, open_file(source, O_RDONLY | O_NONBLOCK));
  struct stat info{};
  if (::fstat(from.get(), &info) != 0) {
    return fail(errno_error(errno, "cannot read", source.native()));
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(Code::kUsage, fmt::format("{} is not a regular file", source.native()));
  }
  WAVE_TRY(Written written, Written::create(folder_));
  std::array<char, 65536> buffer{};
  uint64_t size = 0;
  while (true) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "cannot read", source.native()));
    if (got == 0) break;
    size += static_cast<uint64_t>(got);
    if (size > kMaxBlobBytes) {
      return fail(Code::kLimit, fmt::format("{} is larger than 1 GiB", source.native()));
    }
    WAVE_CHECK(write_all(written.file.get(), {buffer.data(), static_cast<size_t>(got)}));
  }
  WAVE_TRY(written.sha256, sha256_file(written.temporary));
  const std::string sha256 = written.sha256;
  if (!reuse(sha256, size)) WAVE_CHECK(publish({&written, 1}));
  WAVE_CHECK(sync_path(folder_));
  note_durable({&sha256, 1});
  return sha256;
}

Result<std::string> BlobFolder::get(const std::string& sha256) const {
  if (!is_hash(sha256)) return fail(Code::kUsage, fmt::format("\"{}\" is not a hash", sha256));
  auto bytes = read_file(path(sha256), kMaxBlobBytes);
  if (!bytes && bytes.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, fmt::format("there is no stored content {}", sha256),
                "it may have been pruned with the run it belonged to");
  }
  return bytes;
}

bool BlobFolder::has(const std::string& sha256) const {
  return is_hash(sha256) && path_exists(path(sha256));
}

bool BlobFolder::is_young(const std::string& sha256) const {
  return younger_than_grace(path(sha256));
}

void BlobFolder::remove(const std::string& sha256) const {
  if (is_hash(sha256)) ::unlink(path(sha256).c_str());
}

std::vector<std::string> BlobFolder::list() const {
  std::vector<std::string> hashes;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (is_hash(name)) hashes.push_back(name);
    if (name.starts_with(kTemporaryPrefix) && !younger_than_grace(entry->path())) {
      ::unlink(entry->path().c_str());
    }
  }
  return hashes;
}

}  // namespace wave::store

#include "http/answer_spool.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace wave::http {
namespace {

bool write_at(int fd, std::string_view bytes, off_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += written;
  }
  return true;
}

}  // namespace

class AnswerSpool::InFile final : public BodySource {
 public:
  InFile(std::shared_ptr<AnswerSpool> spool, Blocks blocks, size_t size, std::string client)
      : spool_(std::move(spool)),
        blocks_(std::move(blocks)),
        size_(size),
        client_(std::move(client)) {}
  ~InFile() override { spool_->give_back_blocks(blocks_, client_); }
  InFile(const InFile&) = delete;
  InFile& operator=(const InFile&) = delete;

  Result<std::string> next(size_t window) override {
    const size_t within = at_ % kBlock;
    std::string piece(std::min({window, size_ - at_, kBlock - within}), '\0');
    size_t got = 0;
    while (got < piece.size()) {
      const auto offset =
          static_cast<off_t>(uint64_t{blocks_[at_ / kBlock]} * kBlock + within + got);
      const ssize_t count =
          ::pread(spool_->file_.get(), piece.data() + got, piece.size() - got, offset);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return fail(errno_error(count < 0 ? errno : EIO, "cannot read the answer"));
      got += static_cast<size_t>(count);
    }
    at_ += got;
    return piece;
  }

 private:
  const std::shared_ptr<AnswerSpool> spool_;
  const Blocks blocks_;
  const size_t size_;
  const std::string client_;
  size_t at_ = 0;
};

class AnswerSpool::InMemory final : public BodySource {
 public:
  InMemory(std::shared_ptr<AnswerSpool> spool, std::string text, std::string client)
      : spool_(std::move(spool)), text_(std::move(text)), client_(std::move(client)) {}
  ~InMemory() override { spool_->give_back_memory(text_.size(), client_); }
  InMemory(const InMemory&) = delete;
  InMemory& operator=(const InMemory&) = delete;

  Result<std::string> next(size_t window) override {
    std::string piece = text_.substr(at_, window);
    at_ += piece.size();
    return piece;
  }

 private:
  const std::shared_ptr<AnswerSpool> spool_;
  const std::string text_;
  const std::string client_;
  size_t at_ = 0;
};

bool AnswerSpool::Share::add(uint64_t bytes, uint64_t limit, const std::string& client) {
  if (all + bytes > limit) return false;
  uint64_t& of_client = by_client[client];
  if (of_client + bytes > limit / 2) {
    if (of_client == 0) by_client.erase(client);
    return false;
  }
  of_client += bytes;
  all += bytes;
  return true;
}

void AnswerSpool::Share::remove(uint64_t bytes, const std::string& client) {
  all -= bytes;
  const auto found = by_client.find(client);
  if (found == by_client.end()) return;
  found->second -= bytes;
  if (found->second == 0) by_client.erase(found);
}

std::shared_ptr<BodySource> AnswerSpool::keep(std::string text, const std::string& client) {
  Blocks blocks;
  if (take_blocks((text.size() + kBlock - 1) / kBlock, client, blocks)) {
    if (write(blocks, text)) {
      return std::make_shared<InFile>(shared_from_this(), std::move(blocks), text.size(), client);
    }
    give_back_blocks(blocks, client);
  }
  {
    const std::scoped_lock lock(mutex_);
    if (!in_memory_.add(text.size(), limits_.memory_bytes, client)) return nullptr;
  }
  return std::make_shared<InMemory>(shared_from_this(), std::move(text), client);
}

uint64_t AnswerSpool::held() const {
  const std::scoped_lock lock(mutex_);
  return in_file_.all + in_memory_.all;
}

bool AnswerSpool::write(const Blocks& blocks, std::string_view text) const {
  for (const uint32_t block : blocks) {
    const std::string_view part = text.substr(0, kBlock);
    if (!write_at(file_.get(), part, static_cast<off_t>(uint64_t{block} * kBlock))) return false;
    text.remove_prefix(part.size());
  }
  return true;
}

bool AnswerSpool::take_blocks(size_t count, const std::string& client, Blocks& blocks) {
  const std::scoped_lock lock(mutex_);
  if (free_.size() < count && !grow(count - free_.size())) return false;
  blocks.reserve(count);
  if (!in_file_.add(count * kBlock, limits_.file_bytes, client)) return false;
  blocks.assign(free_.end() - static_cast<ptrdiff_t>(count), free_.end());
  free_.resize(free_.size() - count);
  return true;
}

bool AnswerSpool::grow(size_t blocks) {
  if (uint64_t{size_ + blocks} * kBlock > limits_.file_bytes) return false;
  if (!file_.valid()) {
    auto opened = open_file(folder_, O_TMPFILE | O_RDWR, 0600);
    if (!opened) return false;
    file_ = *std::move(opened);
  }
  struct statvfs disk{};
  if (::fstatvfs(file_.get(), &disk) != 0) return false;
  if (uint64_t{disk.f_bavail} * disk.f_frsize < limits_.least_disk_free + blocks * kBlock) {
    return false;
  }
  // All that may ever be free: giving back must not have to allocate.
  free_.reserve(size_ + blocks);
  for (size_t added = 0; added < blocks; ++added) free_.push_back(size_++);
  return true;
}

void AnswerSpool::give_back_blocks(const Blocks& blocks, const std::string& client) {
  const std::scoped_lock lock(mutex_);
  in_file_.remove(blocks.size() * kBlock, client);
  free_.insert(free_.end(), blocks.begin(), blocks.end());
  if (free_.size() < size_) return;
  free_.clear();
  size_ = 0;
  (void)!::ftruncate(file_.get(), 0);
}

void AnswerSpool::give_back_memory(size_t bytes, const std::string& client) {
  const std::scoped_lock lock(mutex_);
  in_memory_.remove(bytes, client);
}

}  // namespace wave::http

#include "store/sqlite/reader_pool.h"

namespace wave::store::sqlite {
namespace {

constexpr int kMaxReaders = 8;
constexpr auto kDeadline = std::chrono::seconds(10);
constexpr int kReaderCacheKib = 4 * 1024;

}  // namespace

ReaderPool::ReaderPool(std::filesystem::path path, std::string vfs, std::unique_ptr<Database> first)
    : path_(std::move(path)),
      vfs_(std::move(vfs)),
      immutable_(first != nullptr && first->is_immutable()) {
  if (first != nullptr) idle_.push_back(std::move(first));
}

Result<ReaderPool::Lease> ReaderPool::borrow() {
  {
    std::unique_lock lock(mutex_);
    const auto possible = [&] { return !held_ && (!idle_.empty() || lent_ < kMaxReaders); };
    if (!returned_.wait_for(lock, kDeadline, possible)) {
      return fail(Code::kStore, "all connections to the database are busy",
                  "try again when there is less to do");
    }
    ++lent_;
    if (!idle_.empty()) {
      auto database = std::move(idle_.back());
      idle_.pop_back();
      return Lease(this, std::move(database));
    }
  }
  auto opened = Database::open(path_, {.read_only = true,
                                       .create = false,
                                       .immutable = immutable_,
                                       .vfs = vfs_,
                                       .cache_kib = kReaderCacheKib});
  if (!opened) {
    const std::scoped_lock lock(mutex_);
    --lent_;
    returned_.notify_one();
    return fail(std::move(opened).error());
  }
  return Lease(this, std::move(*opened));
}

bool ReaderPool::without_readers(Millis patience, const std::function<void()>& work) {
  {
    std::unique_lock lock(mutex_);
    held_ = true;
    if (!returned_.wait_for(lock, patience, [&] { return lent_ == 0; })) {
      held_ = false;
      returned_.notify_all();
      return false;
    }
  }
  work();
  const std::scoped_lock lock(mutex_);
  held_ = false;
  returned_.notify_all();
  return true;
}

void ReaderPool::close_idle() {
  const std::scoped_lock lock(mutex_);
  idle_.clear();
}

void ReaderPool::give_back(std::unique_ptr<Database> database) {
  const std::scoped_lock lock(mutex_);
  --lent_;
  idle_.push_back(std::move(database));
  returned_.notify_all();  // who waits for one, and who waits for all to be back
}

}  // namespace wave::store::sqlite

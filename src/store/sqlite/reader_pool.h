// Connections for reading: each sees the last commit and keeps nobody from writing.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/sqlite/database.h"

namespace wave::store::sqlite {

/// Opens up to eight connections as they are needed and keeps them. Thread: any.
class ReaderPool {
 public:
  /// A connection on loan; goes back at destruction.
  class Lease {
   public:
    Lease(ReaderPool* pool, std::unique_ptr<Database> database)
        : pool_(pool), database_(std::move(database)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (database_ != nullptr) pool_->give_back(std::move(database_));
    }
    Database& operator*() const { return *database_; }
    Database* operator->() const { return database_.get(); }

   private:
    ReaderPool* pool_;
    std::unique_ptr<Database> database_;
  };

  /// `first`: a connection that may be lent from the start, or null.
  ReaderPool(std::filesystem::path path, std::string vfs, std::unique_ptr<Database> first);

  /// Waits up to ten seconds when all are lent: then kStore.
  Result<Lease> borrow();
  /// Calls `work` while nothing is lent: who wants to borrow waits meanwhile. False, without
  /// calling it, when those who have borrowed are not done within `patience`.
  bool without_readers(Millis patience, const std::function<void()>& work);
  /// Closes the connections that are not lent.
  void close_idle();

 private:
  void give_back(std::unique_ptr<Database> database);

  const std::filesystem::path path_;
  const std::string vfs_;
  const bool immutable_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Database>> idle_;  // guarded by mutex_
  int lent_ = 0;                                 // guarded by mutex_
  bool held_ = false;                            // guarded by mutex_: nothing is lent just now
};

}  // namespace wave::store::sqlite

// Built answers that wait for their clients, in one file without a name instead of in memory.
//
// The file is cut into blocks; a free block is used again before the file grows, and the file is
// empty again when nothing waits. What waits has a bound, of which one client may have half.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "http/body.h"

namespace wave::http {

struct SpoolLimits {
  uint64_t file_bytes = 512ULL << 20;
  uint64_t memory_bytes = 16ULL << 20;        // where the disk takes nothing
  uint64_t least_disk_free = 1'536ULL << 20;  // beside the file: runs need it more
};

/// Thread: any, for every method. Sources hold it.
class AnswerSpool : public std::enable_shared_from_this<AnswerSpool> {
 public:
  AnswerSpool(std::filesystem::path folder, SpoolLimits limits)
      : folder_(std::move(folder)), limits_(limits) {}

  /// What gives `text` back; null when there is no room for it.
  std::shared_ptr<BodySource> keep(std::string text, const std::string& client);
  /// Bytes that wait, in the file and in memory.
  [[nodiscard]] uint64_t held() const;

 private:
  using Blocks = std::vector<uint32_t>;
  class InFile;
  class InMemory;
  static constexpr size_t kBlock = 64 << 10;

  /// What waits of one kind, and whose it is.
  struct Share {
    uint64_t all = 0;
    std::map<std::string, uint64_t, std::less<>> by_client{};

    bool add(uint64_t bytes, uint64_t limit, const std::string& client);
    void remove(uint64_t bytes, const std::string& client);
  };

  bool write(const Blocks& blocks, std::string_view text) const;
  bool take_blocks(size_t count, const std::string& client, Blocks& blocks);
  bool grow(size_t blocks);  // with the mutex held
  void give_back_blocks(const Blocks& blocks, const std::string& client);
  void give_back_memory(size_t bytes, const std::string& client);

  const std::filesystem::path folder_;
  const SpoolLimits limits_;
  mutable std::mutex mutex_;
  UniqueFd file_;      // opened once, with the mutex held; then open for good
  uint32_t size_ = 0;  // of the file, in blocks; guarded by mutex_, like the rest
  Blocks free_;
  Share in_file_, in_memory_;
};

}  // namespace wave::http

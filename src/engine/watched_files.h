// What a load has read of the project folder, so that it can be told later whether it would read
// the same again.
#pragma once

#include <compare>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "model/file_source.h"

namespace wave::engine {

/// stat(2) of a file or folder, or that there is none.
struct FileMark {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t modified_ns = 0, changed_ns = 0;  // since the epoch
  uint32_t mode = 0;                        // 0: not there

  friend bool operator==(const FileMark&, const FileMark&) = default;
};
FileMark mark_of(const std::filesystem::path& path);

using FileMarks = std::map<std::filesystem::path, FileMark>;
/// Whether every file and folder is as it was. A folder changes with the names in it.
bool are_unchanged(const FileMarks& marks);
/// Whether the newest change is longer ago than the file system's clock is coarse: a change that
/// came after the read has another mark then.
bool are_settled(const FileMarks& marks, std::chrono::system_clock::time_point now);

/// Reads through to the source of a folder and takes the mark of each name before. Thread: any.
class WatchedSource final : public model::FileSource {
 public:
  WatchedSource(const model::FileSource& inner, std::filesystem::path root)
      : inner_(inner), root_(std::move(root)) {}
  [[nodiscard]] Result<std::string> read(std::string_view path) const override;
  [[nodiscard]] std::vector<std::string> list(std::string_view path) const override;
  [[nodiscard]] FileMarks marks() const;

 private:
  void mark(std::string_view path) const;

  const model::FileSource& inner_;
  const std::filesystem::path root_;
  mutable std::mutex mutex_;
  mutable FileMarks marks_;
};

}  // namespace wave::engine

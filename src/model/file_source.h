// Where the files of a project come from: the disk, or a run's snapshot.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace wave::model {

/// Reads files by their path relative to the project root ("wave.yaml", ".agents/prompts/x.md").
/// Thread: any.
class FileSource {
 public:
  /// A file larger than this is refused (kLimit).
  static constexpr uint64_t kMaxBytes = 4 << 20;

  virtual ~FileSource() = default;
  /// kNotFound, kPathEscape for what leaves the root, kLimit.
  [[nodiscard]] virtual Result<std::string> read(std::string_view path) const = 0;
  /// Sorted names of the regular files directly in folder `path`; empty if there is none.
  [[nodiscard]] virtual std::vector<std::string> list(std::string_view path) const = 0;
};

/// The project folder. Paths are checked with path_within: no link leads out.
class DiskSource final : public FileSource {
 public:
  explicit DiskSource(std::filesystem::path root) : root_(std::move(root)) {}
  [[nodiscard]] Result<std::string> read(std::string_view path) const override;
  [[nodiscard]] std::vector<std::string> list(std::string_view path) const override;

 private:
  std::filesystem::path root_;
};

/// Files held in memory: a snapshot, or a test's.
class MemorySource final : public FileSource {
 public:
  explicit MemorySource(std::map<std::string, std::string> files) : files_(std::move(files)) {}
  [[nodiscard]] Result<std::string> read(std::string_view path) const override;
  [[nodiscard]] std::vector<std::string> list(std::string_view path) const override;

 private:
  std::map<std::string, std::string> files_;
};

/// The files of a project with some more, or other ones, that exist in memory only.
class OverlaySource final : public model::FileSource {
 public:
  OverlaySource(const model::FileSource& inner, std::map<std::string, std::string> files)
      : inner_(inner), files_(std::move(files)) {}
  [[nodiscard]] Result<std::string> read(std::string_view path) const override;
  [[nodiscard]] std::vector<std::string> list(std::string_view path) const override;

 private:
  const model::FileSource& inner_;
  std::map<std::string, std::string> files_;
};

/// Remembers everything that was read through it: that set of files is what a run is started with
/// (promise Q7). Each file is read once from the source behind it; later reads give the same bytes.
class RecordingSource final : public FileSource {
 public:
  explicit RecordingSource(const FileSource& inner) : inner_(inner) {}
  [[nodiscard]] Result<std::string> read(std::string_view path) const override;
  [[nodiscard]] std::vector<std::string> list(std::string_view path) const override;
  [[nodiscard]] std::map<std::string, std::string> files() const;

 private:
  const FileSource& inner_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> files_;
};

}  // namespace wave::model

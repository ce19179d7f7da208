// What a checkpoint keeps beside its tree: git records contents, and of a mode one bit.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace wave::workspace {

/// The mode that most files and folders have; only others are kept one by one.
struct UsualModes {
  unsigned file = 0644, program = 0755, folder = 0755;
  friend bool operator==(const UsualModes&, const UsualModes&) = default;
};

/// Paths are relative to the worktree's top, as bytes.
struct Kept {
  UsualModes usual;
  std::map<std::string, unsigned> modes;  // rwx of owner, group, others, where not usual
  std::set<std::string> left_out;         // neither in the tree nor ignored
  std::set<std::string> empty_folders;
  /// Tracked files whose bytes are not those in the tree (line ends and the like, converted by
  /// git): blobs with their bytes.
  std::map<std::string, std::string> exact;
  /// The same, where the bytes are too many: git's conversion makes them again.
  std::set<std::string> converted;
  /// Not all could be kept: nothing that stands in none of these lists is known.
  bool cut = false;

  [[nodiscard]] bool says_nothing() const {
    return modes.empty() && left_out.empty() && empty_folders.empty() && exact.empty() &&
           converted.empty() && !cut;
  }
};

/// Records that end in NUL; at most some MiB: beyond, it is `cut`. The usual modes are not in it.
std::string encode(const Kept& kept);
/// The reverse; what it does not understand, it skips.
Kept decode_kept(std::string_view text);

/// "644 755 755", and back; nothing for anything else.
std::string encode(const UsualModes& usual);
bool decode(std::string_view text, UsualModes& usual);

/// Whether a path, or a folder above it, is in the set.
bool holds(const std::set<std::string>& paths, std::string_view path);

}  // namespace wave::workspace

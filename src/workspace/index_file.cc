#include "workspace/index_file.h"

#include "base/file.h"

namespace wave::workspace {
namespace {

constexpr uint64_t kMaxIndex = uint64_t{1} << 30;
constexpr size_t kStatBytes = 40;  // times, device, inode, mode, owner, size
constexpr size_t kModeAt = 24;
constexpr size_t kPadding = 8;
constexpr uint16_t kExtended = 0x4000;
constexpr uint32_t kOldest = 2, kNewest = 4;

/// Takes fields off the bytes; once they are too few, everything is empty and `bad`.
class IndexBytes {
 public:
  explicit IndexBytes(std::string_view bytes) : all_(bytes), rest_(bytes) {}
  [[nodiscard]] bool bad() const { return bad_; }
  [[nodiscard]] size_t left() const { return rest_.size(); }
  [[nodiscard]] size_t at() const { return all_.size() - rest_.size(); }

  std::string_view take(size_t count) {
    if (count > rest_.size()) {
      bad_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  uint32_t number(size_t bytes) {
    uint32_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view until_nul() {
    const size_t nul = rest_.find('\0');
    const std::string_view text = take(nul == std::string_view::npos ? rest_.size() + 1 : nul);
    take(1);
    return text;
  }
  // How much of the path before is dropped, in version 4: git's variable width.
  size_t dropped() {
    auto byte = static_cast<unsigned char>(number(1));
    size_t value = byte & 0x7FU;
    while ((byte & 0x80U) != 0 && !bad_) {
      byte = static_cast<unsigned char>(number(1));
      value = ((value + 1) << 7) | (byte & 0x7FU);
    }
    return value;
  }

 private:
  std::string_view all_, rest_;
  bool bad_ = false;
};

// "<count> <subtrees>\n<id>" behind an empty name; a count below 0: it has changed since.
std::string root_tree(std::string_view extension, size_t id_size) {
  if (extension.empty() || extension[0] != '\0') return {};
  const size_t line = extension.find('\n');
  if (line == std::string_view::npos || extension[1] == '-') return {};
  const std::string_view id = extension.substr(line + 1);
  return id.size() < id_size ? std::string() : id_text(id.substr(0, id_size));
}

/// Whether all extensions are understood.
bool read_extensions(IndexBytes& bytes, size_t id_size, IndexFile& index) {
  while (bytes.left() > id_size && !bytes.bad()) {
    const std::string_view name = bytes.take(4);
    const std::string_view content = bytes.take(bytes.number(4));
    if (name == "TREE") index.tree = root_tree(content, id_size);
    // A name in lower case: who does not know it must not read on (split, sparse ...).
    const bool must_be_known = !name.empty() && name[0] >= 'a' && name[0] <= 'z';
    if (must_be_known) return false;
  }
  return !bytes.bad();
}

}  // namespace

std::string id_text(std::string_view id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(id.size() * 2);
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

Result<std::optional<IndexFile>> read_index(const fs::path& file, size_t id_size,
                                            const std::function<void(const IndexEntry&)>& take) {
  const auto text = read_file(file, kMaxIndex);
  if (!text && text.error().code == Code::kNotFound) return IndexFile{};
  if (!text) return fail(text.error());
  IndexBytes bytes(*text);
  const bool known = bytes.take(4) == "DIRC";
  const uint32_t version = bytes.number(4);
  const uint32_t count = bytes.number(4);
  if (!known || version < kOldest || version > kNewest) return std::nullopt;
  std::string path;
  for (uint32_t i = 0; i < count && !bytes.bad(); ++i) {
    const size_t start = bytes.at();
    IndexBytes stat(bytes.take(kStatBytes));
    stat.take(kModeAt);
    IndexEntry entry{.path = {}, .mode = stat.number(4), .id = bytes.take(id_size)};
    if ((bytes.number(2) & kExtended) != 0) bytes.take(2);
    if (version == kNewest) {
      path.resize(path.size() - std::min(bytes.dropped(), path.size()));
      path += bytes.until_nul();
      entry.path = path;
    } else {
      entry.path = bytes.until_nul();
      const size_t used = bytes.at() - start;
      bytes.take((kPadding - used % kPadding) % kPadding);
    }
    if (!bytes.bad()) take(entry);
  }
  IndexFile index;
  if (!read_extensions(bytes, id_size, index)) return std::nullopt;
  return index;
}

}  // namespace wave::workspace

#include "store/snapshot.h"

#include <fmt/core.h>

#include "base/hash.h"
#include "store/snapshot_format.h"

namespace wave::store {
namespace {

constexpr int kVersion = 1;

Error damaged(const std::string& sha256, std::string_view why) {
  return {Code::kStore, fmt::format("the stored snapshot {} is damaged: {}", sha256, why),
          "restore .agents/state/blobs from a backup"};
}

/// A blob whose bytes are what its name says.
Result<std::string> checked_blob(Store& store, const std::string& sha256) {
  WAVE_TRY(std::string bytes, store.blob(sha256));
  if (sha256_hex(bytes) != sha256) return fail(damaged(sha256, "its bytes have changed"));
  return bytes;
}

Result<json::object> parse_manifest(std::string_view bytes, const std::string& sha256) {
  auto parsed = parse_json(bytes);
  if (!parsed) return fail(damaged(sha256, parsed.error().message));
  if (!parsed->is_object()) return fail(damaged(sha256, "it is not an object"));
  json::object manifest = std::move(parsed->get_object());
  if (get_int(manifest, "v") > kVersion) {
    return fail(Code::kStoreNewer,
                fmt::format("the snapshot {} was written by a newer wave", sha256),
                "use that version of wave for this run");
  }
  return manifest;
}

}  // namespace

Result<std::string> save_snapshot(Store& store, const Snapshot& snapshot) {
  std::vector<std::string_view> contents;
  json::object files;
  for (const auto& [path, content] : snapshot.files) {
    contents.push_back(content);
    files[path] = sha256_hex(content);
  }
  const std::string list = dump_json(json::object{{"v", kVersion},
                                                  {"manifest_path", snapshot.manifest_path},
                                                  {"pipeline", snapshot.pipeline},
                                                  {"files", std::move(files)},
                                                  {"facts", snapshot.facts}});
  // All at once: they share one sync of the folder, and nobody names the list before that.
  contents.push_back(list);
  WAVE_TRY(std::vector<std::string> hashes, store.put_blobs(contents));
  return std::move(hashes.back());
}

Result<Snapshot> load_snapshot(Store& store, const std::string& sha256) {
  WAVE_TRY(const std::string bytes, checked_blob(store, sha256));
  WAVE_TRY(const json::object manifest, parse_manifest(bytes, sha256));
  Snapshot snapshot;
  snapshot.manifest_path = get_string(manifest, "manifest_path");
  snapshot.pipeline = get_string(manifest, "pipeline");
  snapshot.facts = get_object(manifest, "facts");
  for (const auto& [path, hash] : get_object(manifest, "files")) {
    if (!hash.is_string()) return fail(damaged(sha256, "a file has no hash"));
    WAVE_TRY(std::string content, checked_blob(store, std::string(hash.get_string())));
    snapshot.files.emplace(path, std::move(content));
  }
  return snapshot;
}

Result<std::vector<std::string>> snapshot_blobs(std::string_view bytes, const std::string& sha256) {
  WAVE_TRY(const json::object manifest, parse_manifest(bytes, sha256));
  std::vector<std::string> hashes{sha256};
  for (const auto& [path, hash] : get_object(manifest, "files")) {
    if (!hash.is_string()) return fail(damaged(sha256, "a file has no hash"));
    hashes.emplace_back(hash.get_string());
  }
  return hashes;
}

}  // namespace wave::store

#include "store/store.h"

#include <fmt/core.h>

namespace wave::store {

Result<std::vector<std::string>> Store::put_blobs(std::span<const std::string_view> contents) {
  std::vector<std::string> hashes;
  for (const std::string_view content : contents) {
    WAVE_TRY(std::string hash, put_blob(content));
    hashes.push_back(std::move(hash));
  }
  return hashes;
}

Result<Figures> Store::figures() {
  return fail(Code::kUnsupported, "this store does not count");
}

std::filesystem::path StatePaths::attempt(const std::string& run_id, const std::string& step,
                                          int visit, int attempt_number,
                                          const std::string& purpose) const {
  std::string name = fmt::format("{}.{}.{}", step, visit, attempt_number);
  if (!purpose.empty()) name += "." + purpose;
  return run(run_id) / name;
}

}  // namespace wave::store

#include "store/store.h"

#include <fmt/core.h>

namespace wave::store {

Result<std::vector<flow::RunRow>> Store::list_runs(RunFilter filter) {
  const size_t limit = std::max<size_t>(filter.limit, 1);
  std::vector<flow::RunRow> rows;
  while (true) {
    filter.limit = limit - rows.size();
    WAVE_TRY(RunPage page, run_page(filter));
    std::ranges::move(page.rows, std::back_inserter(rows));
    if (page.next.empty() || rows.size() >= limit) return rows;
    filter.after = std::move(page.next);
  }
}

Result<std::vector<std::string>> Store::put_blobs(std::span<const std::string_view> contents) {
  std::vector<std::string> hashes;
  for (const std::string_view content : contents) {
    WAVE_TRY(std::string hash, put_blob(content));
    hashes.push_back(std::move(hash));
  }
  return hashes;
}

Result<std::vector<int64_t>> Store::take_ownership_of(std::span<const TakeOver> runs) {
  std::vector<int64_t> epochs;
  for (const TakeOver& run : runs) {
    WAVE_TRY(const int64_t epoch, take_ownership(run.run_id));
    if (run.note_fold) {
      WAVE_TRY([[maybe_unused]] const int folds, note_fold(run.run_id, false));
    }
    epochs.push_back(epoch);
  }
  return epochs;
}

Status Store::note_folds_ended(std::span<const std::string> run_ids) {
  for (const std::string& run_id : run_ids) {
    WAVE_TRY([[maybe_unused]] const int folds, note_fold(run_id, true));
  }
  return {};
}

Result<Figures> Store::figures() {
  return fail(Code::kUnsupported, "this store does not count");
}

Result<LogEnd> Store::log_end(const std::string& run_id) {
  LogEnd end;
  while (true) {
    WAVE_TRY(const std::vector<StoredEvent> page,
             run_id.empty() ? events_since(static_cast<int64_t>(end.last), 1000)
                            : events(run_id, {.after = end.last}));
    if (page.empty()) return end;
    end.last = run_id.empty() ? static_cast<uint64_t>(page.back().position) : page.back().seq;
  }
}

void Store::note_shown(uint64_t /*position*/) {}

Status Store::check_epoch() {
  return {};
}

std::filesystem::path StatePaths::attempt(const std::string& run_id, const std::string& step,
                                          int visit, int attempt_number,
                                          const std::string& purpose) const {
  std::string name = fmt::format("{}.{}.{}", step, visit, attempt_number);
  if (!purpose.empty()) name += "." + purpose;
  return run(run_id) / name;
}

}  // namespace wave::store

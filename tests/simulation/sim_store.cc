#include "sim_store.h"

namespace wave::sim {

Status SimStore::append_and_wait(store::Append request) {
  if (power_is_cut_) return fail(Code::kStore, "simulated: the power is gone");
  if (random_.chance(faults_.power_cut_percent)) {
    // What is written now lies between memory and disk: whoever loses the power decides about it.
    power_is_cut_ = true;
    disk_.inject({.operation = store::sqlite::testing::DiskOperation::kSync,
                  .code = SQLITE_IOERR_FSYNC,
                  .lasts = true});
    return inner_->append_and_wait(std::move(request));
  }
  const uint64_t last_seq = request.events.empty() ? 0 : request.events.back().seq;
  const bool faulty = random_.chance(faults_.append_percent);
  if (faulty && random_.chance(50)) return fail(Code::kDiskFull, "simulated: no space left");
  Status status = inner_->append_and_wait(std::move(request));
  if (status) {
    ++commits_;
    acknowledged_ = std::max(acknowledged_, last_seq);
  }
  if (faulty && status) return fail(Code::kStore, "simulated: stored, but reported as failed");
  return status;
}

void SimStore::append(store::Append request, Appended done) {
  loop_.post([this, request = std::move(request), done = std::move(done)]() mutable {
    done(append_and_wait(std::move(request)));
  });
}

}  // namespace wave::sim

#include "sim_store.h"

namespace wave::sim {

Status SimStore::append_and_wait(store::Append request) {
  const bool faulty = random_.chance(fault_percent_);
  if (faulty && random_.chance(50)) return fail(Code::kDiskFull, "simulated: no space left");
  Status status = inner_->append_and_wait(std::move(request));
  if (status) ++commits_;
  if (faulty && status) return fail(Code::kStore, "simulated: stored, but reported as failed");
  return status;
}

void SimStore::append(store::Append request, Appended done) {
  loop_.post([this, request = std::move(request), done = std::move(done)]() mutable {
    done(append_and_wait(std::move(request)));
  });
}

}  // namespace wave::sim

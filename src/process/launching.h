// One launch under way: sent to the launcher, taken by it, answered by the host. It never waits, so
// that a helper which is stopped, traced or frozen is the trouble of this launch alone: an owner
// looks at it when the reply's pipe is readable or `next_look` has come.
//
// A launch may be sent several times, to a launcher that stands by or to the same one. That starts
// nothing twice: whatever hosts come of it race for the folder's meta, and only one wins.
#pragma once

#include <optional>

#include "base/file.h"
#include "process/launcher.h"

namespace wave::process {

/// Thread: one at a time.
class Launching {
 public:
  /// kUsage and kLimit for requests that cannot be launched. `launcher` must outlive it.
  static Result<Launching> begin(Launcher& launcher, const HostRequest& request);

  /// Looks at what has come and what is overdue. Nothing: it is still under way. As for
  /// Launcher::launch otherwise.
  std::optional<Result<HostMeta>> advance();
  /// Readable when there is something to look at; another one after an `advance` that sent again.
  [[nodiscard]] int fd() const { return reply_.get(); }
  [[nodiscard]] MonoTime next_look() const { return next_look_; }

 private:
  Launching(Launcher& launcher, std::filesystem::path dir, UniqueFd request)
      : launcher_(&launcher), dir_(std::move(dir)), request_(std::move(request)) {}
  Status send();
  std::optional<Result<HostMeta>> send_again(Error why);
  std::optional<Result<HostMeta>> read_reply();

  Launcher* launcher_;
  std::filesystem::path dir_;
  UniqueFd request_, reply_, theirs_;  // theirs_: until it has been sent
  uint64_t generation_ = 0;            // of the launcher that it was sent to
  int sends_ = 0;
  bool taken_ = false;
  std::string text_;
  MonoTime sent_at_{}, next_look_{};
};

}  // namespace wave::process

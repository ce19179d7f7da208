// An operation that waits for a program: a contract's check or reviewer, a hook. The program is
// followed on the loop, so that it occupies no thread of the pool however long it runs. It survives
// the owner's death like any other: the next owner's operation finds it by its folder and follows
// it from its first byte.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/operation.h"

namespace wave::engine {

struct ProgramResult {
  process::HostExit exit;
  std::string out_tail, err_tail;  // the last 64 KiB of each
};

/// Thread: the loop's.
class HostedOperation : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void stop(flow::StopReason reason) override;
  void detach() override;

 protected:
  using OnBytes = std::function<void(bool err, std::string_view bytes)>;

  /// Starts the program, or finds it, and calls `program_ended` once: also when it could not be
  /// started, unless that is for want of disk: then the operation ends waiting. Where only the
  /// launcher or a shortage is in the way, it is tried again. The host keeps the
  /// deadline. Once per operation. Where it fails while the disk has no room, or had none for a
  /// while, the operation ends waiting as well: begun again, it needs another folder
  /// (`name_again`).
  void run_program(const process::HostRequest& request, OnBytes on_bytes = {});
  virtual void program_ended(Result<ProgramResult> result) = 0;
  /// Whether what it prints is its answer, so that an exit code of 0 does not say that it worked.
  [[nodiscard]] virtual bool answers_in_print() const { return false; }
  /// The purpose of the launch, so that one that lacked the disk is not found again.
  [[nodiscard]] std::string name_again(std::string purpose) const;

 private:
  void start_program();
  void ended(const process::HostExit& exit);
  [[nodiscard]] bool may_lack_disk(const process::HostExit& exit) const;
  void launch_failed(const Error& error);
  void not_started(const Error& error);

  process::HostRequest request_;
  OnBytes on_bytes_;
  std::unique_ptr<Followed> followed_;
  ProgramResult result_;
};

}  // namespace wave::engine

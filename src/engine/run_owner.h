// Owns one run while it lives in this process: folds, decides, appends, carries out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/operation.h"
#include "store/owner_lock.h"

namespace wave::engine {

/// The cycle: what happened is folded and, with everything that decide() adds to it, appended in
/// one go; when that is on disk, and not before, the operations decided on are carried out, and
/// what comes of them is what happens next. Thread: the loop's. Owned by the Engine, through a
/// shared_ptr that callbacks hold weakly.
class RunOwner : public std::enable_shared_from_this<RunOwner> {
 public:
  RunOwner(std::shared_ptr<RunContext> run, store::OwnerLock lock, int64_t epoch,
           Engine::OnEnd on_end);
  ~RunOwner();

  /// Takes the run up where its log stands.
  void begin();
  /// Consumes what somebody asked of the run.
  void poll_commands();
  /// Lets go without an event: agents work on, the next owner goes on from here.
  void abandon();

 private:
  void happen(std::vector<flow::Event> events, std::vector<store::SpoolMark> marks = {},
              std::vector<int64_t> commands = {}, std::function<void()> committed = {});
  bool fold(flow::Event event);
  void stamp(flow::Event& event) const;
  void decide();
  void flush();
  void flushed(const Status& status, uint64_t seq, std::vector<std::function<void()>> committed);
  void carry_out();
  void let_go_of_slot();
  void withdraw_slot_request();
  void start_operation(const flow::Operation& operation);
  void operation_reported(const std::string& key, Report report);
  void sync_timers();
  void timer_due(const std::string& id);
  [[nodiscard]] std::optional<flow::Event> event_of(const store::Command& command) const;
  void quarantine(const Error& error);
  void write_quarantine();
  void end(Engine::Ended ended);
  void retry_flush_later();

  std::shared_ptr<RunContext> run_;
  std::optional<store::OwnerLock> lock_;
  int64_t epoch_;
  Engine::OnEnd on_end_;

  // Folded and not yet handed to the store.
  std::vector<flow::Event> pending_events_;
  std::vector<store::SpoolMark> pending_marks_;
  std::vector<int64_t> pending_commands_;
  std::vector<std::function<void()>> pending_committed_;
  uint64_t committed_seq_ = 0;
  bool appending_ = false;

  std::vector<flow::Operation> wanted_;  // of the last decide()
  uint64_t wanted_seq_ = 0;              // may start when this is on disk
  std::map<std::string, std::shared_ptr<ActiveOperation>> active_;
  std::map<std::string, Loop::TimerId> armed_;
  std::vector<int64_t> taken_commands_;  // read from the store, not yet consumed there
  Loop::TimerId retry_timer_ = 0;
  std::optional<Error> quarantine_;  // what is wrong with the run
  bool holds_slot_ = false;
  bool told_unstored_ = false;
  bool over_ = false;
};

}  // namespace wave::engine

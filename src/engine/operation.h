// An operation in progress: one thing that decide() asked for, from its start to the events that
// end it.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "base/system_fault.h"
#include "engine/disk_wait.h"
#include "engine/run_context.h"
#include "flow/decide.h"

namespace wave::engine {

/// What an operation has to say. With `ended` it is over and says nothing more.
struct Report {
  std::vector<flow::Event> events;
  std::vector<store::SpoolMark> spool_marks;
  bool ended = true;
  /// Called on the loop thread when the events are on disk: lets a producer wait for a slow store.
  std::function<void()> committed;
};

/// Thread: the loop's. Shared so that work on the pool can outlive the owner's interest.
class ActiveOperation : public std::enable_shared_from_this<ActiveOperation> {
 public:
  using Reporter = std::function<void(Report)>;

  ActiveOperation(std::shared_ptr<RunContext> run, flow::Operation operation, Reporter reporter)
      : run_(std::move(run)), operation_(std::move(operation)), reporter_(std::move(reporter)) {}
  virtual ~ActiveOperation() = default;

  virtual void start() = 0;
  /// Ends early. The end is reported as usual. Asked for again it may only get more urgent.
  virtual void stop(flow::StopReason reason);
  /// The owner lets go: nothing is reported any more, processes go on; work of the pool ends early.
  virtual void detach();

  [[nodiscard]] const flow::Operation& operation() const { return operation_; }
  [[nodiscard]] flow::StopReason stop_reason() const { return stop_; }

 protected:
  /// An event of this operation's step and attempt.
  [[nodiscard]] flow::Event event(flow::Kind kind, json::object data = {}) const;
  void report(Report report);
  void report_end(std::vector<flow::Event> events) { report({.events = std::move(events)}); }
  [[nodiscard]] bool detached() const { return !reporter_; }
  /// Asks work of the pool to end early: nobody waits for what comes of it. Any thread may look at
  /// it.
  [[nodiscard]] std::stop_token interrupt() const { return interrupt_.get_token(); }
  /// Whether the operation may wait for the disk now: not while it is asked to end.
  [[nodiscard]] bool may_wait() const { return stop_ == flow::StopReason::kNone; }
  /// How often in a row it waited for the disk already.
  [[nodiscard]] int waits() const;
  /// Of a warning that a program's host was stopped when the program ended.
  [[nodiscard]] static json::object stopped_host_warning();
  /// Ends the operation: it is asked for again when the disk takes files.
  void report_disk_wait(const Error& lacking, std::vector<flow::Event> before = {});
  /// The same as on_pool, for work that gives a Result: where it fails for want of disk, the
  /// operation ends waiting, and `then` is not called.
  template <typename Work, typename Then>
  void on_pool_with_disk(Work work, Then then);
  /// The work of on_pool_with_disk is over, whatever comes of it.
  virtual void work_ended() {}
  /// Runs `work` on the pool and `then` with its result on the loop thread, unless detached by
  /// then. What a step does in a worktree or a copied tree may take long, and holds up only its
  /// like. Work that failed while the machine was short of descriptors, memory or processes is done
  /// again when that may have passed (promise O11): it has to bear being begun anew.
  template <typename Work, typename Then>
  void on_pool(Work work, Then then);
  /// Says once what is lacking, and calls `again` in a while; at once when asked to stop.
  void wait_for_resources(const Error& lacking, Callback again);

  std::shared_ptr<RunContext> run_;
  flow::Operation operation_;
  flow::StopReason stop_ = flow::StopReason::kNone;

 private:
  template <typename Work, typename Then>
  struct PoolTask {
    Work work;
    Then then;
    std::optional<std::invoke_result_t<Work>> result;
    std::optional<Error> lacking;

    void run();
  };
  template <typename Work, typename Then>
  void run_task(std::shared_ptr<PoolTask<Work, Then>> task);
  void run_on_pool(Callback work, Callback done);

  Reporter reporter_;
  std::stop_source interrupt_;
  Loop::TimerId resources_timer_ = 0;
  Callback resources_again_;
  Millis resources_pause_{0};  // of the last wait; 0: there was none
};

template <typename Work, typename Then>
void ActiveOperation::PoolTask<Work, Then>::run() {
  const ShortageWatch watch;
  result.emplace(work());
  lacking.reset();
  if constexpr (requires { result->has_value(); }) {
    if (result->has_value()) return;
  }
  const auto shortage = watch.seen();
  if (shortage && shortage->code == Code::kScarce) lacking = *shortage;
}

template <typename Work, typename Then>
void ActiveOperation::run_task(std::shared_ptr<PoolTask<Work, Then>> task) {
  run_on_pool([task, self = shared_from_this()] { task->run(); },
              [this, task, self = shared_from_this()] {
                if (detached()) return;
                if (task->lacking && stop_ == flow::StopReason::kNone) {
                  return wait_for_resources(*task->lacking, [this, task] { run_task(task); });
                }
                task->then(*std::move(task->result));
              });
}

template <typename Work, typename Then>
void ActiveOperation::on_pool(Work work, Then then) {
  run_task(std::make_shared<PoolTask<Work, Then>>(std::move(work), std::move(then)));
}

template <typename Work, typename Then>
void ActiveOperation::on_pool_with_disk(Work work, Then then) {
  using Value = std::invoke_result_t<Work>;
  struct Outcome {
    Value value;
    std::optional<Error> lacking;

    /// Whether on_pool has nothing to try again.
    [[nodiscard]] bool has_value() const { return value.has_value() || lacking.has_value(); }
  };
  on_pool(
      [run = run_, waited = waits(), work = std::move(work)]() mutable {
        // Whatever it failed with: what could not be looked at may have been taken for absent.
        const ShortageWatch watch;
        Outcome outcome{.value = work(), .lacking = {}};
        if (outcome.value) return outcome;
        outcome.lacking = disk_wait(run->world, watch.behind(outcome.value.error()), waited);
        return outcome;
      },
      [this, then = std::move(then)](Outcome outcome) mutable {
        work_ended();
        if (outcome.lacking && may_wait()) return report_disk_wait(*outcome.lacking);
        then(std::move(outcome.value));
      });
}

/// Makes the operation that carries out what was decided.
std::shared_ptr<ActiveOperation> make_operation(std::shared_ptr<RunContext> run,
                                                const flow::Operation& operation,
                                                ActiveOperation::Reporter reporter);

// One maker per kind; each lives in a file of its own.
std::shared_ptr<ActiveOperation> make_execute(std::shared_ptr<RunContext>, const flow::Operation&,
                                              ActiveOperation::Reporter);
std::shared_ptr<ActiveOperation> make_collect_outputs(std::shared_ptr<RunContext>,
                                                      const flow::Operation&,
                                                      ActiveOperation::Reporter);
std::shared_ptr<ActiveOperation> make_check_contract(std::shared_ptr<RunContext>,
                                                     const flow::Operation&,
                                                     ActiveOperation::Reporter);
std::shared_ptr<ActiveOperation> make_checkpoint(std::shared_ptr<RunContext>,
                                                 const flow::Operation&, ActiveOperation::Reporter);
std::shared_ptr<ActiveOperation> make_run_hook(std::shared_ptr<RunContext>, const flow::Operation&,
                                               ActiveOperation::Reporter);
std::shared_ptr<ActiveOperation> make_await_disk(std::shared_ptr<RunContext>,
                                                 const flow::Operation&, ActiveOperation::Reporter);
std::shared_ptr<ActiveOperation> make_open_gate(std::shared_ptr<RunContext>, const flow::Operation&,
                                                ActiveOperation::Reporter);
std::shared_ptr<ActiveOperation> make_acquire_slot(std::shared_ptr<RunContext>,
                                                   const flow::Operation&,
                                                   ActiveOperation::Reporter);

}  // namespace wave::engine

// An operation in progress: one thing that decide() asked for, from its start to the events that
// end it.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

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
  /// Runs `work` on the pool and `then` with its result on the loop thread, unless detached by
  /// then. What a step does in a worktree or a copied tree may take long, and holds up only its
  /// like.
  template <typename Work, typename Then>
  void on_pool(Work work, Then then);

  std::shared_ptr<RunContext> run_;
  flow::Operation operation_;
  flow::StopReason stop_ = flow::StopReason::kNone;

 private:
  void run_on_pool(Callback work, Callback done);

  Reporter reporter_;
  std::stop_source interrupt_;
};

template <typename Work, typename Then>
void ActiveOperation::on_pool(Work work, Then then) {
  using Value = std::invoke_result_t<Work>;
  auto result = std::make_shared<std::optional<Value>>();
  run_on_pool([result, self = shared_from_this(),
               work = std::move(work)]() mutable { result->emplace(work()); },
              [result, self = shared_from_this(), then = std::move(then)]() mutable {
                if (!self->detached()) then(*std::move(*result));
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
std::shared_ptr<ActiveOperation> make_open_gate(std::shared_ptr<RunContext>, const flow::Operation&,
                                                ActiveOperation::Reporter);
std::shared_ptr<ActiveOperation> make_acquire_slot(std::shared_ptr<RunContext>,
                                                   const flow::Operation&,
                                                   ActiveOperation::Reporter);

}  // namespace wave::engine

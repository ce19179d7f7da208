#include "cli/remote/follow_run.h"

#include <signal.h>

#include "base/asio_loop.h"
#include "base/end_watch.h"
#include "cli/run_session.h"

namespace wave::cli {
namespace {

class RemoteShow {
 public:
  RemoteShow(const Context& context, RunAccess& runs, const std::string& run_id)
      : context_(context),
        runs_(runs),
        run_id_(run_id),
        view_(loop_, runs, start_model(runs, run_id), view_config(context, Showing::kAsAsked)) {}

  ~RemoteShow() {
    if (signals_) signals_->stop_hearing();
    watch_.reset();  // its thread posts
    loop_.close();   // what was posted knows the view
  }
  RemoteShow(const RemoteShow&) = delete;
  RemoteShow& operator=(const RemoteShow&) = delete;

  Result<int> run() {
    watch_ = runs_.watch(run_id_, 0, [this] { wake(); });
    WAVE_TRY(signals_, EndWatch::start({SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT},
                                       [this](EndWatch& watch, int signal) {
                                         const bool asks = signal == SIGINT || signal == SIGTERM;
                                         if (asks) watch.end_soon(exit_code(Code::kInterrupted));
                                         loop_.post([this, signal] { on_signal(signal); });
                                       }));
    wake();
    tick();
    loop_.run();
    const Status broken = watch_->broken();
    watch_.reset();
    return conclude(broken);
  }

 private:
  /// From the watch's thread, often: one post at a time is enough.
  void wake() {
    if (posted_.exchange(true)) return;
    loop_.post([this] {
      posted_ = false;
      view_.wake();
      look();
    });
  }

  /// The view's model is its job's; whether the run is over is asked of the watch instead.
  void look() {
    if (finishing_) return;
    const bool over = !watch_->broken() || watch_->complete();
    if (over || left_) finish();
  }

  void finish() {
    finishing_ = true;
    view_.finish(
        [this](const ViewModel& model) -> std::string {
          if (!model.is_terminal()) return {};
          return closing_words(context_, model, Showing::kAsAsked, loop_.clock().wall());
        },
        [this] { loop_.stop(); });
  }

  void tick() {
    loop_.call_at(loop_.clock().mono() + Millis(500), [this] {
      look();
      tick();
    });
  }

  void on_signal(int signal) {
    switch (signal) {
      case SIGWINCH:
      case SIGCONT:
        view_.redraw();
        return;
      case SIGHUP:
        view_.detach();
        return;
      default:
        left_ = true;
        context_.streams().give_up_after(kReaderPatience);
        look();
    }
  }

  Result<int> conclude(const Status& broken) {
    const ViewModel& model = view_.model();
    if (!model.is_terminal() && left_) {
      context_.note("\nThe run goes on at the server; watch it: wave logs " + run_id_ +
                    " --follow\n                        or end it: wave cancel " + run_id_ + "\n");
      return exit_code(Code::kInterrupted);
    }
    if (!model.is_terminal() && !broken) return std::unexpected(broken.error());
    return exit_code_of(
        flow::run_status_from_name(model.status).value_or(flow::RunStatus::kRunning));
  }

  std::unique_ptr<EndWatch> signals_;  // until everything else has ended
  const Context& context_;
  RunAccess& runs_;
  const std::string run_id_;
  AsioLoop loop_;
  RunView view_;
  std::unique_ptr<Watch> watch_;
  std::atomic<bool> posted_{false};
  bool finishing_ = false;
  bool left_ = false;
};

}  // namespace

Result<int> follow_run(const Context& context, RunAccess& runs, const std::string& run_id) {
  return RemoteShow(context, runs, run_id).run();
}

}  // namespace wave::cli

#include <deque>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/render.h"
#include "cli/wait_for_run.h"

namespace wave::cli {
namespace {

constexpr size_t kLogPage = 1000;
constexpr size_t kMostTail = 100'000;

/// Reads a run's log in pages and shows what was asked for.
class LogPrinter {
 public:
  LogPrinter(Context& context, RunAccess& runs, const LogsOptions& options, std::string run_id)
      : context_(context), runs_(runs), options_(options), run_id_(std::move(run_id)) {}

  Result<int> run() {
    if (options_.tail) {
      WAVE_CHECK(read_tail());
    } else {
      WAVE_CHECK(read_on());
    }
    if (options_.follow && is_read_) WAVE_CHECK(follow());
    return 0;
  }

 private:
  [[nodiscard]] bool wanted(const store::StoredEvent& event) const {
    if (options_.errors && !flow::is_error_event(event.line)) return false;
    return context_.json() || !plain_line(event.line, true).empty();
  }

  /// Programs get the events as the store has them, one a line.
  void show(const std::string& line) {
    is_read_ = is_read_ && context_.print((context_.json() ? line : plain_line(line, true)) + "\n");
  }

  template <typename Visit>
  Status each_new(Visit visit) {
    for (;;) {
      WAVE_TRY(const std::vector<store::StoredEvent> page,
               runs_.events(run_id_, {.after = after_, .limit = kLogPage, .step = options_.step}));
      for (const store::StoredEvent& event : page) {
        after_ = event.seq;
        if (wanted(event)) visit(event.line);
        if (!is_read_) return {};
      }
      if (page.size() < kLogPage) return {};
    }
  }

  Status read_on() {
    return each_new([this](const std::string& line) { show(line); });
  }

  Status read_tail() {
    std::deque<std::string> last;
    const size_t most = std::min<size_t>(static_cast<size_t>(*options_.tail), kMostTail);
    WAVE_CHECK(each_new([&](const std::string& line) {
      last.push_back(line);
      if (last.size() > most) last.pop_front();
    }));
    for (const std::string& line : last) show(line);
    return {};
  }

  Status follow() {
    // Ctrl-C ends the following, not the run.
    constexpr Millis kForever = std::chrono::hours(24 * 365);
    WAVE_TRY([[maybe_unused]] const bool over,
             wait_until(runs_, run_id_, after_, kForever, [this]() -> Result<bool> {
               WAVE_TRY(const store::RunDetails details, runs_.run(run_id_));
               WAVE_CHECK(read_on());
               if (!is_read_) return true;
               const auto status = flow::run_status_from_name(details.row.status);
               // The status was read first: what belongs to the end has been printed by now.
               return (status && flow::is_terminal(*status)) ||
                      flow::is_stopped(details.row.waiting_reason);
             }));
    return {};
  }

  Context& context_;
  RunAccess& runs_;
  const LogsOptions& options_;
  std::string run_id_;
  uint64_t after_ = 0;
  bool is_read_ = true;  // false: `wave logs | head` has seen enough, or the disk is full
};

Status check_step(const store::RunDetails& details, const std::string& step) {
  if (step.empty()) return {};
  std::vector<std::string> known;
  for (const flow::StepRow& row : details.steps) known.push_back(row.step);
  if (std::ranges::find(known, step) != known.end()) return {};
  Error error(Code::kNotFound, "run " + details.row.run_id + " has no step '" + step + "'",
              "its steps are: " + join(known, ", "));
  if (const auto meant = did_you_mean(step, known)) error.hint = "did you mean '" + *meant + "'?";
  return std::unexpected(std::move(error));
}

}  // namespace

Result<int> run_logs(Context& context, const LogsOptions& options) {
  WAVE_TRY(RunAccess * runs, context.runs(Access::kRead));
  WAVE_TRY(const std::string run_id, runs->resolve(options.run));
  WAVE_TRY(const store::RunDetails details, runs->run(run_id));
  WAVE_CHECK(check_step(details, options.step));
  return LogPrinter(context, *runs, options, run_id).run();
}

}  // namespace wave::cli

#include "cli/run_view.h"

#include <unistd.h>

#include <array>

namespace wave::cli {
namespace {

constexpr size_t kViewPage = 1000;
constexpr Millis kShortestGap{50};    // between two drawings
constexpr Millis kSequencePause{50};  // within what a terminal sends for one key
constexpr Millis kTick{500};          // elapsed times change although nothing happens

}  // namespace

/// What one job is told and tells.
struct RunView::Job {
  std::vector<Key> keys;
  bool resized = false;
  bool last = false;
  bool more = false;  // the page was full
};

RunView::RunView(Loop& loop, RunAccess& runs, ViewModel start, RunViewConfig config)
    : loop_(loop), runs_(runs), config_(config), model_(std::move(start)) {
  if (config_.mode != ViewMode::kLive) return;
  config_.style.answers = config_.answers;
  if (!config_.answers) return;
  keyboard_ = std::make_unique<KeyboardMode>(config_.in_fd);
  if (keyboard_->active()) {
    screen_ = LiveScreen(true);
    key_watch_ = loop_.watch_readable(config_.in_fd, [this] { on_keys(); });
  } else {
    config_.style.answers = false;
  }
}

RunView::~RunView() {
  stop_keyboard();
  if (timer_ != 0) loop_.cancel_timer(timer_);
}

void RunView::wake() {
  if (posted_.exchange(true)) return;
  loop_.post([this] {
    posted_ = false;
    start_job();
  });
}

void RunView::redraw() {
  resized_ = true;
  if (keyboard_ != nullptr && !lost_) {
    // A shell that stopped us may have set the terminal to its own liking.
    keyboard_.reset();
    keyboard_ = std::make_unique<KeyboardMode>(config_.in_fd);
  }
  start_job();
}

void RunView::detach() {
  lost_ = true;
  if (config_.out != nullptr) config_.out->give_up_after(Millis(0));
  stop_keyboard();
}

void RunView::finish(Closing closing, Callback done) {
  closing_ = std::move(closing);
  finish_done_ = std::move(done);
  start_job();
}

void RunView::start_job() {
  if (in_flight_) {
    again_ = true;
    return;
  }
  const MonoTime now = loop_.clock().mono();
  const bool too_soon = config_.mode == ViewMode::kLive && !finish_done_ && !resized_ &&
                        keys_.empty() && now < last_job_ + kShortestGap;
  if (too_soon) {
    schedule(kShortestGap);
    return;
  }
  in_flight_ = true;
  again_ = false;
  auto job = std::make_shared<Job>();
  job->keys = std::exchange(keys_, {});
  job->resized = std::exchange(resized_, false);
  job->last = static_cast<bool>(finish_done_);
  loop_.run_blocking([this, job] { read_and_show(*job); }, [this, job] { job_done(*job); });
}

void RunView::job_done(Job& job) {
  in_flight_ = false;
  last_job_ = loop_.clock().mono();
  // The closing words are said: whatever else was asked for meanwhile would say them again.
  if (job.last && !job.more) {
    stop_keyboard();
    std::exchange(finish_done_, {})();
    return;
  }
  if (job.more || again_ || !keys_.empty() || finish_done_) {
    start_job();
    return;
  }
  if (config_.mode == ViewMode::kLive) schedule(kTick);
}

void RunView::schedule(Millis delay) {
  if (timer_ != 0) loop_.cancel_timer(timer_);
  timer_ = loop_.call_at(loop_.clock().mono() + delay, [this] {
    timer_ = 0;
    start_job();
  });
}

void RunView::on_keys() {
  std::array<char, 256> buffer{};
  const ssize_t count = ::read(config_.in_fd, buffer.data(), buffer.size());
  if (count <= 0) {
    stop_keyboard();
    return;
  }
  take_keys(terminal_keys_.read({buffer.data(), static_cast<size_t>(count)}));
  if (escape_timer_ != 0) loop_.cancel_timer(std::exchange(escape_timer_, 0));
  if (!terminal_keys_.is_undecided()) return;
  escape_timer_ = loop_.call_at(loop_.clock().mono() + kSequencePause, [this] {
    escape_timer_ = 0;
    take_keys({terminal_keys_.end_escape()});
  });
}

void RunView::take_keys(const std::vector<Key>& keys) {
  if (keys.empty()) return;
  keys_.insert(keys_.end(), keys.begin(), keys.end());
  start_job();
}

void RunView::stop_keyboard() {
  if (key_watch_ != 0) loop_.unwatch(key_watch_);
  key_watch_ = 0;
  if (escape_timer_ != 0) loop_.cancel_timer(std::exchange(escape_timer_, 0));
  keyboard_.reset();
}

void RunView::read_and_show(Job& job) {
  const auto page =
      runs_.events(model_.run_id, {.after = model_.last_seq, .limit = kViewPage, .step = {}});
  if (!page) {
    // Shown, not fatal: the run is the engine's business, and the next wake tries again.
    last_error_ = "the log cannot be read: " + full_message(page.error());
  } else {
    last_error_.clear();
    job.more = page->size() == kViewPage;
    const bool events_are_lines =
        config_.mode == ViewMode::kJson || config_.mode == ViewMode::kPlain;
    if (events_are_lines) show_lines(*page);
    for (const store::StoredEvent& event : *page) {
      model_.apply(event.line);
      // Also when the line cannot be read: the cursor has to pass it.
      model_.last_seq = std::max(model_.last_seq, event.seq);
    }
  }
  for (const Key key : job.keys) {
    if (const auto decided = input_.on_key(key, model_.gates)) answer(*decided);
  }
  if (job.more) return;
  if (config_.mode == ViewMode::kLive) {
    if (job.resized) write(screen_.clear());
    draw(job.last);
  }
  if (job.last) close();
}

void RunView::close() {
  if (closing_) write(closing_(model_));
  if (config_.out != nullptr && !lost_) (void)config_.out->flush();
}

void RunView::show_lines(const std::vector<store::StoredEvent>& events) {
  std::string text;
  for (const store::StoredEvent& event : events) {
    const std::string line = config_.mode == ViewMode::kJson
                                 ? event.line
                                 : plain_line(event.line, config_.with_activity);
    if (!line.empty()) text += line + "\n";
  }
  write(text);
}

void RunView::draw(bool last) {
  // The terminal is held: what it has not taken yet would be outdated once it does.
  if (!last && config_.out->is_behind()) return;
  const TerminalSize size = terminal_size(config_.out_fd);
  RenderStyle style = config_.style;
  // One column less: a line that fills the last one makes some terminals wrap.
  style.width = std::max(1, size.width - 1);
  style.height = std::max(1, size.height - 1);
  std::vector<std::string> lines = render(model_, input_, loop_.clock().wall(), style);
  if (!last_error_.empty()) lines.back() = last_error_;
  // What ended is told by the summary; the last frame shows the steps once more.
  std::string bytes = screen_.update(lines);
  if (last) bytes += screen_.finish();
  write(bytes);
}

void RunView::write(std::string_view bytes) {
  if (lost_ || bytes.empty() || config_.mode == ViewMode::kSilent) return;
  if (!config_.out->write(bytes)) lost_ = true;
}

void RunView::answer(const GateAnswer& decided) {
  const auto gate = std::ranges::find(model_.gates, decided.gate_id, &GateView::gate_id);
  const Decision decision{.run_id = model_.run_id,
                          .step = gate == model_.gates.end() ? "" : gate->step,
                          .gate_id = decided.gate_id,
                          .choice = decided.choice,
                          .text = decided.text};
  if (const auto submitted = runs_.decide(decision); !submitted) {
    model_.warnings = {full_message(submitted.error())};
  }
}

}  // namespace wave::cli

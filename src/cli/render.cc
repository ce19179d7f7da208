#include "cli/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/style.h"
#include "flow/state.h"

namespace wave::cli {
namespace {

struct Sign {
  std::string_view status, unicode, ascii;
  Ink ink;
};

constexpr std::array kSigns{
    Sign{"pending", "·", ".", Ink::kFaint},  Sign{"ready", "·", ".", Ink::kFaint},
    Sign{"queued", "·", ".", Ink::kFaint},   Sign{"running", "●", "*", Ink::kBusy},
    Sign{"waiting", "?", "?", Ink::kWait},   Sign{"retrying", "↻", "~", Ink::kWait},
    Sign{"reworking", "↻", "~", Ink::kWait}, Sign{"interrupted", "!", "!", Ink::kWait},
    Sign{"completed", "✓", "+", Ink::kGood}, Sign{"completed_empty", "○", "o", Ink::kGood},
    Sign{"skipped", "-", "-", Ink::kFaint},  Sign{"failed", "✗", "x", Ink::kBad},
    Sign{"rejected", "✗", "x", Ink::kBad},   Sign{"cancelled", "✗", "x", Ink::kBad},
};

const Sign& sign_of(std::string_view status) {
  const auto found = std::ranges::find(kSigns, status, &Sign::status);
  return found == kSigns.end() ? kSigns.front() : *found;
}

bool is_active(const StepView& step) {
  return step.status == "running" || step.status == "waiting" || step.status == "retrying" ||
         step.status == "reworking" || step.status == "interrupted" || step.status == "ready";
}

bool is_done(const StepView& step) {
  return !is_active(step) && step.status != "pending";
}

/// Steps that are to be done: one that repairs others only counts once it was needed.
size_t total_steps(const ViewModel& model) {
  if (model.planned_steps == 0) return model.steps.size();
  return std::max(model.planned_steps,
                  static_cast<size_t>(std::ranges::count_if(model.steps, is_done)));
}

/// "0:05", "12:34", "1:02:03".
std::string elapsed(std::optional<WallTime> from, std::optional<WallTime> to, WallTime now) {
  if (!from) return {};
  const auto seconds = std::max<int64_t>(
      0, std::chrono::floor<std::chrono::seconds>(to.value_or(now) - *from).count());
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string usage_text(const UsageView& usage) {
  if (usage.tokens == 0 && usage.cost_usd <= 0) return {};
  std::string text = format_count(usage.tokens) + " tok";
  if (const std::string cost = format_cost(usage.cost_usd); !cost.empty()) text += " " + cost;
  return text;
}

struct Columns {
  int id = 4, persona = 0;
};

Columns columns_for(const ViewModel& model, int width) {
  Columns columns;
  for (const StepView& step : model.steps) {
    columns.id = std::max(columns.id, display_width(step.id));
    columns.persona = std::max(columns.persona, display_width(step.persona));
  }
  columns.id = std::min(columns.id, std::max(8, width / 4));
  columns.persona = width < 60 ? 0 : std::min(columns.persona, 16);
  return columns;
}

class Renderer {
 public:
  Renderer(const ViewModel& model, const GateInput& input, WallTime now, const RenderStyle& style)
      : model_(model),
        input_(input),
        now_(now),
        style_(style),
        ink_(style.colors),
        columns_(columns_for(model, style.width)) {}

  std::vector<std::string> run() {
    const std::vector<std::string> gate = gate_lines();
    const int fixed = 2 + static_cast<int>(gate.size()) + static_cast<int>(model_.warnings.size());
    add(head());
    add_steps(std::max(1, style_.height - fixed));
    for (const std::string& warning : model_.warnings) {
      add(ink_.paint(Ink::kWait, "  ! " + warning));
    }
    for (const std::string& line : gate) add(line);
    add(foot());
    if (lines_.size() > static_cast<size_t>(style_.height)) {
      lines_.erase(lines_.begin(), lines_.end() - style_.height);
    }
    return std::move(lines_);
  }

 private:
  void add(const std::string& line) { lines_.push_back(fit(line, style_.width, style_.unicode)); }

  std::string head() const {
    return fmt::format("{}  {}", ink_.paint(Ink::kBold, printable(model_.pipeline)),
                       ink_.paint(Ink::kFaint, model_.run_id));
  }

  void add_steps(int room) {
    const auto total = static_cast<int>(model_.steps.size());
    if (total <= room) {
      for (const StepView& step : model_.steps) add(step_line(step));
      return;
    }
    // Too many: what is going on, then what is next, and numbers for the rest.
    int done = 0, pending = 0, hidden_active = 0;
    room = std::max(1, room - 1);  // the line of numbers
    for (const StepView& step : model_.steps) {
      if (is_done(step)) {
        ++done;
      } else if (is_active(step) && room > 0) {
        add(step_line(step));
        --room;
      } else if (is_active(step)) {
        ++hidden_active;
      } else {
        ++pending;
      }
    }
    std::string rest = fmt::format("  {} {} done", style_.unicode ? "…" : "...", done);
    if (hidden_active > 0) rest += fmt::format(", {} more running", hidden_active);
    if (pending > 0) rest += fmt::format(", {} to come", pending);
    add(ink_.paint(Ink::kFaint, rest));
  }

  std::string step_line(const StepView& step) const {
    const Sign& sign = sign_of(step.status);
    std::string line =
        "  " + ink_.paint(sign.ink, style_.unicode ? sign.unicode : sign.ascii) + " ";
    const std::string id = fit_padded(printable(step.id), columns_.id, style_.unicode);
    line += step.status == "pending" ? ink_.paint(Ink::kFaint, id) : id;
    if (columns_.persona > 0) {
      line += "  " + ink_.paint(Ink::kFaint, fit_padded(printable(step.persona), columns_.persona,
                                                        style_.unicode));
    }
    line += "  " + fmt::format("{:>7}", elapsed(step.started, step.finished, now_));
    if (const std::string detail = step_detail(step); !detail.empty()) line += "  " + detail;
    return line;
  }

  std::string step_detail(const StepView& step) const {
    std::string detail;
    if (step.attempt > 1) detail = fmt::format("attempt {}", step.attempt);
    if (step.visit > 1)
      detail = fmt::format("visit {}{}{}", step.visit, detail.empty() ? "" : ", ", detail);
    const auto append = [&detail, this](const std::string& part) {
      if (part.empty()) return;
      if (!detail.empty()) detail += style_.unicode ? " · " : " - ";
      detail += part;
    };
    append(usage_text(step.usage));
    if (step.status == "pending" || step.status == "ready") return detail;
    if (!step.note.empty() && !(step.status == "running" && !step.activity.empty())) {
      const bool bad = step.status == "failed" || step.status == "rejected";
      append(bad && !step.tolerated ? ink_.paint(Ink::kBad, step.note) : step.note);
    }
    if (step.tolerated) append("the run goes on");
    if (is_active(step)) append(ink_.paint(Ink::kFaint, step.activity));
    return detail;
  }

  std::vector<std::string> gate_lines() const {
    const GateView* gate = input_.current(model_.gates);
    if (gate == nullptr) return {};
    std::vector<std::string> lines;
    std::string head = fmt::format("  {} {} waits for you", ink_.paint(Ink::kWait, "?"),
                                   ink_.paint(Ink::kBold, printable(gate->step)));
    if (model_.gates.size() > 1)
      head += fmt::format(" (and {} more, Tab)", model_.gates.size() - 1);
    if (gate->deadline) head += fmt::format(", until {}", format_time(*gate->deadline));
    lines.push_back(head);
    constexpr size_t kPromptLines = 6;
    const std::vector<std::string> prompt = split(printable_lines(trim(gate->prompt)), '\n');
    for (size_t i = 0; i < prompt.size() && i < kPromptLines; ++i) {
      if (!prompt[i].empty()) lines.push_back("    " + prompt[i]);
    }
    if (input_.typing()) {
      lines.push_back("    > " + printable(input_.text()) + (style_.unicode ? "▏" : "_"));
      lines.push_back(ink_.paint(Ink::kFaint, "    Enter sends, Esc goes back"));
      return lines;
    }
    std::string choices = "   ";
    for (const GateChoiceView& choice : gate->choices) {
      choices += fmt::format(" [{}] {}", ink_.paint(Ink::kWait, printable(choice.key)),
                             printable(choice.label));
      if (choice.key == gate->default_choice) choices += " (default)";
    }
    if (gate->choices.empty() && gate->freeform) choices += " type an answer";
    if (gate->choices.empty() && !gate->freeform) choices += " Enter lets it pass";
    if (!style_.answers) {
      choices += fmt::format("   answer: wave gate {} {}", model_.run_id, gate->step);
    }
    lines.push_back(choices);
    return lines;
  }

  std::string foot() const {
    const auto done = std::ranges::count_if(model_.steps, is_done);
    std::string line = fmt::format("  {} {}", elapsed(model_.started, model_.finished, now_),
                                   painted_status(model_.status, model_.status, style_.colors));
    if (!model_.waiting_reason.empty())
      line += fmt::format(" ({})", printable(model_.waiting_reason));
    line += fmt::format("  {}/{} steps", done, total_steps(model_));
    if (const std::string used = usage_text(model_.usage); !used.empty()) line += "  " + used;
    const bool at_rest = model_.is_terminal() || flow::is_stopped(model_.waiting_reason);
    if (at_rest) return line;
    std::string keys = "Ctrl-C stops";
    if (model_.stopping) keys = "stopping; Ctrl-C again cancels";
    if (model_.cancelling) keys = "cancelling; Ctrl-C again leaves it alone";
    return line + "  " + ink_.paint(Ink::kFaint, keys);
  }

  const ViewModel& model_;
  const GateInput& input_;
  WallTime now_;
  RenderStyle style_;
  Style ink_;
  Columns columns_;
  std::vector<std::string> lines_;
};

std::string ending(const ViewModel& model) {
  if (model.status == "waiting" && flow::is_stopped(model.waiting_reason)) return "stopped";
  return replace_all(model.status, "_empty", ", nothing to do");
}

}  // namespace

std::string status_sign(std::string_view status, bool unicode) {
  const Sign& sign = sign_of(status);
  return std::string(unicode ? sign.unicode : sign.ascii);
}

std::string painted_status(std::string_view status, std::string_view text, bool colors) {
  return Style(colors).paint(sign_of(status).ink, text);
}

std::vector<std::string> render(const ViewModel& model, const GateInput& input, WallTime now,
                                const RenderStyle& style) {
  return Renderer(model, input, now, style).run();
}

std::string render_summary(const ViewModel& model, WallTime now, const RenderStyle& style) {
  const Style ink(style.colors);
  const auto done = std::ranges::count_if(model.steps, is_done);
  std::string text = fmt::format(
      "{} {} {} in {}, {} of {} steps",
      painted_status(model.status, status_sign(model.status, style.unicode), style.colors),
      model.run_id, ending(model), elapsed(model.started, model.finished, now), done,
      total_steps(model));
  if (const std::string used = usage_text(model.usage); !used.empty()) text += ", " + used;
  text += "\n";
  for (const StepView& step : model.steps) {
    if (step.status != "failed" && step.status != "rejected") continue;
    text += fmt::format("  {} {}: {}{}\n", status_sign(step.status, style.unicode),
                        printable(step.id), step.note, step.tolerated ? " (tolerated)" : "");
  }
  const bool told = std::ranges::any_of(model.steps, [](const StepView& step) {
    return !step.note.empty() && step.status == "failed";
  });
  if (!told && !model.error_message.empty()) {
    text += fmt::format("  {}: {}\n", model.error_code, model.error_message);
  }
  constexpr size_t kMostArtifacts = 10;
  if (!model.artifacts.empty()) text += "  made:\n";
  for (size_t i = 0; i < model.artifacts.size() && i < kMostArtifacts; ++i) {
    const ArtifactView& artifact = model.artifacts[i];
    text += fmt::format("    {}/{}  {}\n", artifact.step, artifact.name,
                        ink.paint(Ink::kFaint, format_size(artifact.size)));
  }
  if (model.artifacts.size() > kMostArtifacts) {
    text += fmt::format("    and {} more\n", model.artifacts.size() - kMostArtifacts);
  }
  if (model.status == "waiting" || model.status == "failed" || model.status == "cancelled" ||
      model.status == "rejected") {
    text += fmt::format("  go on:   wave resume {}\n", model.run_id);
  }
  text +=
      fmt::format("  look:    wave status {0}, or wave logs, or wave artifacts\n", model.run_id);
  return text;
}

}  // namespace wave::cli

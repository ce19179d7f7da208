// ViewModel -> lines. Pure: the same values give the same lines.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/gate_input.h"
#include "cli/view_model.h"
#include "flow/event_text.h"

namespace wave::cli {

struct RenderStyle {
  int width = 80;   // no line is wider
  int height = 24;  // never more lines than this
  bool colors = false;
  bool unicode = true;
  bool answers = false;  // the keyboard can answer gates
};

/// The live view. Steps that do not fit are told by number; running and waiting ones come first.
std::vector<std::string> render(const ViewModel& model, const GateInput& input, WallTime now,
                                const RenderStyle& style);

/// The last lines of `wave run`: how it ended, what it made, what to type next.
std::string render_summary(const ViewModel& model, WallTime now, const RenderStyle& style);

using flow::plain_line;

/// The sign of a step's or run's status: "✓", or "+" without unicode.
std::string status_sign(std::string_view status, bool unicode);
/// A status with its colour.
std::string painted_status(std::string_view status, std::string_view text, bool colors);

}  // namespace wave::cli

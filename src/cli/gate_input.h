// Answering a waiting gate by key: press the choice's key, type a text where the gate takes one,
// Enter sends, Esc goes back.
#pragma once

#include <optional>
#include <string>

#include "cli/terminal_keys.h"
#include "cli/view_model.h"

namespace wave::cli {

struct GateAnswer {
  std::string gate_id, choice, text;
};

/// Keys come one byte at a time. What is pasted becomes text, and never decides. Answers the first
/// of the gates that wait; Tab goes to the next.
class GateInput {
 public:
  /// An answer, when `key` completed one.
  std::optional<GateAnswer> on_key(Key key, const std::vector<GateView>& gates);
  /// The gate that is being answered, or nullptr when none waits.
  [[nodiscard]] const GateView* current(const std::vector<GateView>& gates) const;
  [[nodiscard]] bool typing() const { return typing_; }
  [[nodiscard]] const std::string& text() const { return text_; }

  static constexpr size_t kMaxText = 4096;

 private:
  std::optional<GateAnswer> pick(char key, const GateView& gate);
  std::optional<GateAnswer> type(Key key, const GateView& gate);
  void reset();

  std::string gate_id_;  // the chosen one; empty: the first
  std::string choice_;
  std::string text_;
  bool typing_ = false;
};

}  // namespace wave::cli

#include "cli/gate_input.h"

#include <algorithm>

#include "base/text.h"

namespace wave::cli {
namespace {

constexpr char kTab = '\t';
constexpr char kEscape = '\x1b';
constexpr char kBackspace = '\x7f';
constexpr char kOldBackspace = '\b';

/// The choice a key stands for: by its own key, or by number when keys are longer than one letter.
const GateChoiceView* choice_of(char key, const GateView& gate) {
  const std::string pressed(1, key);
  for (const GateChoiceView& choice : gate.choices) {
    if (to_lower(choice.key) == to_lower(pressed)) return &choice;
  }
  if (key < '1' || key > '9') return nullptr;
  const auto index = static_cast<size_t>(key - '1');
  if (index >= gate.choices.size() || gate.choices[index].key.size() == 1) return nullptr;
  return &gate.choices[index];
}

void drop_last_character(std::string& text) {
  while (!text.empty()) {
    const bool continues = (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80;
    text.pop_back();
    if (!continues) return;
  }
}

}  // namespace

const GateView* GateInput::current(const std::vector<GateView>& gates) const {
  if (gates.empty()) return nullptr;
  const auto found = std::ranges::find(gates, gate_id_, &GateView::gate_id);
  return found == gates.end() ? &gates.front() : &*found;
}

std::optional<GateAnswer> GateInput::on_key(Key key, const std::vector<GateView>& gates) {
  const GateView* gate = current(gates);
  if (gate == nullptr) return std::nullopt;
  if (gate->gate_id != gate_id_) {
    reset();
    gate_id_ = gate->gate_id;
  }
  if (typing_) return type(key, *gate);
  if (key.pasted) return std::nullopt;
  if (key.byte == kTab && gates.size() > 1) {
    const auto at = static_cast<size_t>(gate - gates.data());
    gate_id_ = gates[(at + 1) % gates.size()].gate_id;
    return std::nullopt;
  }
  return pick(key.byte, *gate);
}

std::optional<GateAnswer> GateInput::pick(char key, const GateView& gate) {
  const GateChoiceView* choice = choice_of(key, gate);
  if (choice == nullptr && gate.choices.empty() && key == '\n') {
    return GateAnswer{gate.gate_id, {}, {}};
  }
  if (choice == nullptr && !(gate.choices.empty() && gate.freeform)) return std::nullopt;
  if (choice != nullptr) choice_ = choice->key;
  if (!gate.freeform) {
    const GateAnswer answer{gate.gate_id, choice_, {}};
    reset();
    return answer;
  }
  typing_ = true;
  if (choice == nullptr) return type({key}, gate);
  return std::nullopt;
}

std::optional<GateAnswer> GateInput::type(Key pressed, const GateView& gate) {
  const char key = pressed.byte;
  if (key == kEscape && !pressed.pasted) {
    reset();
    return std::nullopt;
  }
  if ((key == '\n' || key == '\r') && !pressed.pasted) {
    GateAnswer answer{gate.gate_id, choice_, text_};
    reset();
    return answer;
  }
  if (key == kBackspace || key == kOldBackspace) {
    drop_last_character(text_);
  } else if ((static_cast<unsigned char>(key) >= 0x20) && text_.size() < kMaxText) {
    text_ += key;
  }
  return std::nullopt;
}

void GateInput::reset() {
  choice_.clear();
  text_.clear();
  typing_ = false;
}

}  // namespace wave::cli

// Colours, and the width of text on a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/printable.h"

namespace wave::cli {

enum class Ink { kGood, kBad, kBusy, kWait, kFaint, kBold };

/// Puts colours around text, or leaves it alone.
class Style {
 public:
  explicit Style(bool colors) : colors_(colors) {}
  [[nodiscard]] std::string paint(Ink ink, std::string_view text) const;
  [[nodiscard]] bool colors() const { return colors_; }

 private:
  bool colors_;
};

/// Columns that `text` takes: combining characters none, East Asian wide ones and emoji two. Colour
/// codes count nothing.
int display_width(std::string_view text);
/// At most `width` columns of `text`, with "…" (or "...", without unicode) where it was cut. Colour
/// codes are kept whole, and reset when the cut leaves one open.
std::string fit(std::string_view text, int width, bool unicode = true);
/// fit, then filled with spaces to exactly `width`.
std::string fit_padded(std::string_view text, int width, bool unicode = true);

/// Rows in columns, two spaces apart, each line ending with a newline. The last column is not
/// padded.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace wave::cli

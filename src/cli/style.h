// Colours, safe text and its width on a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

/// `text` as one harmless line: valid UTF-8, line breaks and tabs become spaces, other control
/// characters are dropped. What agents, files and other people wrote passes through here before it
/// reaches a terminal.
std::string printable(std::string_view text);
/// The same, but line breaks stay.
std::string printable_lines(std::string_view text);

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

/// "812", "4.5k", "1.2M": for people.
std::string format_count(int64_t count);
/// "$0.0123" below a dollar, "$12.34" above; "" for nothing.
std::string format_cost(double usd);
/// "12.3 KB"
std::string format_size(int64_t bytes);

}  // namespace wave::cli

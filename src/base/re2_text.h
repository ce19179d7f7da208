// Text for RE2. Its string view is its own type or Abseil's, by release, and not every one of them
// converts from std::string_view.
#pragma once

#include <re2/stringpiece.h>

#include <string_view>

namespace wave {

inline re2::StringPiece re2_text(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace wave

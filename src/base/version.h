// Which wave this is. CMakeLists.txt says the same; ./dev lint compares the two.
#pragma once

#include <string_view>

namespace wave {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace wave

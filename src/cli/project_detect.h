// What kind of project this is, told by the files in its root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wave::cli {

struct Flavour {
  std::string_view name, language, test, lint, build, format, source_glob;
};

/// The first row of the table whose marker is among `files` (names in the project's root). A marker
/// may begin with "*." and then stands for an ending. nullptr: nothing is known.
const Flavour* detect_flavour(const std::vector<std::string>& files);

}  // namespace wave::cli

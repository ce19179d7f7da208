// The libraries that this program was built with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wave::cli {

/// One library. The name is that of its row in packaging/parts.json.
struct LinkedLibrary {
  std::string_view name;
  std::string version;  // as its makers count: "3.0.22", "20220601"
};

/// Everything that is linked into what is shipped, but for libc. Versions are what the libraries
/// say of themselves while they run, where they can; of those that are all headers, what the
/// compiler saw.
std::vector<LinkedLibrary> linked_libraries();

}  // namespace wave::cli

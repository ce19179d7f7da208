// The files of the demo project, as they lie in the binary. Defined by a generated source
// (cmake/demo.cmake).
#pragma once

#include <string_view>
#include <vector>

namespace wave::server {

struct DemoFile {
  std::string_view path;  // relative to the project's folder
  std::string_view content;
};

std::vector<DemoFile> demo_files();

}  // namespace wave::server

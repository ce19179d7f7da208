// The files of the browser application, as they lie in the binary. Defined by a generated source
// (cmake/web.cmake): without the application there are none.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace wave::server::web {

/// One file. The bytes are the program's own and live as long as it does.
struct EmbeddedAsset {
  std::string_view path;   // "/index.html"
  std::string_view type;   // its content type
  std::string_view hash;   // of its content
  bool immutable = false;  // its name carries its content's hash
  size_t size = 0;         // of the content, not compressed
  /// Either `plain` (what no compression helps), or `gzip` and `brotli`.
  std::string_view plain, gzip, brotli;
};

std::vector<EmbeddedAsset> embedded_assets();

}  // namespace wave::server::web

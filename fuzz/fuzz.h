// What fuzz targets share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace wave::fuzz {

/// The input as text.
inline std::string_view text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A law that holds for every input.
inline void require(bool law) {
  if (!law) std::abort();
}

}  // namespace wave::fuzz

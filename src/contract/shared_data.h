// For tests: data that others made, beside the checkout or where WAVE_SHARED points.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/json.h"

namespace wave::contract {

/// The path of a piece of shared data; nothing when it is not there.
inline std::optional<std::filesystem::path> shared_path(const std::string& relative) {
  const char* given = std::getenv("WAVE_SHARED");
  const std::filesystem::path root =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(__FILE__).parent_path() / "../../../shared";
  std::error_code error;
  const std::filesystem::path path = root / relative;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return path;
}

/// Parses a file that has to be JSON.
inline json::value read_shared_json(const std::filesystem::path& path) {
  return parse_json(read_file(path, 64 << 20).value()).value();
}

}  // namespace wave::contract

/// Skips the test where something is missing, except in CI, where it has to be there.
#define WAVE_SKIP_OUTSIDE_CI(reason)                      \
  do {                                                    \
    if (std::getenv("CI") != nullptr) FAIL() << (reason); \
    GTEST_SKIP() << (reason);                             \
  } while (false)

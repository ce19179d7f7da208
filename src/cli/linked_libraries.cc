#include "cli/linked_libraries.h"

#include <fmt/format.h>
#include <libfyaml.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <sqlite3.h>
#include <zlib.h>

#include <CLI/Version.hpp>
#include <array>
#include <boost/version.hpp>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#ifdef WAVE_RE2_USES_ABSEIL
#include <absl/base/config.h>
#endif

namespace wave::cli {
namespace {

/// "10.42 2022-12-11", without the day.
std::string pcre2_release() {
  std::array<char, 64> text{};
  if (::pcre2_config(PCRE2_CONFIG_VERSION, nullptr) > static_cast<int>(text.size())) return {};
  ::pcre2_config(PCRE2_CONFIG_VERSION, text.data());
  const std::string_view release = text.data();
  return std::string(release.substr(0, release.find(' ')));
}

}  // namespace

std::vector<LinkedLibrary> linked_libraries() {
  return {
      {"Boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000,
                            BOOST_VERSION % 100)},
      {"OpenSSL", ::OpenSSL_version(OPENSSL_VERSION_STRING)},
      {"SQLite", ::sqlite3_libversion()},
      {"libfyaml", ::fy_library_version()},
      {"RE2", WAVE_RE2_RELEASE},
#ifdef WAVE_RE2_USES_ABSEIL
      {"Abseil", fmt::format("{}.{}", ABSL_LTS_RELEASE_VERSION, ABSL_LTS_RELEASE_PATCH_LEVEL)},
#endif
      {"PCRE2", pcre2_release()},
      {"zlib", ::zlibVersion()},
      {"fmt",
       fmt::format("{}.{}.{}", FMT_VERSION / 10'000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"spdlog", fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
      {"CLI11", CLI11_VERSION},
      // libgcc comes with it, and has its version.
      {"libstdc++", fmt::format("{}", _GLIBCXX_RELEASE)},
  };
}

}  // namespace wave::cli

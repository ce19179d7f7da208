// What a program says is in it, and what the papers say that are shipped with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "support/wave.h"

namespace wave::test {
namespace {

json::object in_table(const std::string& name) {
  const std::filesystem::path table =
      std::filesystem::path(WAVE_SOURCE_DIR) / "packaging/parts.json";
  for (const json::value& row :
       parsed(read_file(table, 1 << 20).value_or("{}")).at("linked").as_array()) {
    if (row.at("name").as_string() == name) return row.as_object();
  }
  return {};
}

TEST(Version, NamesEveryLibraryThatTheTableOfPartsHas) {
  const Project project;
  const Exit exit = wave(project, {"version", "--json"});
  ASSERT_EQ(exit.code, 0) << exit.err;
  const json::value about = parsed(exit.out);
  EXPECT_TRUE(about.at("browser_application").is_bool());
  const json::object& libraries = about.at("libraries").as_object();
  for (const auto& [name, version] : libraries) {
    EXPECT_FALSE(in_table(name).empty()) << std::string(name) << " is not in packaging/parts.json";
    EXPECT_FALSE(version.as_string().empty()) << std::string(name);
  }
  for (const char* name : {"Boost", "OpenSSL", "SQLite", "libfyaml", "RE2", "PCRE2", "zlib", "fmt",
                           "spdlog", "CLI11", "libstdc++"}) {
    EXPECT_TRUE(libraries.contains(name)) << name;
  }
}

TEST(Version, WithoutJsonItIsOneLine) {
  const Project project;
  EXPECT_THAT(wave(project, {"version"}).out, ::testing::MatchesRegex("wave [0-9.]+\n"));
}

}  // namespace
}  // namespace wave::test

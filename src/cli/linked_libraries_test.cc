#include "cli/linked_libraries.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <set>

namespace wave::cli {
namespace {

TEST(LinkedLibraries, EachHasOneNameAndAVersionThatCounts) {
  std::set<std::string_view> names;
  for (const LinkedLibrary& library : linked_libraries()) {
    EXPECT_TRUE(names.insert(library.name).second) << library.name;
    EXPECT_TRUE(re2::RE2::FullMatch(library.version, R"([0-9]+(\.[0-9]+){0,3})") &&
                library.version.find_first_not_of("0.") != std::string::npos)
        << library.name << " says " << library.version;
  }
  EXPECT_GE(names.size(), 11u);
}

}  // namespace
}  // namespace wave::cli

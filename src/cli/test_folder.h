// A temporary folder for tests of this room; gone when the test is.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/file.h"

namespace wave::cli {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (fs::temp_directory_path() / "wave-cli-XXXXXX").string();
    const char* made = ::mkdtemp(name.data());
    EXPECT_NE(made, nullptr);
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  void write(const std::string& file, std::string_view text, mode_t mode = 0644) const {
    ASSERT_TRUE(make_directories((path_ / file).parent_path()).has_value());
    ASSERT_TRUE(write_file(path_ / file, text, mode).has_value());
  }

 private:
  fs::path path_;
};

}  // namespace wave::cli

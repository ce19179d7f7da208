#include "model/file_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace wave::model {
namespace {

using testing::ElementsAre;

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "wave-model-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    ASSERT_TRUE(make_directories(root_ / "p/a"));
    ASSERT_TRUE(write_file(root_ / "p/wave.yaml", "x"));
    ASSERT_TRUE(write_file(root_ / "p/a/2.md", "two"));
    ASSERT_TRUE(write_file(root_ / "p/a/1.md", "one"));
    ASSERT_TRUE(write_file(root_ / "secret", "s"));
    fs::create_symlink("../secret", root_ / "p/link");
    fs::create_symlink("a/1.md", root_ / "p/inner");
  }
  void TearDown() override { fs::remove_all(root_); }
  fs::path root_;
};

TEST_F(Folder, ReadsWithinTheRootOnly) {
  const DiskSource files(root_ / "p");
  EXPECT_EQ(files.read("wave.yaml").value(), "x");
  EXPECT_EQ(files.read("./a//1.md").value(), "one");
  EXPECT_EQ(files.read("inner").value(), "one");
  EXPECT_EQ(files.read("nothing").error().code, Code::kNotFound);
  EXPECT_EQ(files.read("a").error().code, Code::kNotFound);
  EXPECT_EQ(files.read("../secret").error().code, Code::kPathEscape);
  EXPECT_EQ(files.read("a/../../secret").error().code, Code::kPathEscape);
  EXPECT_EQ(files.read((root_ / "secret").string()).error().code, Code::kPathEscape);
  EXPECT_EQ(files.read("link").error().code, Code::kPathEscape);
}

TEST_F(Folder, SizesAreBounded) {
  const DiskSource files(root_ / "p");
  ASSERT_TRUE(write_file(root_ / "p/big", std::string(FileSource::kMaxBytes + 1, 'x')));
  EXPECT_EQ(files.read("big").error().code, Code::kLimit);
  const MemorySource memory({{"big", std::string(FileSource::kMaxBytes + 1, 'x')}});
  EXPECT_EQ(memory.read("big").error().code, Code::kLimit);
}

TEST_F(Folder, ListsFilesSorted) {
  const DiskSource files(root_ / "p");
  EXPECT_THAT(files.list("a"), ElementsAre("1.md", "2.md"));
  EXPECT_TRUE(files.list("nothing").empty());
  EXPECT_TRUE(files.list("..").empty());
}

TEST(MemorySource, ActsLikeAFolder) {
  const MemorySource files({{"a/1", "x"}, {"a/b/2", "y"}, {"ab", "z"}, {"a/0", ""}});
  EXPECT_THAT(files.list("a"), ElementsAre("0", "1"));
  EXPECT_THAT(files.list("a/b/"), ElementsAre("2"));
  EXPECT_THAT(files.list(""), ElementsAre("ab"));
  EXPECT_EQ(files.read("./a/b/2").value(), "y");
  EXPECT_EQ(files.read("../x").error().code, Code::kPathEscape);
}

// A source whose files change with every read.
class Changing final : public FileSource {
 public:
  Result<std::string> read(std::string_view path) const override {
    if (path == "gone") return fail(Code::kNotFound, "gone");
    return std::string(path) + std::to_string(++reads);
  }
  std::vector<std::string> list(std::string_view) const override { return {"x"}; }
  mutable int reads = 0;
};

TEST(RecordingSource, ReadsEachFileOnce) {
  const Changing inner;
  const RecordingSource files(inner);
  EXPECT_EQ(files.read("a").value(), "a1");
  EXPECT_EQ(files.read("./a").value(), "a1");
  EXPECT_EQ(files.read("b").value(), "b2");
  EXPECT_EQ(files.read("gone").error().code, Code::kNotFound);
  EXPECT_EQ(inner.reads, 2);
  EXPECT_THAT(files.files(),
              testing::UnorderedElementsAre(testing::Pair("a", "a1"), testing::Pair("b", "b2")));
}

}  // namespace
}  // namespace wave::model

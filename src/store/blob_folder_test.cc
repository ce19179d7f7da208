#include "store/blob_folder.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "store/test_support.h"

namespace wave::store {
namespace {

TEST(BlobFolder, AFolderThatCannotBeWrittenIsTheStoresTrouble) {
  const TemporaryProject project;
  const fs::path folder = project.path() / "blobs";
  ASSERT_OK(write_file(folder, "in the way"));
  BlobFolder blobs(folder);
  const std::array<std::string_view, 1> contents{"one"};
  EXPECT_FAILS(blobs.put(contents), Code::kStore);
  fs::remove(folder);
  EXPECT_OK(blobs.put(contents));
}

}  // namespace
}  // namespace wave::store

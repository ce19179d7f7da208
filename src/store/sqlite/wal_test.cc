// The write-ahead log stays bounded, also under readers that never pause.
#include <gtest/gtest.h>

#include <thread>

#include "store/store.h"
#include "store/test_support.h"

namespace wave::store {
namespace {

TEST(Promises, O9_TheWalIsEmptiedThoughSomebodyAlwaysReads) {
  constexpr uint64_t kAppends = 60;
  constexpr size_t kEventBytes = 1 << 20;
  constexpr uint64_t kMostBytes = 44ull << 20;  // 32 MiB, and what came while readers were asked
  const TemporaryProject project;
  auto opened = open_store(project.paths());
  ASSERT_OK(opened);
  Store& store = **opened;
  ASSERT_OK(store.create_run(new_run("r-1")));
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&store](const std::stop_token& stop) {
      while (!stop.stop_requested()) (void)store.events("r-1", {.after = 0, .limit = 4});
    });
  }
  const auto wal = project.paths().database().native() + "-wal";
  uint64_t largest = 0;
  const std::string text(kEventBytes, 'x');
  for (uint64_t seq = 2; seq < kAppends + 2; ++seq) {
    flow::Event said = event("r-1", seq, flow::Kind::kStreamActivity, "build", {{"text", text}});
    ASSERT_OK(store.append_and_wait(append_of("r-1", {std::move(said)})));
    largest = std::max<uint64_t>(largest, std::filesystem::file_size(wal));
  }
  EXPECT_LT(largest, kMostBytes);
}

}  // namespace
}  // namespace wave::store

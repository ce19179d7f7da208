// What tests of followers share: a loop with a hub, and a record of what a follower delivered.
#pragma once

#include <fmt/core.h>

#include "base/asio_loop.h"
#include "process/follower.h"
#include "process/test_support.h"

namespace wave::process {

/// What a follower delivered, checked for order and gaps on the way.
struct Collected {
  std::string out, err;
  uint64_t out_start = 0, err_start = 0;
  std::vector<HostExit> exits;
  size_t largest = 0, deliveries = 0;

  FollowHandlers handlers(std::function<void()> after_exit = {}) {
    return {.on_bytes =
                [this](bool is_err, uint64_t offset, std::string_view bytes) {
                  std::string& text = is_err ? err : out;
                  EXPECT_EQ(offset, (is_err ? err_start : out_start) + text.size());
                  EXPECT_TRUE(exits.empty()) << "bytes after the end";
                  text += bytes;
                  largest = std::max(largest, bytes.size());
                  ++deliveries;
                },
            .on_exit =
                [this, after = std::move(after_exit)](const HostExit& exit) {
                  exits.push_back(exit);
                  if (after) after();
                }};
  }
};

class FollowerTest : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    launcher();  // before the loop's threads
    loop_.emplace();
    hub_.emplace(*loop_);
  }

  void TearDown() override {
    hub_.reset();
    loop_.reset();
    ProcessTest::TearDown();
  }

  /// Runs the loop until it is stopped; the test fails when that takes too long.
  void run_loop() {
    bool late = false;
    const auto timer = loop_->call_at(loop_->clock().mono() + kTestPatience, [&] {
      late = true;
      loop_->stop();
    });
    loop_->run();
    loop_->cancel_timer(timer);
    EXPECT_FALSE(late) << "the loop was not stopped in time";
  }

  std::unique_ptr<Follower> attach(const HostRequest& request, FollowHandlers handlers,
                                   uint64_t out = 0, uint64_t err = 0) {
    auto follower = Follower::attach(*hub_, request.dir, out, err, std::move(handlers));
    if (!follower) {
      ADD_FAILURE() << full_message(follower.error());
      return nullptr;
    }
    return std::move(*follower);
  }

  std::optional<AsioLoop> loop_;
  std::optional<FollowerHub> hub_;
};

}  // namespace wave::process

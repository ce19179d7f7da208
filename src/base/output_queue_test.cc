#include "base/output_queue.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <future>

#include "base/text.h"

namespace wave {
namespace {

using namespace std::chrono_literals;

/// A pipe whose reader reads when the test says so.
class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    in_.reset(ends[1]);
    out_.reset(ends[0]);
    ::signal(SIGPIPE, SIG_IGN);
  }
  [[nodiscard]] int in() const { return in_.get(); }
  void close_reader() { out_.reset(); }
  void close_writer() { in_.reset(); }
  std::string read_some(size_t count) {
    std::string bytes(count, '\0');
    const ssize_t got = ::read(out_.get(), bytes.data(), count);
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(0, got)));
    return bytes;
  }
  /// Reads until `text` has come; what came, at the end of the pipe or after ten seconds.
  std::string read_until(std::string_view text) {
    std::string all;
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!all.contains(text) && std::chrono::steady_clock::now() < end) {
      pollfd wait{out_.get(), POLLIN, 0};
      if (::poll(&wait, 1, 100) <= 0) continue;
      const std::string more = read_some(64 << 10);
      if (more.empty()) break;
      all += more;
    }
    return all;
  }

 private:
  UniqueFd in_, out_;
};

OutputQueueOptions for_log() {
  return {.bound = 1 << 10, .outlives_failures = true, .lost = [](uint64_t count) {
            return fmt::format("lost {}\n", count);
          }};
}

TEST(OutputQueue, WritesInOrderWhateverTheReaderDoes) {
  Pipe pipe;
  OutputQueue queue(pipe.in());
  std::string all;
  for (int i = 0; i < 100'000; ++i) all += fmt::format("line {}\n", i);
  all += "end.";
  auto reader = std::async(std::launch::async, [&] { return pipe.read_until("end."); });
  for (size_t at = 0; at < all.size(); at += 1000) {
    ASSERT_TRUE(queue.write(std::string_view(all).substr(at, 1000)));
  }
  EXPECT_TRUE(queue.end());
  EXPECT_EQ(reader.get(), all);
}

TEST(OutputQueue, AnOfferNeverWaitsAndSaysLaterWhatWasLost) {
  Pipe pipe;
  OutputQueue queue(pipe.in(), for_log());
  uint64_t offered = 0, refused = 0;
  for (; refused < 50; ++offered) {
    refused += queue.offer(std::string(100, 'x') + "\n") ? 0 : 1;
  }
  auto reader = std::async(std::launch::async, [&] { return pipe.read_until("the end\n"); });
  EXPECT_TRUE(queue.settle(Millis(30'000)));
  ASSERT_TRUE(queue.offer("the end\n"));
  const std::string read = reader.get();
  uint64_t lines = 0, lost = 0;
  for (const std::string& line : split(read, '\n')) {
    lines += line.starts_with('x') ? 1 : 0;
    if (line.starts_with("lost ")) lost += std::stoull(line.substr(5));
  }
  EXPECT_EQ(lost, refused);
  EXPECT_EQ(lines + lost, offered);
}

// A logger offers with its own lock held, and needs that lock to say what was lost.
TEST(OutputQueue, WhoeverSaysWhatWasLostMayHaveALockOfHisOwn) {
  Pipe pipe;
  std::mutex of_logger;
  std::promise<void> asked;
  OutputQueueOptions options = for_log();
  options.lost = [&](uint64_t count) {
    asked.set_value();
    const std::scoped_lock lock(of_logger);
    return fmt::format("lost {}\n", count);
  };
  OutputQueue queue(pipe.in(), std::move(options));
  std::unique_lock lock(of_logger);
  while (queue.offer(std::string(100, 'x') + "\n")) {
  }
  auto reader = std::async(std::launch::async, [&] { return pipe.read_until("the end\n"); });
  ASSERT_EQ(asked.get_future().wait_for(10s), std::future_status::ready);
  auto offer = std::async(std::launch::async, [&] { return queue.offer("the end\n"); });
  EXPECT_EQ(offer.wait_for(10s), std::future_status::ready) << "the queue waits for the logger";
  lock.unlock();
  EXPECT_TRUE(offer.get());
  EXPECT_TRUE(reader.get().contains("lost 1\n"));
}

TEST(OutputQueue, EndsAlthoughNobodyReads) {
  Pipe pipe;
  OutputQueue queue(pipe.in());
  auto writer = std::async(std::launch::async, [&] {
    while (queue.write(std::string(10'000, 'x'))) {
    }
  });
  queue.give_up_after(Millis(30));
  writer.get();
  const Status ended = queue.end();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::kInterrupted);
}

/// Where the descriptor's file cannot be opened again (a terminal of another user), writes block.
TEST(OutputQueue, EndsAlthoughAWriteBlocks) {
  Pipe pipe;
  // Room for a few bytes only: the write that poll(2) allowed waits for the rest. A queue of
  // another process fills the pipe in the same moment.
  const OutputQueueOptions blocking{.bound = 1 << 20, .reopens = false};
  OutputQueue queue(pipe.in(), blocking), other(pipe.in(), blocking);
  for (int i = 0; i < 200; ++i) {
    (void)queue.offer(std::string(4096, 'a'));
    (void)other.offer(std::string(4096, 'b'));
  }
  queue.give_up_after(Millis(10));
  other.give_up_after(Millis(10));
  (void)queue.end();
  (void)other.end();
}

TEST(OutputQueue, WhatHasRoomAfterTheDeadlineIsStillWritten) {
  Pipe pipe;
  OutputQueue queue(pipe.in());
  queue.give_up_after(Millis(0));
  EXPECT_TRUE(queue.write("last words\n"));
  EXPECT_TRUE(queue.end());
  EXPECT_EQ(pipe.read_some(100), "last words\n");
}

TEST(OutputQueue, AReaderThatIsGoneIsTold) {
  Pipe pipe;
  pipe.close_reader();
  OutputQueue queue(pipe.in());
  (void)queue.write("x");
  const Status flushed = queue.flush();
  ASSERT_FALSE(flushed);
  EXPECT_TRUE(is_reader_gone(flushed.error()));
  EXPECT_FALSE(queue.write("y"));
}

TEST(OutputQueue, AFullDiskIsNoSuccess) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full.valid()) GTEST_SKIP() << "no /dev/full here";
  OutputQueue queue(full.get());
  (void)queue.write("x");
  const Status ended = queue.end();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::kDiskFull);
}

}  // namespace
}  // namespace wave

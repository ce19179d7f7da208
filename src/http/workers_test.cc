#include "http/workers.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <new>

#include "http/test_support.h"

namespace wave::http {
namespace {

// In each test the workers are declared last: they end before what their work refers to.

bool hand_in(Workers& workers, const std::string& client, Workers::Work work) {
  return workers.submit(client, work);
}

TEST(WorkersOfRequests, ClientsTakeTurns) {
  std::promise<void> let_go;
  std::mutex mutex;
  std::string order;
  const auto note = [&](char who) {
    return [&, who] {
      const std::scoped_lock lock(mutex);
      order += who;
    };
  };
  Workers workers({.threads = 1, .max_queued = 100});
  ASSERT_TRUE(hand_in(workers, "greedy", [&] { let_go.get_future().wait(); }));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(hand_in(workers, "greedy", note('g')));
  ASSERT_TRUE(hand_in(workers, "modest", note('m')));
  ASSERT_TRUE(hand_in(workers, "other", note('o')));
  let_go.set_value();
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return order.size() == 7;
  }));
  EXPECT_EQ(order, "moggggg");  // who had a thread waits behind who had none
}

TEST(WorkersOfRequests, NoClientHasAllThreads) {
  std::promise<void> let_go;
  const std::shared_future<void> held = let_go.get_future().share();
  std::atomic<int> running = 0;
  std::atomic<bool> done = false;
  Workers workers({.threads = 4, .max_queued = 100});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(hand_in(workers, "greedy", [&] {
      ++running;
      held.wait();
    }));
  }
  ASSERT_TRUE(eventually([&] { return running == 3; }));
  ASSERT_TRUE(hand_in(workers, "modest", [&] { done = true; }));
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  EXPECT_EQ(running, 3);
  let_go.set_value();
  EXPECT_TRUE(eventually([&] { return running == 10; }));
}

TEST(WorkersOfRequests, HalfOfTheQueueIsForOthers) {
  std::promise<void> let_go;
  std::atomic<bool> busy = false;
  Workers workers({.threads = 1, .max_queued = 10});
  ASSERT_TRUE(hand_in(workers, "greedy", [&] {
    busy = true;
    let_go.get_future().wait();
  }));
  ASSERT_TRUE(eventually([&] { return busy.load(); }));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(hand_in(workers, "greedy", [] {}));
  EXPECT_FALSE(hand_in(workers, "greedy", [] {}));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(hand_in(workers, "modest", [] {}));
  EXPECT_FALSE(hand_in(workers, "third", [] {}));
  let_go.set_value();
}

TEST(WorkersOfRequests, GoOnAfterWorkThatThrew) {
  std::atomic<bool> done = false;
  Workers workers({.threads = 1, .max_queued = 10});
  ASSERT_TRUE(hand_in(workers, "a", [] { throw std::bad_alloc(); }));
  ASSERT_TRUE(hand_in(workers, "a", [&] { done = true; }));
  EXPECT_TRUE(eventually([&] { return done.load(); }));
}

}  // namespace
}  // namespace wave::http

#include "store/sqlite/webhook_rows.h"

#include <gmock/gmock.h>

#include "store/test_support.h"

namespace wave::store {
namespace {

constexpr Millis kWeek = std::chrono::hours(7 * 24);
constexpr Millis kMonth = std::chrono::hours(30 * 24);

class WebhookRows : public ::testing::Test {
 protected:
  WebhookRows() { reopen(); }
  void reopen() {
    store_.reset();
    auto opened = open_store(project_.paths());
    if (!opened) throw std::runtime_error(full_message(opened.error()));
    store_ = *std::move(opened);
  }
  static WebhookDelivery delivery(std::string id, std::string body, int64_t at = 0) {
    WebhookDelivery made;
    made.webhook = "gh";
    made.delivery = std::move(id);
    made.body_hash = std::move(body);
    made.received_at = at_ms(at);
    made.event = "issue";
    return made;
  }
  WebhookStore::Begun begin(const WebhookDelivery& made, Millis same_body_for = kWeek) {
    auto begun = store_->webhooks()->begin_delivery(made, same_body_for, kMonth);
    EXPECT_TRUE(begun) << (begun ? "" : full_message(begun.error()));
    return begun.value_or(WebhookStore::Begun{});
  }
  void started(int64_t id) {
    EXPECT_TRUE(store_->webhooks()->end_delivery(id, "started", "run-1", ""));
  }

  TemporaryProject project_;
  std::unique_ptr<Store> store_;
};

TEST_F(WebhookRows, A7_WhatStartedARunIsKnownAgainAfterARestart) {
  const auto first = begin(delivery("d1", "h1"));
  EXPECT_FALSE(first.earlier);
  started(first.id);
  reopen();
  const auto again = begin(delivery("d1", "other body"));
  ASSERT_TRUE(again.earlier);
  EXPECT_EQ(again.earlier->run_id, "run-1");
  EXPECT_EQ(again.id, first.id);
  const auto same_body = begin(delivery("d2", "h1"));
  ASSERT_TRUE(same_body.earlier);
  EXPECT_EQ(store_->webhooks()->deliveries("gh", 0, 10)->front().repeats, 2);
}

TEST_F(WebhookRows, ABodyCountsForAWeekAndAnotherWebhooksNever) {
  started(begin(delivery("d1", "h1")).id);
  EXPECT_TRUE(begin(delivery("d2", "h1", kWeek.count() - 1)).earlier);
  EXPECT_FALSE(begin(delivery("d3", "h1", kWeek.count() + 1)).earlier);
  WebhookDelivery other = delivery("d1", "h1");
  other.webhook = "gl";
  EXPECT_FALSE(begin(other).earlier);
  EXPECT_FALSE(begin(delivery("d4", "h1"), Millis(0)).earlier);
}

TEST_F(WebhookRows, WhatStartedNothingIsBegunOnceMoreUnderItsNumber) {
  const auto first = begin(delivery("d1", "h1"));
  EXPECT_TRUE(store_->webhooks()->end_delivery(first.id, "failed", "", "no room"));
  const auto again = begin(delivery("d1", "h1"));
  EXPECT_FALSE(again.earlier);
  EXPECT_EQ(again.id, first.id);
  started(again.id);
  // A slower twin does not take it back.
  EXPECT_TRUE(store_->webhooks()->end_delivery(first.id, "failed", "", "late"));
  EXPECT_EQ(store_->webhooks()->deliveries("gh", 0, 10)->front().outcome, "started");
}

TEST_F(WebhookRows, OldDeliveriesAreForgotten) {
  (void)begin(delivery("d1", "h1"));
  (void)begin(delivery("d2", "h2", kMonth.count() + 1));
  const auto list = store_->webhooks()->deliveries("gh", 0, 10);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().delivery, "d2");
}

TEST_F(WebhookRows, DeliveriesWithoutAnIdAreManyOnes) {
  EXPECT_NE(begin(delivery("", "h1")).id, begin(delivery("", "h2")).id);
}

TEST_F(WebhookRows, FiguresCountRunsEventsAndGates) {
  ASSERT_TRUE(store_->create_run(new_run("a")));
  ASSERT_TRUE(store_->create_run(new_run("b")));
  ASSERT_TRUE(store_->append_and_wait(end_of("a", 2)));
  const auto figures = store_->figures();
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->runs.at("queued"), 1);
  EXPECT_EQ(figures->runs.at("completed"), 1);
  EXPECT_EQ(figures->runs.at("failed"), 0);
  EXPECT_EQ(figures->events, 3);
  EXPECT_EQ(figures->waiting_gates, 0);
}

}  // namespace
}  // namespace wave::store

#include <gtest/gtest.h>

#include "server/test_services.h"

namespace wave::server {
namespace {

class QueueRoutes : public ::testing::Test {
 protected:
  QueueRoutes() { add_queue_routes(table_); }

  TestServices test_;
  RouteTable table_;
};

TEST_F(QueueRoutes, SayWhatHoldsASlotAndWhatWaits) {
  test_.queue.shown.max_concurrent = 2;
  test_.queue.shown.running.push_back({.run_id = "a", .pipeline = "p", .status = "running"});
  test_.queue.shown.waiting.push_back(
      {.run_id = "b", .pipeline = "p", .actor = "me", .status = "queued", .position = 1});
  const auto response = test_.call(table_, "getQueue", {.method = "GET", .path = "/api/queue"});
  ASSERT_TRUE(response) << full_message(response.error());
  const auto answer = parse_json(body_text(*response));
  ASSERT_TRUE(answer);
  const auto schema = all_schemas().compile("Queue", Schemas::Openness::kClosed);
  ASSERT_TRUE(schema) << full_message(schema.error());
  const auto checked = schema->validate(*answer);
  ASSERT_TRUE(checked);
  EXPECT_TRUE(checked->empty()) << body_text(*response);
  const json::object& queue = answer->as_object();
  EXPECT_EQ(get_int(queue, "max_concurrent"), 2);
  EXPECT_EQ(get_int(queue, "waiting_total"), 1);
  const json::object& waiting = get_array(queue, "waiting").at(0).as_object();
  EXPECT_EQ(get_int(waiting, "position"), 1);
  EXPECT_EQ(get_string(waiting, "actor"), "me");
  EXPECT_TRUE(get_array(queue, "running").at(0).as_object().at("position").is_null());
}

}  // namespace
}  // namespace wave::server

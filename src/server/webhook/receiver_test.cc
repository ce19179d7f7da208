#include "server/webhook/receiver.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/hash.h"
#include "server/test_services.h"
#include "server/webhook/signature.h"

namespace wave::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

class WebhookReceiver : public ::testing::Test {
 protected:
  WebhookReceiver() {
    add_webhook_routes(table_);
    test_.write("wave.yaml", "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: t}\n");
    write_pipeline();
    test_.services->environment["HOOK_SECRET"] = kSecret;
    webhook_.name = "gh";
    webhook_.secret = "${HOOK_SECRET}";
    webhook_.events = {"issue"};
    webhook_.pipeline = "p";
    webhook_.input = "#{{ number }} {{ title }}";
    webhook_.tags = {{"issue", "{{ number }}"}};
    configure();
  }

  void write_pipeline() {
    test_.write(".agents/pipelines/p.yaml",
                "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n"
                "  - {id: a, type: command, script: \"true\"}\n");
  }
  void configure() {
    model::Manifest manifest;
    manifest.server.emplace().webhooks = {webhook_};
    test_.set_manifest(manifest);
  }
  static std::string issue(int number) {
    return fmt::format(R"({{"action":"opened","issue":{{"number":{},"title":"Crash"}},)"
                       R"("sender":{{"login":"ada"}}}})",
                       number);
  }
  static http::Request request(const std::string& body, const std::string& delivery,
                               std::string_view secret = kSecret) {
    http::Request made{.method = "POST", .path = "/api/hooks/gh", .body = body};
    made.headers.set("X-GitHub-Event", "issues");
    if (!delivery.empty()) made.headers.set("X-GitHub-Delivery", delivery);
    std::string hex;
    for (const char byte : webhook::hmac_sha256(secret, body)) {
      hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    made.headers.set("X-Hub-Signature-256", "sha256=" + hex);
    return made;
  }
  Result<http::Response> send(const http::Request& made, const std::string& name = "gh") {
    return test_.call(table_, "receiveWebhook", made, {{"name", name}});
  }
  json::object sent(const http::Request& made, int status = 202) {
    const auto response = send(made);
    EXPECT_TRUE(response) << (response ? "" : full_message(response.error()));
    if (!response) return {};
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(schema_errors("HookAnswer", *response), "");
    return parse_json(body_text(*response))->as_object();
  }
  size_t runs() { return test_.store->list_runs({})->size(); }

  TestServices test_;
  RouteTable table_;
  model::Webhook webhook_;
};

TEST_F(WebhookReceiver, ASignedDeliveryStartsARunWithItsValues) {
  const json::object answer = sent(request(issue(7), "d1"));
  EXPECT_EQ(get_string(answer, "outcome"), "started");
  const std::string run(get_string(answer, "run_id"));
  const auto details = test_.store->run(run);
  ASSERT_TRUE(details);
  EXPECT_EQ(details->row.actor, "webhook:gh");
  EXPECT_EQ(details->row.input, "#7 Crash");
  EXPECT_EQ(get_string(details->row.tags, "issue"), "7");
  EXPECT_THAT(test_.queue.started, ::testing::ElementsAre(run));
}

TEST_F(WebhookReceiver, A7_WhoDoesNotKnowTheSecretLearnsNothing) {
  const auto refused = send(request(issue(1), "d1", "another secret altogether"));
  const auto unknown = send(request(issue(1), "d1"), "nobody");
  http::Request unsigned_one = request("{ not even json", "d1");
  unsigned_one.headers = {};
  const auto bare = send(unsigned_one);
  ASSERT_TRUE(refused && unknown && bare);
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(body_text(*refused), body_text(*unknown));
  EXPECT_EQ(body_text(*refused), body_text(*bare));
  EXPECT_EQ(runs(), 0u);
  EXPECT_TRUE(test_.store->webhooks()->deliveries("gh", 0, 10)->empty());
}

TEST_F(WebhookReceiver, A7_ARepeatedDeliveryStartsNothingTwice) {
  const json::object first = sent(request(issue(7), "d1"));
  const json::object again = sent(request(issue(7), "d1"));
  EXPECT_EQ(get_string(again, "outcome"), "repeated");
  EXPECT_EQ(get_string(again, "run_id"), get_string(first, "run_id"));
  // The id is not signed: the same body under another id is the same delivery.
  const json::object renamed = sent(request(issue(7), "d2"));
  EXPECT_EQ(get_string(renamed, "outcome"), "repeated");
  EXPECT_EQ(get_string(renamed, "run_id"), get_string(first, "run_id"));
  EXPECT_EQ(runs(), 1u);
  EXPECT_EQ(get_string(sent(request(issue(8), "d3")), "outcome"), "started");
  EXPECT_EQ(runs(), 2u);
}

TEST_F(WebhookReceiver, A7_TheSameDeliveryAtOnceIsOneRun) {
  std::vector<std::thread> threads;
  const http::Request made = request(issue(7), "d1");
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(send(made)); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(runs(), 1u);
}

TEST_F(WebhookReceiver, A7_ADeliveryWhoseEndWasNeverNotedFindsItsRunAgain) {
  // As after a crash between the two: begun and started, and nothing noted.
  const json::object first = sent(request(issue(7), "d1"));
  const int64_t id = get_int(first, "delivery");
  const auto again = test_.engine->create({.pipeline = "p",
                                           .actor = "webhook:gh",
                                           .idempotency_key = fmt::format("webhook:gh:{}", id),
                                           .request_hash = sha256_hex(issue(7))});
  ASSERT_TRUE(again) << full_message(again.error());
  EXPECT_EQ(*again, get_string(first, "run_id"));
  EXPECT_EQ(runs(), 1u);
}

TEST_F(WebhookReceiver, WhatStartedNothingMayComeAgain) {
  webhook_.enabled = false;
  configure();
  const json::object ignored = sent(request(issue(7), "d1"));
  EXPECT_EQ(get_string(ignored, "outcome"), "ignored");
  EXPECT_THAT(std::string(get_string(ignored, "reason")), HasSubstr("switched off"));
  webhook_.enabled = true;
  configure();
  EXPECT_EQ(get_string(sent(request(issue(7), "d1")), "outcome"), "started");
}

TEST_F(WebhookReceiver, APipelineThatDoesNotLoadIsSaidAndCanBeRepaired) {
  test_.write(".agents/pipelines/p.yaml", "kind: WavePipeline\nsteps: 7\n");
  const auto failed = send(request(issue(7), "d1"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kInvalidPipeline);
  EXPECT_EQ(test_.store->webhooks()->deliveries("gh", 0, 10)->front().outcome, "failed");
  write_pipeline();
  EXPECT_EQ(get_string(sent(request(issue(7), "d1")), "outcome"), "started");
  EXPECT_EQ(runs(), 1u);
}

TEST_F(WebhookReceiver, AWebhookWhoseSecretIsNotSetLetsNobodyIn) {
  test_.services->environment.erase("HOOK_SECRET");
  const auto refused = send(request(issue(7), "d1", ""));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  model::Manifest manifest;
  manifest.server.emplace().webhooks = {webhook_};
  EXPECT_FALSE(webhook::check_secrets(manifest, {}));
  EXPECT_TRUE(webhook::check_secrets(manifest, {{"HOOK_SECRET", std::string(kSecret)}}));
}

TEST_F(WebhookReceiver, AdministratorsSeeWebhooksAndDeliveriesButNoSecret) {
  for (int i = 1; i <= 3; ++i) (void)sent(request(issue(i), fmt::format("d{}", i)));
  const auto list = test_.call(table_, "listWebhooks", {});
  ASSERT_TRUE(list);
  EXPECT_EQ(schema_errors("WebhookList", *list), "");
  EXPECT_THAT(body_text(*list), Not(HasSubstr(std::string(kSecret))));
  const json::object listed = parse_json(body_text(*list))->as_object();
  EXPECT_EQ(get_string(get_array(listed, "webhooks")[0].as_object(), "path"), "/api/hooks/gh");
  std::vector<std::string> seen;
  std::string cursor;
  do {
    std::multimap<std::string, std::string> query{{"limit", "2"}};
    if (!cursor.empty()) query.emplace("cursor", cursor);
    const auto page =
        test_.call(table_, "listWebhookDeliveries", {}, {{"name", "gh"}}, std::move(query));
    ASSERT_TRUE(page) << full_message(page.error());
    EXPECT_EQ(schema_errors("WebhookDeliveryList", *page), "");
    const json::object object = parse_json(body_text(*page))->as_object();
    for (const json::value& row : get_array(object, "deliveries")) {
      seen.emplace_back(get_string(row.as_object(), "delivery"));
    }
    cursor = get_string(object, "next_cursor");
  } while (!cursor.empty());
  EXPECT_THAT(seen, ::testing::ElementsAre("d3", "d2", "d1"));
  EXPECT_FALSE(test_.call(table_, "listWebhookDeliveries", {}, {{"name", "none"}}));
  EXPECT_FALSE(
      test_.call(table_, "listWebhookDeliveries", {}, {{"name", "gh"}}, {{"cursor", "../../etc"}}));
}

TEST(WebhookRoutes, OnlyTheHookItselfNeedsNoRole) {
  RouteTable table;
  add_webhook_routes(table);
  for (const Route& route : table.routes()) {
    EXPECT_EQ(route.role, route.raw_body ? auth::Role::kNobody : auth::Role::kAdmin) << route.path;
  }
}

}  // namespace
}  // namespace wave::server

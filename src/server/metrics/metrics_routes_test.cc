#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "server/metrics/exposition_check.h"
#include "server/test_services.h"

namespace wave::server {
namespace {

using ::testing::IsEmpty;

class MetricsRoutes : public ::testing::Test {
 protected:
  MetricsRoutes() { add_metrics_routes(table_); }
  Result<http::Response> get(const std::string& accept = "*/*") {
    http::Request request{.method = "GET", .path = "/metrics"};
    request.headers.set("Accept", accept);
    return test_.call(table_, "getMetrics", request);
  }

  TestServices test_;
  RouteTable table_;
};

TEST_F(MetricsRoutes, ShowStoreQueueStreamsAndProcess) {
  test_.write(".agents/pipelines/p.yaml",
              "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n"
              "  - {id: a, type: command, script: \"true\"}\n");
  test_.write("wave.yaml", "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: t}\n");
  ASSERT_TRUE(test_.engine->create({.pipeline = "p", .actor = "test"}));
  test_.queue.shown.max_concurrent = 7;
  test_.queue.shown.waiting.resize(2);
  test_.hub.count = 3;
  for (const bool open_metrics : {false, true}) {
    const auto response = get(open_metrics ? "application/openmetrics-text" : "text/plain");
    ASSERT_TRUE(response) << full_message(response.error());
    metrics::ExpositionCheck check(open_metrics);
    EXPECT_THAT(check.check(body_text(*response)), IsEmpty()) << body_text(*response);
    EXPECT_EQ(check.value("wave_runs", {{"status", "queued"}}), 1);
    EXPECT_EQ(check.value("wave_runs", {{"status", "failed"}}), 0);
    EXPECT_EQ(check.value("wave_events_appended_total"), 1);
    EXPECT_EQ(check.value("wave_queue_slots"), 7);
    EXPECT_EQ(check.value("wave_queue_length"), 2);
    EXPECT_EQ(check.value("wave_stream_subscribers"), 3);
    EXPECT_EQ(check.value("wave_scrape_errors"), 0);
  }
}

TEST_F(MetricsRoutes, O2_NeedAViewerUnlessTheyAreOpen) {
  test_.authenticator.role = auth::Role::kNobody;
  EXPECT_FALSE(get());
  test_.authenticator.role = auth::Role::kViewer;
  EXPECT_TRUE(get());
  test_.authenticator.role = auth::Role::kNobody;
  model::Manifest manifest;
  manifest.server.emplace().metrics = "open";
  test_.set_manifest(manifest);
  EXPECT_TRUE(get());
}

TEST_F(MetricsRoutes, PromtoolFindsNothingWhereItIsInstalled) {
  if (std::system("command -v promtool > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "promtool is not installed";
  }
  test_.metrics.answered("GET", "/api/runs", 200, 0.01);
  const auto response = get();
  ASSERT_TRUE(response);
  FILE* promtool = ::popen("promtool check metrics", "w");
  ASSERT_NE(promtool, nullptr);
  std::fputs(body_text(*response).c_str(), promtool);
  EXPECT_EQ(::pclose(promtool), 0);
}

}  // namespace
}  // namespace wave::server

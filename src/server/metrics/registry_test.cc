#include "server/metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "server/metrics/exposition_check.h"
#include "server/metrics/process_figures.h"
#include "server/metrics/server_metrics.h"

namespace wave::server::metrics {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

std::string text_of(const Registry& registry, Format format) {
  Exposition out(format);
  registry.write(out);
  return std::move(out).finish();
}

TEST(Metrics, BothFormatsAreWhatTheirSpecificationsSay) {
  Registry registry;
  registry.counter("jobs_total", "Jobs, \\ and \"quotes\"\nand lines.", {"kind"})
      .with({"odd \\ \" \n kind"})
      .add(3);
  registry.gauge("heat", "How warm.").with().set(-1.5);
  auto& durations = registry.histogram("wait_seconds", "Waits.", {"who"});
  for (const double value : {0.0004, 0.0005, 0.3, 61.0}) durations.with({"me"}).observe(value);
  registry.counter("never_total", "Nothing yet.", {"kind"});

  for (const Format format : {Format::kPrometheus, Format::kOpenMetrics}) {
    const std::string text = text_of(registry, format);
    ExpositionCheck check(format == Format::kOpenMetrics);
    EXPECT_THAT(check.check(text), IsEmpty()) << text;
    EXPECT_EQ(check.value("jobs_total", {{"kind", "odd \\ \" \n kind"}}), 3);
    EXPECT_EQ(check.value("heat"), -1.5);
    EXPECT_EQ(check.value("wait_seconds_count", {{"who", "me"}}), 4);
    EXPECT_EQ(check.value("wait_seconds_bucket", {{"who", "me"}, {"le", "0.0005"}}), 2);
    EXPECT_EQ(check.value("wait_seconds_bucket", {{"who", "me"}, {"le", "60"}}), 3);
    EXPECT_EQ(check.value("wait_seconds_bucket", {{"who", "me"}, {"le", "+Inf"}}), 4);
  }
}

TEST(Metrics, TheCheckItselfFindsWhatIsWrong) {
  const auto wrong = [](std::string_view text) { return ExpositionCheck(false).check(text); };
  EXPECT_THAT(wrong("# HELP a_total A.\n# TYPE a_total counter\na_total 1\n"), IsEmpty());
  EXPECT_THAT(wrong("# HELP a A.\n# TYPE a counter\na 1\n"), Not(IsEmpty()));
  EXPECT_THAT(wrong("# HELP a A.\n# TYPE a gauge\na 1\na 2\n"), Not(IsEmpty()));
  EXPECT_THAT(wrong("# HELP a A.\n# TYPE a gauge\nb 1\n"), Not(IsEmpty()));
  EXPECT_THAT(wrong("# HELP a A.\n# TYPE a gauge\na{x=\"\\q\"} 1\n"), Not(IsEmpty()));
  EXPECT_THAT(wrong("a 1\n"), Not(IsEmpty()));
  EXPECT_THAT(wrong("# HELP a A.\n# TYPE a gauge\na 1"), Not(IsEmpty()));
}

TEST(Metrics, SeriesAreBoundedWhateverComesFromOutside) {
  Registry registry;
  auto& family = registry.counter("hits_total", "Hits.", {"path"}, 10);
  for (int i = 0; i < 1000; ++i) family.with({"/" + std::to_string(i)}).add();
  size_t series = 0;
  uint64_t sum = 0, other = 0;
  family.each([&](const Labels& labels, const Counter& counter) {
    ++series;
    sum += counter.value();
    if (labels.front().second == "other") other = counter.value();
  });
  EXPECT_EQ(series, 11u);
  EXPECT_EQ(sum, 1000u);
  EXPECT_EQ(other, 990u);
}

TEST(Metrics, CountsFromManyThreadsAreNotLost) {
  ServerMetrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 5000; ++i) {
        metrics.answered("GET", i % 2 == 0 ? "/api/runs" : "/api/queue", 200, 0.001);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpositionCheck check(false);
  EXPECT_THAT(check.check(text_of(metrics.registry(), Format::kPrometheus)), IsEmpty());
  EXPECT_EQ(check.value("wave_http_requests_total",
                        {{"method", "GET"}, {"route", "/api/runs"}, {"status", "200"}}),
            10000);
  EXPECT_EQ(check.value("wave_http_request_duration_seconds_count",
                        {{"method", "GET"}, {"route", "/api/queue"}}),
            10000);
}

TEST(Metrics, InventedMethodsAreOneSeries) {
  ServerMetrics metrics;
  metrics.answered("BREW", "", 405, 0.1);
  metrics.answered("STEEP", "", 405, 0.1);
  ExpositionCheck check(false);
  EXPECT_THAT(check.check(text_of(metrics.registry(), Format::kPrometheus)), IsEmpty());
  EXPECT_EQ(check.value("wave_http_requests_total",
                        {{"method", "other"}, {"route", "none"}, {"status", "405"}}),
            2);
}

TEST(Metrics, TheProcessShowsItself) {
  Exposition out(Format::kOpenMetrics);
  write_process_figures(out);
  ExpositionCheck check(true);
  EXPECT_THAT(check.check(std::move(out).finish()), IsEmpty());
  EXPECT_GT(check.value("process_resident_memory_bytes").value_or(0), 1 << 20);
  EXPECT_GE(check.value("process_open_fds").value_or(0), 3);
  EXPECT_GE(check.value("process_threads").value_or(0), 1);
}

TEST(Metrics, TheAcceptHeaderChoosesTheFormat) {
  EXPECT_EQ(format_for("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"),
            Format::kOpenMetrics);
  EXPECT_EQ(format_for("*/*"), Format::kPrometheus);
}

}  // namespace
}  // namespace wave::server::metrics

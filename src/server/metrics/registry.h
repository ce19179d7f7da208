// Counters, gauges and histograms with labels, and the text that Prometheus reads of them.
//
// Sources: Prometheus text exposition format 0.0.4 and OpenMetrics 1.0.0.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wave::server::metrics {

/// Only grows. Thread: any.
class Counter {
 public:
  void add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// Goes up and down. Thread: any.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double difference) { value_.fetch_add(difference, std::memory_order_relaxed); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// How often a value was at most each of some bounds. Thread: any.
class Histogram {
 public:
  /// Seconds, from half a millisecond to a minute.
  static std::span<const double> latency_bounds();

  /// `bounds` ascend and outlive the histogram; a last bucket takes the rest.
  explicit Histogram(std::span<const double> bounds = latency_bounds())
      : bounds_(bounds), buckets_(bounds.size() + 1) {}

  void observe(double value);

  struct Reading {
    std::vector<uint64_t> cumulative;  // one per bound, then all
    double sum = 0;
  };
  [[nodiscard]] Reading read() const;
  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }

 private:
  std::span<const double> bounds_;
  std::vector<std::atomic<uint64_t>> buckets_;
  std::atomic<double> sum_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Metrics of one name that differ in their labels' values. How many there may be is bounded: what
/// would be one more counts under "other" for every label, so that nobody outside can make memory
/// grow. Thread: any. References that `with` gave stay valid as long as the registry.
template <typename Metric>
class Family {
 public:
  Family(std::vector<std::string> label_names, size_t most_series)
      : names_(std::move(label_names)), most_(most_series) {}

  /// One value per label, in the order of the names.
  Metric& with(const std::vector<std::string>& values = {}) {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = series_.find(values); found != series_.end()) return *found->second;
    }
    const std::unique_lock lock(mutex_);
    std::vector<std::string> key = values;
    key.resize(names_.size());
    if (!series_.contains(key) && series_.size() >= most_) {
      key.assign(names_.size(), "other");
    }
    auto& metric = series_[key];
    if (metric == nullptr) metric = std::make_unique<Metric>();
    return *metric;
  }

  /// Calls `visit(labels, metric)` for each series, in the order of the values.
  template <typename Visit>
  void each(Visit visit) const {
    const std::shared_lock lock(mutex_);
    for (const auto& [values, metric] : series_) {
      Labels labels;
      for (size_t i = 0; i < names_.size(); ++i) labels.emplace_back(names_[i], values[i]);
      visit(labels, *metric);
    }
  }

 private:
  const std::vector<std::string> names_;
  const size_t most_;
  mutable std::shared_mutex mutex_;
  std::map<std::vector<std::string>, std::unique_ptr<Metric>> series_;  // guarded by mutex_
};

enum class Format { kPrometheus, kOpenMetrics };
enum class Type { kCounter, kGauge, kHistogram };

/// The text of one scrape. Families must come whole, one after the other.
class Exposition {
 public:
  explicit Exposition(Format format) : format_(format) {}

  /// Begins a family. A counter's name ends in "_total".
  void family(std::string_view name, Type type, std::string_view help);
  /// A sample of the family begun last.
  void sample(const Labels& labels, double value);
  void sample(const Labels& labels, const Histogram::Reading& reading,
              std::span<const double> bounds);
  /// The whole text; OpenMetrics ends with "# EOF".
  [[nodiscard]] std::string finish() &&;

 private:
  void line(std::string_view suffix, const Labels& labels, std::string_view value);

  Format format_;
  std::string name_;
  std::string text_;
};

/// The families of a server. Thread: any for `write`; families and readers are added at start,
/// before the first of them.
class Registry {
 public:
  static constexpr size_t kMostSeries = 1000;  // of one family

  Family<Counter>& counter(std::string name, std::string help, std::vector<std::string> labels = {},
                           size_t most_series = kMostSeries);
  Family<Gauge>& gauge(std::string name, std::string help, std::vector<std::string> labels = {},
                       size_t most_series = kMostSeries);
  Family<Histogram>& histogram(std::string name, std::string help,
                               std::vector<std::string> labels = {},
                               size_t most_series = kMostSeries);
  /// Figures that somebody else keeps: read when asked for. Called on the scraping thread.
  using Reader = std::function<void(Exposition&)>;
  void on_scrape(Reader reader) { readers_.push_back(std::move(reader)); }

  /// Every family, in the order of adding.
  void write(Exposition& out) const;

 private:
  std::vector<Reader> readers_;
};

/// Whether an Accept header asks for OpenMetrics.
Format format_for(std::string_view accept);
std::string_view content_type(Format format);

}  // namespace wave::server::metrics

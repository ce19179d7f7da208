#include "server/metrics/registry.h"

#include <fmt/format.h>

#include <cmath>

namespace wave::server::metrics {
namespace {

constexpr std::string_view kTotal = "_total";

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return fmt::format("{}", static_cast<int64_t>(value));
  }
  return fmt::format("{}", value);
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view to_string(Type type) {
  switch (type) {
    case Type::kCounter:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram";
  }
  return "";
}

}  // namespace

std::span<const double> Histogram::latency_bounds() {
  static constexpr std::array kBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                      0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};
  return kBounds;
}

void Histogram::observe(double value) {
  const auto bound = std::ranges::lower_bound(bounds_, value);
  buckets_[static_cast<size_t>(bound - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
  Reading reading;
  uint64_t count = 0;
  for (const auto& bucket : buckets_) {
    count += bucket.load(std::memory_order_relaxed);
    reading.cumulative.push_back(count);
  }
  reading.sum = sum_.load(std::memory_order_relaxed);
  return reading;
}

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  std::string_view shown = name;
  // OpenMetrics names a counter without the ending that its samples have.
  if (format_ == Format::kOpenMetrics && type == Type::kCounter && shown.ends_with(kTotal)) {
    shown.remove_suffix(kTotal.size());
  }
  const bool quotes = format_ == Format::kOpenMetrics;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", shown, escaped(help, quotes), shown,
                       to_string(type));
}

void Exposition::line(std::string_view suffix, const Labels& labels, std::string_view value) {
  text_ += name_;
  text_ += suffix;
  if (!labels.empty()) {
    text_ += '{';
    for (size_t i = 0; i < labels.size(); ++i) {
      if (i > 0) text_ += ',';
      text_ += fmt::format("{}=\"{}\"", labels[i].first, escaped(labels[i].second, true));
    }
    text_ += '}';
  }
  text_ += fmt::format(" {}\n", value);
}

void Exposition::sample(const Labels& labels, double value) {
  line("", labels, number(value));
}

void Exposition::sample(const Labels& labels, const Histogram::Reading& reading,
                        std::span<const double> bounds) {
  for (size_t i = 0; i < reading.cumulative.size(); ++i) {
    Labels with_bound = labels;
    with_bound.emplace_back("le", i < bounds.size() ? fmt::format("{}", bounds[i]) : "+Inf");
    line("_bucket", with_bound, number(static_cast<double>(reading.cumulative[i])));
  }
  line("_sum", labels, number(reading.sum));
  const uint64_t count = reading.cumulative.empty() ? 0 : reading.cumulative.back();
  line("_count", labels, number(static_cast<double>(count)));
}

std::string Exposition::finish() && {
  if (format_ == Format::kOpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

// A family lives in the reader that shows it.

Family<Counter>& Registry::counter(std::string name, std::string help,
                                   std::vector<std::string> labels, size_t most_series) {
  auto family = std::make_shared<Family<Counter>>(std::move(labels), most_series);
  on_scrape([family, name = std::move(name), help = std::move(help)](Exposition& out) {
    out.family(name, Type::kCounter, help);
    family->each([&](const Labels& values, const Counter& counter) {
      out.sample(values, static_cast<double>(counter.value()));
    });
  });
  return *family;
}

Family<Gauge>& Registry::gauge(std::string name, std::string help, std::vector<std::string> labels,
                               size_t most_series) {
  auto family = std::make_shared<Family<Gauge>>(std::move(labels), most_series);
  on_scrape([family, name = std::move(name), help = std::move(help)](Exposition& out) {
    out.family(name, Type::kGauge, help);
    family->each(
        [&](const Labels& values, const Gauge& gauge) { out.sample(values, gauge.value()); });
  });
  return *family;
}

Family<Histogram>& Registry::histogram(std::string name, std::string help,
                                       std::vector<std::string> labels, size_t most_series) {
  auto family = std::make_shared<Family<Histogram>>(std::move(labels), most_series);
  on_scrape([family, name = std::move(name), help = std::move(help)](Exposition& out) {
    out.family(name, Type::kHistogram, help);
    family->each([&](const Labels& values, const Histogram& histogram) {
      out.sample(values, histogram.read(), histogram.bounds());
    });
  });
  return *family;
}

void Registry::write(Exposition& out) const {
  for (const Reader& reader : readers_) reader(out);
}

Format format_for(std::string_view accept) {
  return accept.contains("application/openmetrics-text") ? Format::kOpenMetrics
                                                         : Format::kPrometheus;
}

std::string_view content_type(Format format) {
  return format == Format::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace wave::server::metrics

// A strict reader of the exposition formats, written from their specifications and not from the
// writer, for tests. Header only, so that it is in test programs and nowhere else.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace wave::server::metrics {

struct CheckedSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

class ExpositionCheck {
 public:
  explicit ExpositionCheck(bool open_metrics) : open_metrics_(open_metrics) {}

  /// What is wrong with the text, one line each; empty: nothing.
  std::vector<std::string> check(std::string_view text) {
    if (text.empty() || text.back() != '\n') complain("the last line does not end");
    bool ended = false;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      line_ = std::string(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      if (ended) complain("something follows # EOF");
      if (line_ == "# EOF") {
        if (!open_metrics_) complain("# EOF belongs to OpenMetrics");
        ended = true;
      } else if (line_.starts_with("# HELP ") || line_.starts_with("# TYPE ")) {
        read_meta();
      } else if (line_.empty() || line_.starts_with('#')) {
        complain("neither metadata nor a sample");
      } else {
        read_sample();
      }
    }
    if (open_metrics_ && !ended) complain("# EOF is missing");
    check_histograms();
    return problems_;
  }

  [[nodiscard]] std::optional<double> value(
      std::string_view name, const std::map<std::string, std::string>& labels = {}) const {
    for (const CheckedSample& sample : samples_) {
      if (sample.name == name && sample.labels == labels) return sample.value;
    }
    return std::nullopt;
  }
  [[nodiscard]] const std::vector<CheckedSample>& samples() const { return samples_; }

 private:
  void complain(const std::string& what) { problems_.push_back(what + ": " + line_); }

  static bool is_name(std::string_view name, bool colons) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    for (const char c : name) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
      const bool digit = c >= '0' && c <= '9';
      if (!letter && !digit && !(colons && c == ':')) return false;
    }
    return true;
  }

  void read_meta() {
    const std::string kind = line_.substr(2, 4);
    const std::string rest = line_.substr(7);
    const size_t space = rest.find(' ');
    const std::string name = rest.substr(0, space);
    const std::string text = space == std::string::npos ? "" : rest.substr(space + 1);
    if (!is_name(name, true)) complain("no name of a family");
    if (name != family_) {
      if (!known_.insert(name).second) complain("the family comes twice");
      family_ = name;
      type_.clear();
      help_seen_ = false;
      samples_seen_ = false;
    }
    if (samples_seen_) complain("metadata behind samples");
    if (kind == "HELP") {
      if (help_seen_) complain("HELP twice");
      help_seen_ = true;
      check_escapes(text, open_metrics_);
      return;
    }
    if (!type_.empty()) complain("TYPE twice");
    type_ = text;
    if (text != "counter" && text != "gauge" && text != "histogram") complain("unknown type");
    if (text == "counter") {
      const bool total = name.ends_with("_total");
      if (open_metrics_ && total) complain("OpenMetrics names the family without _total");
      if (!open_metrics_ && !total) complain("a counter ends in _total");
    }
  }

  void check_escapes(std::string_view text, bool quotes) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '"' && quotes) complain("a bare quote");
      if (text[i] != '\\') continue;
      ++i;
      const char next = i < text.size() ? text[i] : 0;
      if (next != '\\' && next != 'n' && !(quotes && next == '"')) complain("unknown escape");
    }
  }

  void read_sample() {
    CheckedSample sample;
    size_t at = line_.find_first_of("{ ");
    if (at == std::string::npos) return complain("no value");
    sample.name = line_.substr(0, at);
    if (!is_name(sample.name, true)) complain("no name");
    if (line_[at] == '{' && !read_labels(sample, at)) return;
    if (at >= line_.size() || line_[at] != ' ') return complain("no space before the value");
    const std::string value = line_.substr(at + 1);
    if (!read_value(value, sample.value)) complain("no number");
    belongs(sample);
    std::string identity = sample.name;
    for (const auto& [name, text] : sample.labels) identity += "|" + name + "=" + text;
    if (!identities_.insert(identity).second) complain("the same series twice");
    samples_.push_back(std::move(sample));
    samples_seen_ = true;
  }

  bool read_labels(CheckedSample& sample, size_t& at) {
    ++at;
    while (true) {
      const size_t equal = line_.find('=', at);
      if (equal == std::string::npos || equal + 1 >= line_.size() || line_[equal + 1] != '"') {
        complain("a label without a quoted value");
        return false;
      }
      const std::string name = line_.substr(at, equal - at);
      if (!is_name(name, false) || name.starts_with("__")) complain("no name of a label");
      std::string value;
      size_t i = equal + 2;
      for (; i < line_.size() && line_[i] != '"'; ++i) {
        if (line_[i] != '\\') {
          value += line_[i];
          continue;
        }
        ++i;
        const char next = i < line_.size() ? line_[i] : 0;
        if (next != '\\' && next != 'n' && next != '"') complain("unknown escape");
        value += next == 'n' ? '\n' : next;
      }
      if (i >= line_.size()) {
        complain("a label that does not end");
        return false;
      }
      if (!sample.labels.emplace(name, value).second) complain("a label twice");
      at = i + 1;
      if (at < line_.size() && line_[at] == ',') {
        ++at;
        continue;
      }
      if (at >= line_.size() || line_[at] != '}') {
        complain("labels that do not end");
        return false;
      }
      ++at;
      return true;
    }
  }

  static bool read_value(std::string_view text, double& value) {
    if (text == "+Inf") {
      value = std::numeric_limits<double>::infinity();
      return true;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  }

  void belongs(const CheckedSample& sample) {
    if (!help_seen_ || type_.empty()) complain("a sample without HELP and TYPE");
    std::set<std::string> may;
    if (type_ == "histogram") {
      may = {family_ + "_bucket", family_ + "_sum", family_ + "_count"};
    } else if (type_ == "counter" && open_metrics_) {
      may = {family_ + "_total"};
    } else {
      may = {family_};
    }
    if (!may.contains(sample.name)) complain("not of the family " + family_);
    if (type_ == "counter" && !(sample.value >= 0)) complain("a counter below nothing");
    if (sample.name.ends_with("_bucket") && !sample.labels.contains("le")) complain("no le");
  }

  void check_histograms() {
    std::map<std::string, std::pair<double, double>> last;  // series -> le, count
    for (const CheckedSample& sample : samples_) {
      std::string series;
      for (const auto& [name, text] : sample.labels) {
        if (name != "le") series += "|" + name + "=" + text;
      }
      line_ = sample.name + series;
      if (sample.name.ends_with("_bucket")) {
        const std::string base = sample.name.substr(0, sample.name.size() - 7) + series;
        double bound = 0;
        if (!read_value(sample.labels.at("le"), bound)) complain("le is no number");
        if (const auto found = last.find(base); found != last.end()) {
          if (bound <= found->second.first) complain("buckets do not ascend");
          if (sample.value < found->second.second) complain("buckets are not cumulative");
        }
        last[base] = {bound, sample.value};
      } else if (sample.name.ends_with("_count")) {
        const auto found = last.find(sample.name.substr(0, sample.name.size() - 6) + series);
        if (found == last.end()) continue;
        if (!std::isinf(found->second.first)) complain("no bucket +Inf");
        if (found->second.second != sample.value) complain("+Inf and count differ");
      }
    }
  }

  const bool open_metrics_;
  std::string line_, family_, type_;
  bool help_seen_ = false, samples_seen_ = false;
  std::set<std::string> known_, identities_;
  std::vector<CheckedSample> samples_;
  std::vector<std::string> problems_;
};

}  // namespace wave::server::metrics

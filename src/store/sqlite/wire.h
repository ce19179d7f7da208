// Values as bytes, for other processes of the same machine and version: numbers in the machine's
// own order, texts with their length. One list of fields per type serves both directions:
//   template <typename Archive> void fields(Archive& archive, T& value) { archive(value.a, ...); }
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace wave::store::sqlite {

template <typename T>
concept Number = std::integral<T> || std::floating_point<T>;

class Packer {
 public:
  template <typename... Values>
  void operator()(const Values&... values) {
    (put(values), ...);
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  template <Number T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(const std::string& text) {
    put(static_cast<uint64_t>(text.size()));
    bytes_ += text;
  }
  void put(WallTime time) { put(static_cast<int64_t>(time.time_since_epoch().count())); }
  void put(const json::object& object) { put(dump_json(object)); }
  void put(const json::array& array) { put(dump_json(array)); }
  template <typename T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <typename T>
  void put(const std::vector<T>& list) {
    put(static_cast<uint64_t>(list.size()));
    for (const T& value : list) put(value);
  }
  template <typename T>
    requires(!Number<T>)
  void put(const T& value) {
    fields(*this, const_cast<T&>(value));  // lists the fields; a Packer only reads them
  }

  std::string bytes_;
};

/// Reads what a Packer wrote; whatever else it is given, it stays within the bytes and says so.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  template <typename... Values>
  void operator()(Values&... values) {
    (get(values), ...);
  }
  /// Everything was there, and nothing is left.
  [[nodiscard]] bool complete() const { return ok_ && rest_.empty(); }
  void refuse() { ok_ = false; }

 private:
  [[nodiscard]] std::string_view take(uint64_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <Number T>
  void get(T& value) {
    const std::string_view bytes = take(sizeof value);
    if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  }
  void get(bool& value) {
    uint8_t byte = 0;
    get(byte);
    value = byte != 0;
  }
  void get(std::string& text) {
    uint64_t size = 0;
    get(size);
    text = take(size);
  }
  void get(WallTime& time) {
    int64_t count = 0;
    get(count);
    time = WallTime(Millis(count));
  }
  void get(json::object& object) {
    if (json::value value = read_json(); value.is_object()) {
      object = std::move(value.get_object());
    } else {
      ok_ = false;
    }
  }
  void get(json::array& array) {
    if (json::value value = read_json(); value.is_array()) {
      array = std::move(value.get_array());
    } else {
      ok_ = false;
    }
  }
  json::value read_json() {
    std::string text;
    get(text);
    auto parsed = parse_json(text);
    return parsed ? std::move(*parsed) : json::value();
  }
  template <typename T>
  void get(std::optional<T>& value) {
    bool there = false;
    get(there);
    if (there) get(value.emplace());
  }
  template <typename T>
  void get(std::vector<T>& list) {
    uint64_t size = 0;
    get(size);
    list.clear();
    for (uint64_t i = 0; i < size && ok_; ++i) get(list.emplace_back());
  }
  template <typename T>
    requires(!Number<T>)
  void get(T& value) {
    fields(*this, value);
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace wave::store::sqlite

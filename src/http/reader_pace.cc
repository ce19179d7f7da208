#include "http/reader_pace.h"

#include <algorithm>

namespace wave::http {
namespace {

constexpr int kLooksInStall = 12;

}  // namespace

void ReaderPace::begin(MonoTime now, uint64_t taken) {
  window_began_ = now;
  taken_at_window_ = taken;
  resume(now, taken);
}

void ReaderPace::resume(MonoTime now, uint64_t taken) {
  moved_ = now;
  taken_ = taken;
  next_look_ = now + limits_.stall / kLooksInStall;
}

bool ReaderPace::look(MonoTime now, uint64_t taken) {
  if (taken > taken_) moved_ = now;
  taken_ = taken;
  next_look_ = now + limits_.stall / kLooksInStall;
  if (now - moved_ >= limits_.stall) return false;
  if (now - window_began_ < limits_.window) return true;
  const auto least = limits_.least_bytes_per_second *
                     static_cast<uint64_t>(std::max<int64_t>(0, limits_.window.count())) / 1000;
  if (taken - taken_at_window_ < least) return false;
  window_began_ = now;
  taken_at_window_ = taken;
  return true;
}

}  // namespace wave::http

#include "engine/progress.h"

#include <fmt/core.h>

#include "base/text.h"

namespace wave::engine {
namespace {

constexpr Millis kQuietFor{3'000};
constexpr Millis kSaidEvery{15'000};

}  // namespace

void Progress::begin(Loop& loop, Say say) {
  end();
  loop_ = &loop;
  say_ = std::move(say);
  began_ = loop.clock().mono();
  arm(began_ + kQuietFor);
}

void Progress::arm(MonoTime when) {
  timer_ = loop_->call_at(when, [this] {
    timer_ = 0;
    const MonoTime now = loop_->clock().mono();
    arm(now + kSaidEvery);
    say_(std::chrono::duration_cast<Millis>(now - began_));
  });
}

void Progress::end() {
  if (timer_ != 0) loop_->cancel_timer(std::exchange(timer_, 0));
}

json::object progress_data(std::string_view what, Millis so_far) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(so_far);
  return {{"kind", "notice"}, {"content", fmt::format("{}: {} s so far", what, seconds.count())}};
}

}  // namespace wave::engine

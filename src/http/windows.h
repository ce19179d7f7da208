// How much of their bodies all connections hold in memory together: a window each, which is small
// when many are open. The sum is at most kLargeTogether and a small window per connection. Nobody
// waits for a window, or is refused one, because others do not read what they asked for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace wave::http {

/// Thread: any, for every method. Outlives its Window objects.
class Windows {
 public:
  static constexpr size_t kLarge = 64 << 10, kSmall = 4 << 10;
  static constexpr size_t kLargeTogether = 32 << 20;

  /// Given back by its destructor.
  class Window {
   public:
    Window() = default;
    Window(Windows& owner, size_t bytes) : owner_(&owner), bytes_(bytes) {}
    Window(Window&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), bytes_(other.bytes_) {}
    Window& operator=(Window&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;
    ~Window() {
      if (owner_ == nullptr) return;
      owner_->open_ -= bytes_;
      owner_->given_back_ += bytes_;
    }
    [[nodiscard]] size_t bytes() const { return bytes_; }

   private:
    Windows* owner_ = nullptr;
    size_t bytes_ = 0;
  };

  /// A large one if there is room, else a small one.
  Window take() {
    if (auto large = take(kLarge)) return *std::move(large);
    open_ += kSmall;
    return {*this, kSmall};
  }
  /// For so many bytes, if there is room.
  std::optional<Window> take(size_t bytes) {
    if (open_.fetch_add(bytes) + bytes <= kLargeTogether) return Window(*this, bytes);
    open_ -= bytes;
    return std::nullopt;
  }
  [[nodiscard]] size_t open() const { return open_; }
  /// Bytes of all windows that there have been.
  [[nodiscard]] uint64_t given_back() const { return given_back_; }

 private:
  std::atomic<size_t> open_ = 0;
  std::atomic<uint64_t> given_back_ = 0;
};

}  // namespace wave::http

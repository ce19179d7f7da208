#include "base/stop_gate.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace wave {
namespace {

constexpr std::array kStopSignals{SIGTSTP, SIGTTIN, SIGTTOU};

// How many NoStops live, in the low bits; above them the signal that waits for their end, and
// whether the process is stopping at the moment. Atomic, because a signal's handler asks it.
constexpr uint64_t kCount = 0xFFFF;
constexpr uint64_t kSignalUnit = 0x10000;
constexpr uint64_t kSignal = 0xFF * kSignalUnit;
constexpr uint64_t kStopping = 1ull << 32;
std::atomic<uint64_t> gate_state = 0;

void on_stop_signal(int signal);

/// The signal's default effect: unlike SIGSTOP it leaves a process alone that nobody could wake.
/// Only with kStopping set.
void stop_now(int signal) {
  struct sigaction usual{}, ours{};
  usual.sa_handler = SIG_DFL;
  ::sigaction(signal, &usual, &ours);
  sigset_t set, before;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, &before);  // here it stops, and here it goes on
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::sigaction(signal, &ours, nullptr);
}

void on_stop_signal(int signal) {
  const int saved = errno;
  uint64_t state = gate_state.load();
  while (true) {
    if ((state & kStopping) != 0) break;  // it stops already
    const bool held = (state & kCount) != 0;
    const uint64_t next =
        held ? (state & ~kSignal) | static_cast<uint64_t>(signal) * kSignalUnit : state | kStopping;
    if (!gate_state.compare_exchange_weak(state, next)) continue;
    if (held) break;
    stop_now(signal);
    gate_state.fetch_and(~(kStopping | kSignal));
    break;
  }
  errno = saved;
}

void wait_a_moment() {
  const timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
  (void)::nanosleep(&moment, nullptr);
}

}  // namespace

void install_stop_gate() {
  for (const int signal : kStopSignals) {
    struct sigaction before{};
    // Who ignores them (a shell's background job) wants them ignored.
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
    struct sigaction action{};
    action.sa_handler = on_stop_signal;
    action.sa_flags = SA_RESTART;  // a read or write that the terminal refused asks it again
    (void)::sigaction(signal, &action, nullptr);
  }
}

NoStop::NoStop() {
  uint64_t state = gate_state.load();
  while (true) {
    if ((state & (kStopping | kSignal)) != 0) {
      wait_a_moment();  // the process is about to stop: after it
      state = gate_state.load();
      continue;
    }
    if (gate_state.compare_exchange_weak(state, state + 1)) return;
  }
}

NoStop::~NoStop() {
  uint64_t state = gate_state.load();
  while (true) {
    const bool last = (state & kCount) == 1;
    const auto signal = static_cast<int>((state & kSignal) / kSignalUnit);
    const bool stops = last && signal != 0;
    const uint64_t next = stops ? kStopping : state - 1;
    if (!gate_state.compare_exchange_weak(state, next)) continue;
    if (!stops) return;
    stop_now(signal);
    gate_state.fetch_and(~(kStopping | kSignal));
    return;
  }
}

}  // namespace wave

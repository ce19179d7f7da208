// Talking to systemd: readiness, stopping, the watchdog (sd_notify(3): one datagram, no library).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"

namespace wave::server {

/// Does nothing where no service manager asked for it. Thread: any.
class ServiceManager {
 public:
  explicit ServiceManager(const std::map<std::string, std::string>& environment);
  /// "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...".
  void notify(const std::string& state) const;
  /// RELOADING=1 with the time that Type=notify-reload wants; READY=1 has to follow.
  void notify_reloading() const;
  /// How often it wants to hear WATCHDOG=1 at the latest, if it does.
  [[nodiscard]] std::optional<Millis> watchdog() const { return watchdog_; }

 private:
  std::string socket_;
  std::optional<Millis> watchdog_;
};

}  // namespace wave::server

// The real `wave serve`, in a process of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace wave::bench {

/// A server of a project; killed with the object. Exits the program when it does not come up.
class ServedProject {
 public:
  /// Returns when the server is ready for requests. `arguments`: more of `wave serve`.
  explicit ServedProject(const std::filesystem::path& project,
                         const std::vector<std::string>& arguments = {});
  ~ServedProject();
  ServedProject(const ServedProject&) = delete;
  ServedProject& operator=(const ServedProject&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// From before the fork to the first request that /api/health/ready answered with 200.
  [[nodiscard]] std::chrono::nanoseconds took() const { return took_; }
  /// kill -9, waited for.
  void kill();
  /// SIGTERM, waited for.
  void stop();

 private:
  void end_with(int signal);

  pid_t pid_ = -1;
  uint16_t port_ = 0;
  std::chrono::nanoseconds took_{};
};

}  // namespace wave::bench

// A program that a test starts, watches, and never leaves behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wave::test {

inline constexpr std::chrono::seconds kPatience{
    30};  // for conditions that always come, on any machine

/// Waits until `condition` holds; false when `patience` passed before.
bool wait_until(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = kPatience);

struct Exit {
  int code = 0;  // 128 + signal when a signal ended it
  std::string out, err;
};

/// A started program with its output in files. The destructor kills its process group.
class Program {
 public:
  Program(std::vector<std::string> argv, std::filesystem::path cwd,
          std::map<std::string, std::string> env);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Waits for its end; fails the test (and kills it) after `patience`.
  Exit wait(std::chrono::milliseconds patience = std::chrono::minutes(2));
  /// Whether it has ended; does not wait.
  bool ended();
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

 private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// Starts and waits.
Exit run(std::vector<std::string> argv, const std::filesystem::path& cwd,
         const std::map<std::string, std::string>& env);

/// Pids of living processes that carry `text` in their environment.
std::vector<pid_t> processes_with(const std::string& text);

}  // namespace wave::test

// What the tests of this room share: a folder, a launcher, shell scripts as programs, and waiting
// for conditions with a deadline.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "process/hosted.h"
#include "process/proc.h"

namespace wave::process {

inline constexpr Millis kTestPatience{20'000};

/// Polls until it holds; false when it does not within the patience.
template <typename Condition>
bool eventually(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kTestPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(Millis(2));
  }
  return true;
}

inline bool is_alive(int pid) {
  const auto info = process_info(pid);
  return info && info->is_alive();
}

class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "wave-process.XXXXXX").native();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }

  void TearDown() override {
    // Whatever a failed test left running carries the marker of this folder.
    for (const HostMeta& meta : started_) {
      (void)request_stop(meta, true);
      kill_strays(meta, Millis(1'000));
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  Launcher& launcher() {
    if (!launcher_) {
      auto started = Launcher::start();
      if (!started) ADD_FAILURE() << full_message(started.error());
      launcher_.emplace(std::move(*started));
    }
    return *launcher_;
  }

  /// A request that runs `script` with sh; $1 is the test's folder.
  HostRequest script(const std::string& text, const std::string& name = "attempt") {
    HostRequest request;
    request.dir = folder_ / name;
    request.agent_id = folder_.filename().native() + "." + name;
    request.argv = {"sh", "-c", text, "sh", folder_.native()};
    request.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
    request.cwd = folder_;
    request.grace = Millis(1'000);
    return request;
  }

  HostMeta launch(const HostRequest& request) {
    auto meta = launcher().launch(request);
    if (!meta) {
      ADD_FAILURE() << full_message(meta.error());
      return {};
    }
    started_.push_back(*meta);
    return *meta;
  }

  /// Waits for the host's end and returns what it wrote.
  HostExit wait_for_exit(const HostMeta& meta, const fs::path& dir) {
    auto host = watch_host(meta);
    if (host) {
      pollfd ended{host->get(), POLLIN, 0};
      EXPECT_EQ(::poll(&ended, 1, static_cast<int>(kTestPatience.count())), 1) << "host hangs";
    }
    auto exit = read_exit(dir);
    if (!exit || !*exit) {
      ADD_FAILURE() << "no exit in " << dir;
      HostExit none;
      none.reason = "no exit";
      return none;
    }
    return **exit;
  }

  HostExit run(const HostRequest& request) { return wait_for_exit(launch(request), request.dir); }

  std::string text(const fs::path& path) {
    return read_file(path, 1 << 28).value_or("cannot read " + path.native());
  }

  /// The number in a file that a script writes, once it is there and complete (ends with a
  /// newline).
  int number_in(const std::string& name) {
    std::string bytes;
    EXPECT_TRUE(eventually([&] {
      bytes = read_file(folder_ / name, 100).value_or("");
      return bytes.ends_with('\n');
    })) << name;
    return std::atoi(bytes.c_str());
  }

  fs::path folder_;
  std::optional<Launcher> launcher_;
  std::vector<HostMeta> started_;
};

}  // namespace wave::process

// wave serve under systemd: the shipped unit, and what the server tells a service manager.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>

#include "base/file.h"
#include "base/text.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string source(const std::string& path) {
  return read_file(fs::path(WAVE_SOURCE_DIR) / path, 4 << 20).value_or("");
}

/// The shipped unit for this program and project.
std::string unit_for(const Project& project) {
  const std::string root = project.root().native();
  std::string unit = source("packaging/wave.service");
  unit = replace_all(std::move(unit), "/usr/bin/wave", WAVE_BINARY);
  unit = replace_all(std::move(unit), "/srv/project", root);
  unit = replace_all(std::move(unit), "serve -C", "serve --port 0 --json -C");
  return replace_all(std::move(unit), "User=wave\n", "");
}

TEST(Systemd, TheShippedUnitKeepsAgentsAlive) {
  const std::string unit = source("packaging/wave.service");
  for (const char* line :
       {"Type=notify", "WatchdogSec=30", "KillMode=process", "OOMPolicy=continue", "Delegate=yes",
        "ExecReload=/bin/kill -HUP $MAINPID"}) {
    EXPECT_THAT(unit, HasSubstr(std::string("\n") + line + "\n"));
  }
  EXPECT_THAT(source("docs/server.md"), HasSubstr(unit)) << "the page shows another one";
}

TEST(Systemd, TheShippedUnitIsUnderstood) {
  if (!fs::exists("/usr/bin/systemd-analyze")) GTEST_SKIP() << "there is no systemd-analyze here";
  const Project project;
  project.write("wave.service", unit_for(project));
  const Exit checked = run({"systemd-analyze", "verify", "--man=no", "./wave.service"},
                           project.root(), project.environment());
  // What it says of other units of the machine is not about ours.
  for (const std::string& line : split(checked.out + checked.err, '\n')) {
    EXPECT_FALSE(line.contains("wave.service")) << line;
  }
}

/// The socket that a service manager would listen on.
class Manager {
 public:
  explicit Manager(const fs::path& path) : path_(path) {
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_LT(path.native().size(), sizeof address.sun_path);
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
  }
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"NOTIFY_SOCKET", path_.native()}, {"WATCHDOG_USEC", "200000"}};
  }
  /// Waits until this has been told after what was waited for before.
  bool hears(const std::string& state) {
    return wait_until([&] {
      char room[512];
      while (true) {
        const ssize_t got = ::recv(socket_.get(), room, sizeof room, 0);
        if (got <= 0) return false;
        if (std::string_view(room, static_cast<size_t>(got)).starts_with(state)) return true;
      }
    });
  }

 private:
  fs::path path_;
  UniqueFd socket_;
};

TEST(Systemd, TheServerTellsWhenItIsReadyAliveReloadingAndStopping) {
  const Project project;
  Manager manager(project.root() / "notify");
  Server server(project, {}, manager.environment());
  EXPECT_TRUE(manager.hears("READY=1"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(manager.hears("WATCHDOG=1"));
  server.program().signal(SIGHUP);
  EXPECT_TRUE(manager.hears("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_TRUE(manager.hears("READY=1"));
  // What cannot be reloaded is no end: the server stays ready with what stood before.
  project.manifest_append("server: {max_concurrent: none}\n");
  server.program().signal(SIGHUP);
  EXPECT_TRUE(manager.hears("RELOADING=1"));
  EXPECT_TRUE(manager.hears("READY=1"));
  EXPECT_EQ(server.get("/api/health").status, 200);
  server.program().signal(SIGTERM);
  EXPECT_TRUE(manager.hears("STOPPING=1"));
  EXPECT_EQ(server.program().wait().code, 0);
}

// Where systemd is the machine's first process: a restart of the service leaves agents at work.
TEST(Systemd, S1_AgentsOutliveARestartOfTheService) {
  if (!fs::exists("/run/systemd/system") || ::getuid() != 0) {
    GTEST_SKIP() << "systemd is not the first process here (or this is not root): not tried";
  }
  const Project project;
  project.pipeline("slow", "  - id: a\n    type: command\n    script: |\n      while [ ! -e '" +
                               (project.root() / "go").native() + "' ]; do sleep 0.05; done\n");
  const std::string name = "wave-test-" + std::to_string(::getpid()) + ".service";
  const fs::path unit = "/run/systemd/system/" + name;
  ASSERT_TRUE(write_file(unit, unit_for(project)));
  const auto systemctl = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "systemctl");
    return run(std::move(arguments), "/", project.environment());
  };
  EXPECT_EQ(systemctl({"daemon-reload"}).code, 0);
  const Exit started = systemctl({"start", name});
  EXPECT_EQ(started.code, 0) << started.err;
  const Exit detached = wave(project, {"run", "slow", "--detach", "-q"});
  EXPECT_EQ(detached.code, 0) << detached.err;
  const std::string run_id = detached.out.substr(0, detached.out.find('\n'));
  (void)wait_for_event(project, run_id, "step_started", "a");
  const std::vector<pid_t> agents = agents_of(run_id);
  EXPECT_FALSE(agents.empty());
  const Exit restarted = systemctl({"restart", name});
  EXPECT_EQ(restarted.code, 0) << restarted.err;
  EXPECT_EQ(agents_of(run_id), agents) << "the agents are the same ones";
  project.write("go", "go");
  EXPECT_TRUE(wait_for_status(project, run_id, "completed"));
  EXPECT_EQ(count_events(events(project, run_id), "step_interrupted"), 0u);
  (void)systemctl({"stop", name});
  fs::remove(unit);
  (void)systemctl({"daemon-reload"});
}

}  // namespace
}  // namespace wave::test

// O1: signals are obeyed, and everything else goes on, although nobody reads what is printed: a
// pipe whose reader stands still, a terminal held by Ctrl-S.
#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::seconds kObeysWithin{5};  // the promise's own deadline
constexpr std::string_view kTalkative =
    "  - id: a\n    type: command\n    script: |\n"
    "      i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done\n";

/// A named pipe of the least size; nobody reads it but the test, when it wants to.
class Fifo {
 public:
  explicit Fifo(const Project& project) : path_(project.root() / "nobody-reads") {
    if (::mkfifo(path_.c_str(), 0600) != 0) std::abort();
    end_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    (void)::fcntl(end_.get(), F_SETPIPE_SZ, 4096);
  }
  [[nodiscard]] std::string path() const { return path_.native(); }
  void fill() const {
    for (const size_t size : {4096u, 1u}) {
      const std::string bytes(size, 'x');
      while (::write(end_.get(), bytes.data(), size) > 0) {
      }
    }
  }
  [[nodiscard]] bool is_full() const {
    char byte = 'x';
    return ::write(end_.get(), &byte, 0) == 0 && ::write(end_.get(), &byte, 1) < 0;
  }
  [[nodiscard]] std::string drain() const {
    std::string all, some(4096, '\0');
    for (ssize_t count; (count = ::read(end_.get(), some.data(), some.size())) > 0;) {
      all.append(some, 0, static_cast<size_t>(count));
    }
    return all;
  }

 private:
  std::filesystem::path path_;
  UniqueFd end_;
};

/// A terminal whose output is held, as Ctrl-S does it.
class HeldTerminal {
 public:
  HeldTerminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (::grantpt(master_.get()) != 0 || ::unlockpt(master_.get()) != 0) std::abort();
    path_ = ::ptsname(master_.get());
    slave_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    (void)::tcflow(slave_.get(), TCOOFF);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  UniqueFd master_, slave_;
  std::string path_;
};

/// wave with these arguments and redirections, as a shell would start it.
std::unique_ptr<Program> start_redirected(const Project& project, const std::string& redirections,
                                          std::vector<std::string> arguments,
                                          std::map<std::string, std::string> more = {}) {
  std::vector<std::string> argv{"/bin/sh", "-c", "exec \"$0\" \"$@\" " + redirections, WAVE_BINARY};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto environment = project.environment();
  environment.merge(more);
  return std::make_unique<Program>(argv, project.root(), environment);
}

TEST(Promises, O1_ALogThatNobodyReadsHoldsNothingUp) {
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const Fifo log(project);
  auto server =
      start_redirected(project, "2>'" + log.path() + "'", {"serve", "--json", "--port", "0", "-v"});
  ASSERT_TRUE(wait_until([&] { return server->out().contains("}\n") || server->ended(); }));
  const std::string url(parsed(server->out()).at("url").as_string());
  const auto port = static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  log.fill();
  const std::string manifest = project.read("wave.yaml");
  const auto complain = [&](int times) {
    for (int i = 0; i < times; ++i) {
      // More than the log holds back: the message names what is wrong.
      project.write("wave.yaml", manifest + "\n" + std::string(20'000, 'n') + ": [\n");
      server->signal(SIGHUP);
      (void)request(port, "GET", "/api/health");
    }
    project.write("wave.yaml", manifest);
  };
  complain(3);
  const auto submit = [&] {
    return request(port, "POST", "/api/runs", {{"content-type", "application/json"}},
                   R"({"pipeline":"quick"})");
  };
  for (int i = 0; i < 3; ++i) {
    const Answer answer = submit();
    ASSERT_EQ(answer.status, 201) << answer.body;
    const std::string run(answer.object().at("run_id").as_string());
    EXPECT_TRUE(wait_for_status(project, run, "completed"));
  }
  EXPECT_TRUE(log.is_full());
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait(kObeysWithin).code, 0);
}

TEST(Promises, O1_ARunWhoseOutputNobodyReadsEndsAndObeys) {
  const Project project;
  project.pipeline("talkative", kTalkative);
  const Fifo output(project);
  output.fill();
  auto run = start_redirected(project, ">'" + output.path() + "'",
                              {"run", "talkative", "-o", "json", "-v"});
  const std::string id = wait_for_run(project);
  EXPECT_TRUE(wait_for_status(project, id, "completed")) << "the run does not wait for its reader";
  EXPECT_FALSE(run->ended()) << "the reader may come yet";
  run->signal(SIGTERM);
  const Exit ended = run->wait(kObeysWithin);
  EXPECT_EQ(ended.code, 6) << "130 would say that the run has not ended";
  EXPECT_THAT(ended.err, HasSubstr("the output is incomplete"));
}

TEST(Promises, O1_AServerWhoseAddressNobodyReadsEndsInOrder) {
  const Project project;
  const Fifo output(project);
  output.fill();
  auto server = start_redirected(project, ">'" + output.path() + "'", {"serve", "--port", "0"});
  ASSERT_TRUE(wait_until([&] { return server->err().contains("at most"); })) << server->err();
  server->signal(SIGTERM);
  const Exit ended = server->wait(kObeysWithin);
  EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST(Promises, O1_AReaderThatComesLateGetsEverything) {
  const Project project;
  project.pipeline("talkative", kTalkative);
  const Fifo output(project);
  auto run = start_redirected(project, ">'" + output.path() + "'",
                              {"run", "talkative", "-o", "json", "-v"});
  const std::string id = wait_for_run(project);
  EXPECT_TRUE(wait_for_status(project, id, "completed"));
  std::string all;
  EXPECT_TRUE(wait_until([&] {
    all += output.drain();
    return run->ended();
  }));
  all += output.drain();
  EXPECT_EQ(run->wait().code, 0);
  size_t lines = 0;
  for (const char c : all) lines += c == '\n' ? 1 : 0;
  EXPECT_EQ(lines, events(project, id).size());
}

TEST(Promises, O1_ARunOnAHeldTerminalEndsAndObeys) {
  for (const bool errors_too : {false, true}) {
    const Project project;
    project.pipeline("talkative", kTalkative);
    const HeldTerminal terminal;
    auto run = start_redirected(project, ">'" + terminal.path() + "'" + (errors_too ? " 2>&1" : ""),
                                {"run", "talkative"},
                                {{"TERM", "xterm"}, {"WAVE_FORCE_TTY", "1"}, {"LANG", "C.UTF-8"}});
    const std::string id = wait_for_run(project);
    EXPECT_TRUE(wait_for_status(project, id, "completed"));
    run->signal(SIGTERM);
    EXPECT_EQ(run->wait(kObeysWithin).code, 6);
  }
}

TEST(Promises, O6_OutputThatCouldNotBeWrittenIsAnError) {
  const Project project;
  project.pipeline("talkative", kTalkative);
  ASSERT_EQ(wave(project, {"run", "talkative", "-q"}).code, 0);
  const std::string id = *newest_run(project);
  const std::vector<std::vector<std::string>> commands{{"status"},
                                                       {"status", "--json"},
                                                       {"status", id},
                                                       {"logs", id},
                                                       {"logs", id, "-o", "json"},
                                                       {"list", "runs"},
                                                       {"list"},
                                                       {"gate"},
                                                       {"artifacts", id},
                                                       {"retro", id},
                                                       {"retro", "list"},
                                                       {"doctor"},
                                                       {"validate"},
                                                       {"version"},
                                                       {"--help"},
                                                       {"run", "--help"},
                                                       {"completion", "bash"},
                                                       {"run", "talkative", "--dry-run"},
                                                       {"run", "talkative", "-o", "json"}};
  for (const auto& arguments : commands) {
    const Exit ended = start_redirected(project, ">/dev/full", arguments)->wait();
    EXPECT_EQ(ended.code, 6) << testing::PrintToString(arguments);
    EXPECT_THAT(ended.err, HasSubstr("the output is incomplete"))
        << testing::PrintToString(arguments);
  }
}

TEST(Promises, O6_AReaderThatHasSeenEnoughIsNoError) {
  const Project project;
  project.pipeline("talkative", kTalkative);
  ASSERT_EQ(wave(project, {"run", "talkative", "-q"}).code, 0);
  auto logs = start_redirected(project, "| head -n 1", {"logs", "--follow", "-o", "json"});
  EXPECT_THAT(logs->wait().out, HasSubstr("run_queued"));
}

}  // namespace
}  // namespace wave::test

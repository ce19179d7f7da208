// The command line against a real server: the same commands, the same output.
#include <gtest/gtest.h>
#include <signal.h>

#include "base/text.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

class Remote : public ::testing::Test {
 protected:
  Remote() {
    project_.pipeline("hello",
                      "  - {id: a, type: command, script: \"echo hello\"}\n"
                      "  - {id: b, type: command, script: \"true\", dependencies: [a]}\n");
    project_.pipeline("wait",
                      "  - id: a\n    type: command\n    script: |\n"
                      "      while [ ! -e ../../../../go ]; do sleep 0.02; done\n");
    project_.pipeline("ask",
                      "  - id: ok\n    type: gate\n    gate:\n      type: approval\n"
                      "      prompt: Shall we?\n      choices:\n"
                      "        - {key: y, label: \"Yes\", target: last}\n"
                      "        - {key: n, label: \"No\", target: _fail}\n"
                      "  - {id: last, type: command, script: \"true\", dependencies: [ok]}\n");
    server_ = std::make_unique<Server>(project_);
  }
  /// In a project of its own, which has nothing of what runs.
  [[nodiscard]] Exit remote(const std::vector<std::string>& arguments) const {
    return wave(elsewhere_, arguments, environment());
  }
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"WAVE_SERVER", "http://127.0.0.1:" + std::to_string(server_->port())}};
  }
  [[nodiscard]] std::string newest() const {
    const json::value answer = parsed(remote({"status", "--json"}).out);
    const json::array& runs = get_array(answer.as_object(), "runs");
    return runs.empty() ? "" : std::string(get_string(runs[0].as_object(), "run_id"));
  }

  const Project project_, elsewhere_;
  std::unique_ptr<Server> server_;
};

TEST_F(Remote, ARunIsShownAsALocalOneIs) {
  const Exit ran = remote({"run", "hello", "the input"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const std::string run = newest();
  // The same views of the same log: what is local here is what the server has.
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"logs", run},
                                             {"logs", run, "--json"},
                                             {"logs", run, "--step", "b"},
                                             {"logs", run, "--tail", "2"},
                                             {"logs", run, "--follow"},
                                             {"status", run}}) {
    const Exit there = remote(command);
    const Exit here = wave(project_, command);
    EXPECT_EQ(there.code, here.code) << there.err;
    EXPECT_EQ(there.out, here.out) << command[0];
  }
  EXPECT_TRUE(ran.out.contains("a: started")) << ran.out;
}

TEST_F(Remote, ADryRunShowsTheServersPlan) {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"run", "hello", "--dry-run"},
                                             {"run", "hello", "--dry-run", "--json"},
                                             {"run", "ask", "--dry-run", "--exclude", "last"}}) {
    const Exit there = remote(command);
    const Exit here = wave(project_, command);
    EXPECT_EQ(there.code, 0) << there.err;
    EXPECT_EQ(there.out, here.out);
  }
  EXPECT_EQ(remote({"run", "hello", "--dry-run", "--steps", "nowhere"}).code, 2);
  EXPECT_EQ(newest(), "") << "nothing was started";
}

TEST_F(Remote, AFailedRunHasItsExitCode) {
  project_.pipeline("bad", "  - {id: a, type: command, script: \"exit 3\"}\n");
  EXPECT_EQ(remote({"run", "bad"}).code, 1);
  const Exit missing = remote({"run", "nothing-like-this"});
  EXPECT_EQ(missing.code, 2) << missing.err;
}

TEST_F(Remote, CtrlCEndsTheShowingAndNotTheRun) {
  const auto shown = start_wave(elsewhere_, {"run", "wait"}, environment());
  std::string run;
  EXPECT_TRUE(wait_until([&] { return !(run = newest()).empty(); }));
  EXPECT_TRUE(wait_until([&] { return shown->out().contains("a: started"); })) << shown->out();
  shown->signal(SIGINT);
  const Exit left = shown->wait();
  EXPECT_EQ(left.code, 130);
  EXPECT_TRUE(left.err.contains("wave cancel")) << left.err;
  EXPECT_EQ(remote({"cancel", run}).code, 0);
  server_->wait_for_status(run, "cancelled");
  EXPECT_EQ(remote({"cancel", run}).code, 5) << "it has ended";
}

TEST_F(Remote, GatesAreListedAndAnsweredOnce) {
  const Exit started = remote({"run", "ask", "--detach", "-q"});
  EXPECT_EQ(started.code, 0) << started.err;
  const std::string run(trim(started.out));
  server_->wait_for_status(run, "waiting");
  EXPECT_TRUE(remote({"gate"}).out.contains("Shall we?"));
  EXPECT_EQ(remote({"gate", run, "--choice", "x"}).code, 2);
  const Exit answered = remote({"gate", run, "--choice", "y"});
  EXPECT_EQ(answered.code, 0) << answered.err;
  server_->wait_for_status(run, "completed");
  EXPECT_EQ(remote({"gate", run, "ok", "--choice", "n"}).code, 5);
}

TEST_F(Remote, ARunThatHasEndedIsResumedAsANewOne) {
  project_.pipeline("twice",
                    "  - {id: a, type: command, script: \"true\"}\n"
                    "  - {id: b, type: command, script: \"[ -e ../../../../go ]\", "
                    "dependencies: [a]}\n");
  EXPECT_EQ(remote({"run", "twice"}).code, 1);
  const std::string first = newest();
  project_.write("go", "");
  const Exit resumed = remote({"resume", first});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_NE(newest(), first);
}

// Promise E3, with the real client: the server is killed while it is followed.
TEST_F(Remote, FollowingSurvivesTheServersDeath) {
  const uint16_t port = server_->port();
  const auto shown = start_wave(elsewhere_, {"run", "wait", "--json"}, environment());
  EXPECT_TRUE(wait_until([&] { return shown->out().contains("step_started"); })) << shown->err();
  server_->kill();
  server_ =
      std::make_unique<Server>(project_, std::vector<std::string>{"--port", std::to_string(port)});
  project_.write("go", "");
  const Exit ended = shown->wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  std::vector<json::object> log;
  for (const std::string& line : split(ended.out, '\n')) {
    if (!line.empty()) log.push_back(parsed(line).as_object());
  }
  expect_sound(log);
  EXPECT_EQ(get_string(log.back(), "event"), "run_completed");
}

}  // namespace
}  // namespace wave::test

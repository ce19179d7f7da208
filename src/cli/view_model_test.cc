#include "cli/view_model.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cli/render.h"
#include "cli/style.h"

namespace wave::cli {
namespace {

WallTime at(int seconds) {
  return *parse_time("2026-01-02T03:04:00.000Z") + std::chrono::seconds(seconds);
}

/// A run's log, written down shortly: kind, second, and the fields behind the envelope.
class Log {
 public:
  Log() : model_("demo-1", "demo", {{"plan", "planner"}, {"build", "maker"}, {"ship", ""}}) {}

  Log& add(const std::string& kind, int second, const std::string& fields = "") {
    const std::string line =
        fmt::format(R"({{"v":1,"seq":{},"run_id":"demo-1","ts":"{}","event":"{}"{}{}}})", ++seq_,
                    format_time(at(second)), kind, fields.empty() ? "" : ",", fields);
    EXPECT_TRUE(model_.apply(line)) << line;
    return *this;
  }
  ViewModel& model() { return model_; }

  std::vector<std::string> shown(int second, RenderStyle style = {}) {
    return render(model_, GateInput(), at(second), style);
  }

 private:
  ViewModel model_;
  uint64_t seq_ = 0;
};

Log running() {
  Log log;
  log.add("run_queued", 0)
      .add("run_started", 0)
      .add("step_started", 0, R"("step":"plan","attempt":1,"visit":1,"reason":"first")")
      .add("agent_exited", 4,
           R"("step":"plan","usage":{"tokens_in":1000,"tokens_out":200,"cost_usd":0.012})")
      .add("step_completed", 5, R"("step":"plan","status":"success","visit":1,"attempt":1)")
      .add("step_started", 5, R"("step":"build","attempt":1,"visit":1,"reason":"first")")
      .add("stream_activity", 6,
           R"("step":"build","kind":"tool_use","tool_name":"Edit","tool_target":"src/a.c")");
  return log;
}

TEST(ViewModel, FoldsARun) {
  Log log = running();
  EXPECT_EQ(log.model().status, "running");
  EXPECT_EQ(log.model().find("plan")->status, "completed");
  EXPECT_EQ(log.model().find("build")->activity, "Edit src/a.c");
  EXPECT_EQ(log.model().usage.tokens, 1200);
  log.add("step_failed", 9, R"("step":"build","message":"exit 1","visit":1,"attempt":1)")
      .add("run_failed", 9, R"("code":"script_failed","message":"build failed")");
  EXPECT_TRUE(log.model().is_terminal());
  EXPECT_EQ(log.model().error_code, "script_failed");
  EXPECT_EQ(log.model().find("build")->note, "exit 1");
}

TEST(ViewModel, ALineCountsOnce) {
  ViewModel model("r", "p", {{"a", ""}});
  const std::string line =
      R"({"v":1,"seq":1,"run_id":"r","ts":"2026-01-02T03:04:00.000Z","event":"agent_exited","step":"a","usage":{"tokens_in":5}})";
  EXPECT_TRUE(model.apply(line));
  EXPECT_TRUE(model.apply(line));
  EXPECT_EQ(model.usage.tokens, 5);
}

TEST(ViewModel, SurvivesWhatIsNoEvent) {
  ViewModel model("r", "p", {{"a", ""}});
  EXPECT_FALSE(model.apply("{"));
  EXPECT_FALSE(model.apply("[1]"));
  EXPECT_FALSE(model.apply("{}"));
  EXPECT_TRUE(model.apply(
      R"({"seq":1,"event":"step_started","step":"unknown","ts":"nonsense","visit":"x"})"));
  EXPECT_TRUE(model.apply(R"({"seq":2,"event":"something_new"})"));
}

TEST(Render, ARunningRun) {
  Log log = running();
  const std::vector<std::string> expected{
      "demo  demo-1",
      "  ✓ plan   planner     0:05  1.2k tok $0.0120",
      "  ● build  maker       0:07  Edit src/a.c",
      "  · ship",
      "  0:12 running  1/3 steps  1.2k tok $0.0120  Ctrl-C stops",
  };
  std::vector<std::string> shown = log.shown(12);
  for (std::string& line : shown) line.erase(line.find_last_not_of(' ') + 1);
  EXPECT_EQ(shown, expected);
}

TEST(Render, AGateShowsItsChoices) {
  Log log = running();
  log.add("step_completed", 8, R"("step":"build","status":"success")")
      .add(
          "gate_waiting", 9,
          R"("step":"ship","gate_id":"ship.1","type":"approval","prompt":"Ship it?","choices":[{"key":"y","label":"Yes"},{"key":"n","label":"No"}],"default":"n")")
      .add("run_waiting", 9, R"("reason":"gate")");
  const std::vector<std::string> shown = log.shown(12, {.answers = true});
  ASSERT_EQ(shown.size(), 8u);
  EXPECT_EQ(shown[4], "  ? ship waits for you");
  EXPECT_EQ(shown[5], "    Ship it?");
  EXPECT_EQ(shown[6], "    [y] Yes [n] No (default)");
  EXPECT_EQ(shown[7], "  0:12 waiting (gate)  2/3 steps  1.2k tok $0.0120  Ctrl-C stops");
  EXPECT_TRUE(log.shown(12)[6].ends_with("answer: wave gate demo-1 ship")) << log.shown(12)[6];
  log.add("gate_resolved", 13, R"("step":"ship","gate_id":"ship.1","choice":"y","label":"Yes")");
  EXPECT_TRUE(log.model().gates.empty());
}

TEST(Render, NeverPassesTheTerminal) {
  std::vector<std::pair<std::string, std::string>> steps;
  for (int i = 0; i < 200; ++i)
    steps.emplace_back(fmt::format("step-with-a-long-name-{}", i), "someone");
  ViewModel model("run-1", "big", steps);
  for (int i = 0; i < 50; ++i) {
    model.apply(fmt::format(
        R"({{"seq":{},"ts":"2026-01-02T03:04:00Z","event":"step_started","step":"step-with-a-long-name-{}","visit":1,"attempt":1}})",
        i + 1, i));
  }
  for (const int height : {1, 2, 5, 24, 60}) {
    for (const int width : {1, 10, 40, 80}) {
      const auto lines =
          render(model, GateInput(), at(0), {.width = width, .height = height, .colors = true});
      EXPECT_LE(lines.size(), static_cast<size_t>(height));
      for (const std::string& line : lines) EXPECT_LE(display_width(line), width);
    }
  }
  const auto lines = render(model, GateInput(), at(0), {.height = 10});
  EXPECT_NE(lines[8].find("43 more running, 150 to come"), std::string::npos) << lines[8];
}

TEST(Render, AgentsCannotDraw) {
  Log log = running();
  log.add("stream_activity", 7,
          R"("step":"build","kind":"text","content":"\u001b[2J\u001b]0;title\u0007gone\nsecond")");
  for (const std::string& line : log.shown(8)) {
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
}

TEST(Render, TheSummarySaysWhatToDoNext) {
  Log log = running();
  log.add("step_failed", 9, R"("step":"build","message":"tests fail")")
      .add("artifact_created", 9, R"("step":"plan","name":"plan","path":"plan.json","size":12)")
      .add("run_failed", 9, R"("code":"contract_failed","message":"step build failed")");
  EXPECT_EQ(render_summary(log.model(), at(20), {}),
            "✗ demo-1 failed in 0:09, 2 of 3 steps, 1.2k tok $0.0120\n"
            "  ✗ build: tests fail\n"
            "  made:\n"
            "    plan/plan  12 B\n"
            "  go on:   wave resume demo-1\n"
            "  look:    wave status demo-1, or wave logs, or wave artifacts\n");
}

TEST(Render, PlainLinesAreOneLineEach) {
  EXPECT_EQ(plain_line(R"({"seq":3,"ts":"2026-01-02T03:04:05.000Z","event":"step_started",
                           "step":"build","persona":"maker","attempt":2,"reason":"retry"})",
                       false),
            "03:04:05 build: started by maker (attempt 2, retry)");
  EXPECT_EQ(plain_line(R"({"seq":9,"ts":"2026-01-02T03:04:05.000Z","event":"run_failed",
                           "message":"a\nb"})",
                       false),
            "03:04:05 run failed: a b");
  const std::string activity =
      R"({"seq":4,"ts":"2026-01-02T03:04:05.000Z","event":"stream_activity","step":"build",
          "kind":"text","content":"hello"})";
  EXPECT_EQ(plain_line(activity, false), "");
  EXPECT_EQ(plain_line(activity, true), "03:04:05 build: | hello");
}

}  // namespace
}  // namespace wave::cli

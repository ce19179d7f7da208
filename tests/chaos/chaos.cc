#include "chaos/chaos.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <map>

namespace wave::test {

std::chrono::seconds chaos_time(std::chrono::seconds usual) {
  const char* asked = std::getenv("WAVE_CHAOS_SECONDS");
  return asked == nullptr ? usual : std::chrono::seconds(std::atoi(asked));
}

Killer::Killer(const Project& project)
    : mark_("HOME=" + project.environment().at("HOME")), seed_(std::random_device{}()) {
  if (const char* asked = std::getenv("WAVE_CHAOS_SEED")) {
    seed_ = static_cast<unsigned>(std::strtoul(asked, nullptr, 10));
  }
  random_.seed(seed_);
}

bool Killer::strike() {
  const std::vector<pid_t> victims = processes_with(mark_);
  if (victims.empty()) return false;
  ++strikes_;
  return ::kill(victims[random(victims.size())], SIGKILL) == 0;
}

std::chrono::milliseconds Killer::pause() {
  // Mostly in the midst of things, at times after they have settled.
  return std::chrono::milliseconds(random(10) == 0 ? 1500 : 20 + random(400));
}

bool is_over(const std::string& status) {
  return status == "completed" || status == "failed" || status == "rejected" ||
         status == "cancelled" || status == "completed_empty";
}

void write_chaos_pipeline(const Project& project) {
  // The line's number tells what was lost or doubled; the pid tells one process from the next.
  constexpr std::string_view kScript =
      "      for i in 1 2 3 4 5 6 7 8; do echo \"line $$ $i\"; sleep 0.0$((RANDOM % 9 + 1)); "
      "done\n";
  std::string steps;
  const auto add = [&](const std::string& id, const std::string& after) {
    steps += "  - id: " + id + "\n    type: command\n    retry: {max_attempts: 5}\n";
    if (!after.empty()) steps += "    dependencies: [" + after + "]\n";
    steps += "    script: |\n" + std::string(kScript);
  };
  add("a", "");
  add("b", "a");
  add("c", "a");
  add("d", "b, c");
  project.pipeline("chaos", steps);
}

namespace {

/// The numbers that each process of a step said, in the order of the log.
std::map<std::string, std::vector<int>> lines_said(const std::vector<json::object>& log) {
  std::map<std::string, std::vector<int>> said;
  for (const json::object& event : log) {
    if (get_string(event, "event") != "stream_activity") continue;
    const std::string content(get_string(event, "content"));
    for (size_t at = content.find("line "); at != std::string::npos;
         at = content.find("line ", at + 1)) {
      int pid = 0, number = 0;
      if (std::sscanf(content.c_str() + at, "line %d %d", &pid, &number) != 2) continue;
      said[std::string(get_string(event, "step")) + "/" + std::to_string(pid)].push_back(number);
    }
  }
  return said;
}

std::string status_of_end(const json::object& event) {
  const std::string_view kind = get_string(event, "event");
  if (kind == "run_completed") {
    return get_string(event, "status") == "empty" ? "completed_empty" : "completed";
  }
  if (kind == "run_failed") return "failed";
  if (kind == "run_rejected") return "rejected";
  if (kind == "run_cancelled") return "cancelled";
  return "no end";
}

}  // namespace

void expect_survived(const Project& project, const std::string& run_id) {
  SCOPED_TRACE(run_id);
  const auto log = events(project, run_id);
  ASSERT_FALSE(log.empty());
  expect_sound(log);
  EXPECT_EQ(status(project, run_id), status_of_end(log.back()));
  for (const auto& [process, numbers] : lines_said(log)) {
    SCOPED_TRACE(process);
    for (size_t i = 0; i < numbers.size(); ++i) {
      ASSERT_EQ(numbers[i], static_cast<int>(i + 1)) << "a line was lost or doubled";
    }
  }
  for (const char* step : {"a", "b", "c", "d"}) {
    EXPECT_LE(count_events(log, "step_completed", step), 1u) << step;
  }
  EXPECT_TRUE(wait_until([&] { return agents_of(run_id).empty(); })) << "a process is left";
}

}  // namespace wave::test

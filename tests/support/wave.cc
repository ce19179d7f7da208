#include "support/wave.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace wave::test {

std::unique_ptr<Program> start_wave(const Project& project, std::vector<std::string> arguments,
                                    std::map<std::string, std::string> more_environment) {
  arguments.insert(arguments.begin(), WAVE_BINARY);
  more_environment.merge(project.environment());
  return std::make_unique<Program>(std::move(arguments), project.root(),
                                   std::move(more_environment));
}

Exit wave(const Project& project, std::vector<std::string> arguments,
          std::map<std::string, std::string> more_environment) {
  return start_wave(project, std::move(arguments), std::move(more_environment))->wait();
}

json::value parsed(const std::string& text) {
  auto value = parse_json(text);
  if (!value) {
    ADD_FAILURE() << value.error().message << " in: " << text;
    return json::object{};
  }
  return *std::move(value);
}

std::vector<json::object> events(const Project& project, const std::string& run_id) {
  std::vector<json::object> list;
  const Exit logs = wave(project, {"logs", run_id, "--json"});
  if (logs.code != 0) return list;
  for (const std::string& line : split(logs.out, '\n')) {
    if (!line.empty()) list.push_back(parsed(line).as_object());
  }
  return list;
}

std::optional<std::string> newest_run(const Project& project) {
  const Exit status = wave(project, {"status", "--all", "--json"});
  if (status.code != 0) return std::nullopt;
  const json::value answer = parsed(status.out);
  const json::array& runs = get_array(answer.as_object(), "runs");
  if (runs.empty()) return std::nullopt;
  return std::string(get_string(runs[0].as_object(), "run_id"));
}

std::string wait_for_run(const Project& project) {
  std::optional<std::string> run;
  EXPECT_TRUE(wait_until([&] { return (run = newest_run(project)).has_value(); }))
      << "no run appears";
  return run.value_or("");
}

std::string status(const Project& project, const std::string& run_id) {
  const Exit exit = wave(project, {"status", run_id, "--json"});
  if (exit.code != 0) return {};
  const json::value answer = parsed(exit.out);
  return std::string(get_string(answer.as_object(), "status"));
}

bool wait_for_status(const Project& project, const std::string& run_id, const std::string& wanted) {
  std::string last;
  const bool came = wait_until([&] { return (last = status(project, run_id)) == wanted; });
  EXPECT_TRUE(came) << "run " << run_id << " is " << last << ", not " << wanted;
  return came;
}

json::object wait_for_event(const Project& project, const std::string& run_id,
                            const std::string& kind, const std::string& step) {
  json::object found;
  EXPECT_TRUE(wait_until([&] {
    for (json::object& event : events(project, run_id)) {
      if (get_string(event, "event") != kind) continue;
      if (!step.empty() && get_string(event, "step") != step) continue;
      found = std::move(event);
      return true;
    }
    return false;
  })) << "no "
      << kind << " of " << step;
  return found;
}

size_t count_events(const std::vector<json::object>& events, const std::string& kind,
                    const std::string& step) {
  return static_cast<size_t>(std::ranges::count_if(events, [&](const json::object& event) {
    return get_string(event, "event") == kind &&
           (step.empty() || get_string(event, "step") == step);
  }));
}

void expect_sound(const std::vector<json::object>& events) {
  std::string last_ts;
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(get_int(events[i], "seq"), static_cast<int64_t>(i + 1));
    const std::string ts(get_string(events[i], "ts"));
    EXPECT_LE(last_ts, ts);
    last_ts = ts;
    const std::string_view kind = get_string(events[i], "event");
    const bool terminal = kind == "run_completed" || kind == "run_failed" ||
                          kind == "run_rejected" || kind == "run_cancelled";
    if (terminal) EXPECT_EQ(i + 1, events.size()) << "events follow the terminal one";
  }
}

std::vector<pid_t> agents_of(const std::string& run_id) {
  return processes_with("WAVE_AGENT=" + run_id + "/");
}

}  // namespace wave::test

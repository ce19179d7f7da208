#include <gtest/gtest.h>

#include "base/text.h"
#include "scenario.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using Events = std::vector<json::object>;

// "key=value" words after the kind and, maybe, the step.
bool matches(const json::object& event, const std::vector<std::string>& words) {
  if (words.empty() || get_string(event, "event") != words[0]) return false;
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos) {
      if (get_string(event, "step") != words[i]) return false;
      continue;
    }
    const json::value* value = find(event, words[i].substr(0, equals));
    if (value == nullptr || json_to_text(*value) != words[i].substr(equals + 1)) return false;
  }
  return true;
}

class Runner {
 public:
  Runner(const Scenario& scenario, bool one_at_a_time) : scenario_(scenario) {
    for (const auto& [path, text] : scenario.files) project_.write(path, text);
    project_.manifest_append(scenario.manifest);
    if (one_at_a_time) project_.manifest_append("  max_concurrency: 1\n");
  }

  void run() {
    for (const ScenarioStep& step : scenario_.steps) {
      std::vector<std::string> arguments = step.arguments;
      for (std::string& argument : arguments) {
        if (argument == "RUN") argument = newest_run(project_).value_or("none");
      }
      exit_ = wave(project_, arguments);
      events_.reset();
      next_ = 0;
      for (const Expectation& expectation : step.expectations) {
        SCOPED_TRACE(scenario_.name + ".scn:" + std::to_string(expectation.line));
        check(expectation);
      }
      if (::testing::Test::HasFailure()) {
        ADD_FAILURE() << "wave " << join(arguments, " ") << " said:\n" << exit_.out << exit_.err;
        return;
      }
    }
  }

 private:
  const Events& log() {
    if (!events_) {
      events_ = events(project_, newest_run(project_).value_or("none"));
      expect_sound(*events_);
    }
    return *events_;
  }

  void check(const Expectation& e) {
    if (e.verb == "exit") {
      EXPECT_EQ(std::to_string(exit_.code), e.rest);
    } else if (e.verb == "out:") {
      EXPECT_TRUE(exit_.out.contains(e.rest)) << "stdout lacks: " << e.rest;
    } else if (e.verb == "err:") {
      EXPECT_TRUE(exit_.err.contains(e.rest)) << "stderr lacks: " << e.rest;
    } else if (e.verb == "event") {
      check_in_order(e);
    } else if (e.verb == "unordered" || e.verb == "no-event") {
      const bool there =
          std::ranges::any_of(log(), [&](const auto& event) { return matches(event, e.words); });
      EXPECT_EQ(there, e.verb == "unordered") << e.rest << "\n" << kinds();
    } else if (e.verb == "status") {
      EXPECT_EQ(status(project_, newest_run(project_).value_or("none")), e.rest);
    } else if (e.verb == "step") {
      check_step(e);
    } else if (e.verb == "file") {
      const size_t colon = e.rest.find(": ");
      const std::string path = e.rest.substr(0, colon);
      EXPECT_TRUE(project_.read(path).contains(e.rest.substr(colon + 2))) << path << " lacks it";
    } else {
      ADD_FAILURE() << "unknown expectation: " << e.verb;
    }
  }

  void check_in_order(const Expectation& e) {
    const Events& all = log();
    for (; next_ < all.size(); ++next_) {
      if (!matches(all[next_], e.words)) continue;
      ++next_;
      return;
    }
    ADD_FAILURE() << "not there, or not in this place: " << e.rest << "\n" << kinds();
  }

  void check_step(const Expectation& e) {
    const Exit shown = wave(project_, {"status", newest_run(project_).value_or("none"), "--json"});
    const json::value answer = parsed(shown.out);
    for (const json::value& step : get_array(answer.as_object(), "steps")) {
      if (get_string(step.as_object(), "step") != e.words.at(0)) continue;
      EXPECT_EQ(get_string(step.as_object(), "status"), e.words.at(1));
      return;
    }
    ADD_FAILURE() << "no step " << e.words.at(0);
  }

  std::string kinds() {
    std::string list = "the log:\n";
    for (const json::object& event : log()) list += "  " + dump_json(event).substr(0, 300) + "\n";
    return list;
  }

  const Scenario& scenario_;
  Project project_;
  Exit exit_;
  std::optional<Events> events_;
  size_t next_ = 0;
};

class ScenarioTest : public ::testing::Test {
 public:
  ScenarioTest(Scenario scenario, bool one_at_a_time)
      : scenario_(std::move(scenario)), one_at_a_time_(one_at_a_time) {}
  void TestBody() override { Runner(scenario_, one_at_a_time_).run(); }

 private:
  Scenario scenario_;
  bool one_at_a_time_;
};

// Every file is a test; found when the program starts.
const bool kRegistered = [] {
  const std::filesystem::path folder = std::filesystem::path(WAVE_SOURCE_DIR) / "tests/scenarios";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".scn") continue;
    const Scenario scenario = read_scenario(entry.path());
    for (const bool one : {false, true}) {
      ::testing::RegisterTest(
          "Scenarios", (scenario.name + (one ? "/one_at_a_time" : "/parallel")).c_str(), nullptr,
          nullptr, __FILE__, __LINE__,
          [scenario, one]() -> ::testing::Test* { return new ScenarioTest(scenario, one); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace wave::test

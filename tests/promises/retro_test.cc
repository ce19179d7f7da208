// Looking back at runs with the real binary.
#include <gtest/gtest.h>

#include "support/wave.h"

namespace wave::test {
namespace {

json::object retro(const Project& project, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "retro");
  arguments.emplace_back("--json");
  const Exit exit = wave(project, arguments);
  EXPECT_EQ(exit.code, 0) << exit.err;
  const json::value value = parsed(exit.out);
  return value.is_object() ? value.get_object() : json::object{};
}

TEST(Retro, TellsWhatWasTriedAgainAndComparesWithEarlierRuns) {
  const Project project;
  EXPECT_EQ(wave(project, {"retro"}).code, 2) << "nothing has been run yet";
  project.pipeline("flaky",
                   "  - id: a\n    type: command\n    retry: {max_attempts: 2, base_delay: 10ms}\n"
                   "    script: |\n"
                   "      [ -e ../../../../second ] || { touch ../../../../second; exit 3; }\n");
  EXPECT_EQ(wave(project, {"run", "flaky"}).code, 0);
  const json::object first = retro(project, {});
  EXPECT_EQ(get_string(first, "outcome"), "completed");
  EXPECT_EQ(get_int(first, "retries"), 1);
  ASSERT_EQ(get_array(first, "friction").size(), 1u);
  EXPECT_EQ(get_string(get_array(first, "friction")[0].as_object(), "kind"), "retry");
  EXPECT_EQ(
      get_int(first, "queued_ms") + get_int(first, "working_ms") + get_int(first, "waiting_ms"),
      get_int(first, "total_ms"));

  EXPECT_EQ(wave(project, {"run", "flaky"}).code, 0);
  const json::object second = retro(project, {});
  EXPECT_NE(get_string(second, "run_id"), get_string(first, "run_id"));
  EXPECT_EQ(get_int(get_object(second, "comparison"), "earlier_completed"), 1);
  // The first one again, by the beginning of its id: nothing came before it.
  const json::object again = retro(project, {std::string(get_string(first, "run_id"))});
  EXPECT_EQ(get_int(get_object(again, "comparison"), "earlier_runs"), 0);

  const json::object list = retro(project, {"list", "--pipeline", "flaky", "--since", "1h"});
  EXPECT_EQ(get_array(list, "retros").size(), 2u);
  const json::object stats = retro(project, {"stats"});
  const json::object& of = get_array(stats, "stats")[0].as_object();
  EXPECT_EQ(get_int(of, "runs"), 2);
  EXPECT_EQ(get_int(get_array(of, "steps")[0].as_object(), "flaky"), 1);
  for (const char* what : {"list", "stats"}) {
    const Exit text = wave(project, {"retro", what});
    EXPECT_EQ(text.code, 0);
    EXPECT_TRUE(text.out.contains("flaky")) << text.out;
  }
  EXPECT_EQ(wave(project, {"retro", "--since", "1h"}).code, 2);
  EXPECT_EQ(wave(project, {"retro", "list", "--since", "yesterday"}).code, 2);
}

}  // namespace
}  // namespace wave::test

// What clients that do not read may cost: little, and nobody else's answer.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

#include "support/reader.h"
#include "support/sanitized.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr int kMessages = 1'500;
constexpr size_t kMegabyte = 1 << 20;

// Sanitizers keep freed memory for a while, which is not what is measured here.
const std::map<std::string, std::string> kFrugal{
    {"ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}};

/// A run with much to say and much to show, and one that waits at a gate.
struct Talkative {
  Talkative() {
    project.pipeline(
        "talk",
        "  - {id: talk, persona: worker, exec: {type: prompt, source: talk}}\n"
        "  - id: print\n    type: command\n    dependencies: [talk]\n"
        "    script: \"head -c 1000000 /dev/zero | tr '\\\\0' x > big.txt; cat big.txt\"\n"
        "    output_artifacts: [{name: big, path: big.txt, type: text}]\n");
    project.script("talk", fmt::format("- repeat: {{times: {}, actions: [{{say: {}}}]}}\n",
                                       kMessages, std::string(1'900, 'x')));
    project.pipeline("large", "  - {id: only, type: command, script: \"true\"}\n# " +
                                  std::string(200'000, 'x') + "\n");
    project.pipeline(
        "asks",
        "  - id: ask\n    gate: {type: approval, prompt: p, choices: [{label: \"Yes\", "
        "key: y}]}\n");
  }
  Project project;
};

TEST(Promises, O9_AnswersThatNobodyReadsCostLittleAndKeepNothingFromAnswering) {
  constexpr int kOfEach = 8;
  const Talkative talkative;
  Server server(talkative.project, {}, kFrugal);
  const std::string run = server.submit({{"pipeline", "talk"}});
  const std::string waiting = server.submit({{"pipeline", "asks"}});
  const std::string other = server.submit({{"pipeline", "asks"}});
  server.wait_for_status(run, "completed");
  server.wait_for_status(waiting, "waiting");
  server.wait_for_status(other, "waiting");
  const std::string self = "/api/runs/" + run;
  const std::vector<std::string> large{self + "/logs?format=text",
                                       self + "/logs?tail=10000",
                                       self + "/steps/print/output?length=1000000",
                                       self + "/artifacts/print/big",
                                       "/api/pipelines/large",
                                       self + "/logs?format=text&tail=1000"};
  const size_t before = resident_bytes(server.program().pid());
  size_t most = before;
  {
    std::vector<Reader> readers;
    for (int round = 0; round < kOfEach; ++round) {
      for (const std::string& target : large) readers.emplace_back(server.port(), target);
      most = std::max(most, resident_bytes(server.program().pid()));
    }
    // What is urgent is answered while they all wait for theirs, and not only once they have them.
    EXPECT_EQ(server.get("/api/health").status, 200);
    EXPECT_EQ(server.get("/api/health/ready").status, 200);
    EXPECT_EQ(server.get("/api/gates").status, 200);
    EXPECT_EQ(
        server.post("/api/runs/" + waiting + "/gate/ask", json::object{{"choice", "y"}}).status,
        200);
    EXPECT_EQ(server.post("/api/runs/" + other + "/cancel", json::object{}).status, 200);
    // And so is everything else, to those who read.
    for (const std::string& target : large) EXPECT_EQ(server.get(target).status, 200) << target;
    most = std::max(most, resident_bytes(server.program().pid()));
  }
  server.wait_for_status(waiting, "completed");
  if (kIsSanitized) return;  // it keeps what was freed
  EXPECT_LT(most, before + 60 * kMegabyte);
  // The memory is given back, not kept for the next storm.
  EXPECT_TRUE(wait_until([&] {
    return resident_bytes(server.program().pid()) < before + 40 * kMegabyte;
  })) << "after they left: "
      << resident_bytes(server.program().pid()) / kMegabyte
      << " MiB, before they came: " << before / kMegabyte;
}

size_t address_space(pid_t pid) {
  size_t pages = 0;
  std::FILE* file = std::fopen(fmt::format("/proc/{}/statm", pid).c_str(), "r");
  if (file == nullptr) return 0;
  const int got = std::fscanf(file, "%zu", &pages);
  (void)std::fclose(file);
  return got == 1 ? pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

TEST(Promises, O9_AnswersWithoutMemoryAreRefusedAndTheServerGoesOn) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer ends the program when memory lacks";
  const Talkative talkative;
  Server server(talkative.project);
  const pid_t pid = server.program().pid();
  const std::string run = server.submit({{"pipeline", "talk"}});
  server.wait_for_status(run, "completed");
  const std::string self = "/api/runs/" + run;
  const rlimit scarce{.rlim_cur = address_space(pid) + kMegabyte, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(pid, RLIMIT_AS, &scarce, nullptr), 0);
  {
    std::vector<Reader> readers;
    for (int round = 0; round < 8; ++round) {
      for (const std::string& target :
           {self + "/logs?tail=10000", self, std::string("/api/pipelines/large"),
            self + "/logs?format=text", self + "/events", std::string("/api/runs")}) {
        readers.emplace_back(server.port(), target);
      }
    }
    // Some get their answer, some a refusal, some are cut off; each comes to an end.
    for (Reader& reader : readers) (void)reader.read(4096);
  }
  EXPECT_FALSE(server.program().ended());
  const rlimit enough{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(pid, RLIMIT_AS, &enough, nullptr), 0);
  EXPECT_EQ(server.get("/api/health").status, 200);
  EXPECT_EQ(server.get(self).status, 200);
  EXPECT_EQ(server.get(self + "/logs?format=text").status, 200);
  const std::string again = server.submit({{"pipeline", "large"}});
  server.wait_for_status(again, "completed");
}

TEST(Promises, O9_WhatIsReadWhileItIsSentIsWhole) {
  const Talkative talkative;
  Server server(talkative.project, {}, kFrugal);
  const std::string run = server.submit({{"pipeline", "talk"}});
  server.wait_for_status(run, "completed");
  const std::string self = "/api/runs/" + run;
  const std::string text = server.get(self + "/logs?format=text").body;
  const auto count = [](std::string_view where, std::string_view what) {
    size_t found = 0;
    for (size_t at = where.find(what); at != std::string_view::npos;
         at = where.find(what, at + 1)) {
      ++found;
    }
    return found;
  };
  EXPECT_GE(count(text, "\n"), kMessages);
  EXPECT_GE(count(text, std::string(1'900, 'x')), kMessages);  // and an excerpt of what was printed
  const json::object lines = server.get(self + "/logs?tail=10000").object();
  EXPECT_EQ(lines.at("lines").as_array().size(), count(text, "\n"));
  const std::string tail = server.get(self + "/logs?format=text&tail=300").body;
  EXPECT_EQ(count(tail, "\n"), 300u);
  EXPECT_TRUE(text.ends_with(tail));
  const std::string part = server.get(self + "/logs?format=text&offset=100001&length=200000").body;
  EXPECT_EQ(part, text.substr(100'001, 200'000));
  EXPECT_EQ(server.get(self + "/artifacts/print/big").body, std::string(1'000'000, 'x'));
  EXPECT_EQ(server.get(self + "/steps/print/output?length=1000000").body,
            std::string(1'000'000, 'x'));
}

}  // namespace
}  // namespace wave::test

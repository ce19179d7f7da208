// Many clients that read slowly, or not at all, for longer than a quick test may take.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/reader.h"
#include "support/server.h"

namespace wave::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kMebibyte = 1 << 20;

/// A run with a log of some ten megabytes, and an artifact as large.
class Readers : public testing::Test {
 protected:
  Readers() {
    project_.pipeline("talk",
                      "  - {id: talk, persona: worker, exec: {type: prompt, source: talk}}\n"
                      "  - id: make\n    type: command\n    dependencies: [talk]\n"
                      "    script: \"head -c 16000000 /dev/zero | tr '\\\\0' x > big.txt\"\n"
                      "    output_artifacts: [{name: big, path: big.txt, type: text}]\n");
    project_.script("talk", fmt::format("- repeat: {{times: 50000, actions: [{{say: {}}}]}}\n",
                                        std::string(200, 'x')));
    server_ = std::make_unique<Server>(project_);
    run_ = server_->submit({{"pipeline", "talk"}});
    server_->wait_for_status(run_, "completed");
  }
  [[nodiscard]] std::string below(const std::string& path) const {
    return "/api/runs/" + run_ + path;
  }

  Project project_;
  std::unique_ptr<Server> server_;
  std::string run_;
};

TEST_F(Readers, SlowIsNotDeadAndWhoTakesNothingIsCutAfterAMinute) {
  std::vector<Reader> slow, dead;
  for (const std::string& target : {below("/logs?format=text"), below("/artifacts/make/big"),
                                    below("/events"), below("/logs?tail=10000")}) {
    slow.emplace_back(server_->port(), target);
    dead.emplace_back(server_->port(), target);
  }
  const auto begin = steady_clock::now();
  auto next = begin;
  while (steady_clock::now() < begin + seconds(150)) {
    for (Reader& reader : slow) ASSERT_GT(reader.read(2'000), 0u);
    for (const Reader& reader : dead) {
      if (steady_clock::now() < begin + seconds(55)) {
        EXPECT_FALSE(reader.is_cut());
      }
    }
    next += seconds(1);
    std::this_thread::sleep_until(next);  // the pace is what is tried here
  }
  for (const Reader& reader : dead) EXPECT_TRUE(reader.is_cut());
}

TEST_F(Readers, HundredsThatDoNotReadCostLittleAndAreForgotten) {
  const pid_t pid = server_->program().pid();
  const size_t before = resident_bytes(pid);
  size_t most = 0;
  {
    std::vector<Reader> readers;
    for (int round = 0; round < 100; ++round) {
      for (const std::string& target :
           {below("/logs?format=text"), below("/artifacts/make/big"), below("/logs?tail=10000")}) {
        readers.emplace_back(server_->port(), target);
      }
    }
    for (int look = 0; look < 40; ++look) {
      const auto asked = steady_clock::now();
      EXPECT_EQ(server_->get("/api/health/ready").status, 200);
      EXPECT_EQ(server_->get("/api/gates").status, 200);
      EXPECT_LT(steady_clock::now() - asked, seconds(5));
      most = std::max(most, resident_bytes(pid));
      std::this_thread::sleep_for(std::chrono::milliseconds(250));  // between two looks
    }
  }
  EXPECT_LT(most, before + 150 * kMebibyte);
  EXPECT_TRUE(wait_until([&] { return resident_bytes(pid) < before + 40 * kMebibyte; }))
      << resident_bytes(pid) / kMebibyte << " MiB after " << before / kMebibyte << " MiB";
}

}  // namespace
}  // namespace wave::test

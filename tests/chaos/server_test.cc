// A server that is killed again and again, with its agents and their hosts, while runs come in.
#include "support/server.h"

#include <gtest/gtest.h>

#include <thread>

#include "chaos/chaos.h"

namespace wave::test {
namespace {

constexpr size_t kMostServerRuns = 15;

/// A run that was asked for: its key, and its id once the server has said it.
struct Asked {
  std::string key, run_id;
};

/// The server, brought up again whenever it is gone.
class Revived {
 public:
  explicit Revived(const Project& project) : project_(project) { revive(); }
  Server& server() {
    if (server_->program().ended()) revive();
    return *server_;
  }
  [[nodiscard]] size_t lives() const { return lives_; }

 private:
  void revive() {
    server_.reset();
    // What is killed while it comes up is started again.
    server_ = std::make_unique<Server>(project_);
    ++lives_;
  }
  const Project& project_;
  std::unique_ptr<Server> server_;
  size_t lives_ = 0;
};

/// Asks for the run until an answer comes. The key makes it one run, however often it is sent.
bool submit(Revived& revived, Asked& asked) {
  const Answer answer = revived.server().post("/api/runs", json::object{{"pipeline", "chaos"}},
                                              {{"Idempotency-Key", asked.key}});
  if (answer.status == 0) return false;
  EXPECT_EQ(answer.status, 201) << answer.body;
  asked.run_id = get_string(answer.object(), "run_id");
  return true;
}

// Promises Q1, Q4, Q6, Q8, S1, S2, S3, E1 and E11, all at once.
TEST(Chaos, TheServerSurvivesKills) {
  const Project project;
  write_chaos_pipeline(project);
  Killer killer(project);
  SCOPED_TRACE("WAVE_CHAOS_SEED=" + std::to_string(killer.seed()));
  Revived revived(project);
  std::vector<Asked> all;
  const auto end = std::chrono::steady_clock::now() + chaos_time(std::chrono::seconds(30));
  while (std::chrono::steady_clock::now() < end) {
    if (all.size() < kMostServerRuns && killer.random(3) == 0) {
      all.push_back({"key-" + std::to_string(all.size()), ""});
    }
    for (Asked& asked : all) {
      if (asked.run_id.empty()) (void)submit(revived, asked);
    }
    std::this_thread::sleep_for(killer.pause());
    if (killer.random(3) == 0) {
      revived.server().kill();
    } else {
      killer.strike();
    }
  }
  for (Asked& asked : all) {
    EXPECT_TRUE(wait_until([&] { return !asked.run_id.empty() || submit(revived, asked); }));
    const std::string known = asked.run_id;
    EXPECT_TRUE(wait_until([&] { return submit(revived, asked); }));
    EXPECT_EQ(asked.run_id, known) << "the same key made another run";
  }
  for (const Asked& asked : all) {
    std::string last;
    EXPECT_TRUE(wait_until(
        [&] {
          (void)revived.server();
          return is_over(last = status(project, asked.run_id));
        },
        std::chrono::minutes(2)))
        << asked.run_id << " is " << last;
  }
  for (const Asked& asked : all) expect_survived(project, asked.run_id);
  EXPECT_EQ(get_array(revived.server().get("/api/runs?limit=200").object(), "runs").size(),
            all.size())
      << "a run that nobody asked for";
  EXPECT_EQ(revived.server().stop().code, 0);
  std::cout << "  " << killer.strikes() << " kills, " << revived.lives() << " lives, " << all.size()
            << " runs\n";
}

}  // namespace
}  // namespace wave::test

// Commands against a server that is played: real HTTP, made-up runs.
#include "cli/remote/remote_runs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "cli/context.h"
#include "cli/test_folder.h"
#include "cli/wait_for_run.h"
#include "http/server.h"

namespace wave::cli::remote {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string event_line(uint64_t seq, std::string_view kind, std::string_view step = {}) {
  return fmt::format(
      R"({{"v":1,"seq":{},"run_id":"p-1","ts":"2026-01-02T03:04:05.000Z","event":"{}"{}}})", seq,
      kind, step.empty() ? "" : fmt::format(R"(,"step":"{}")", step));
}

/// Sends what it is given, then ends: a connection that breaks.
class Frames final : public http::StreamSource {
 public:
  explicit Frames(std::vector<std::string> frames) : frames_(std::move(frames)) {}
  Next pull(size_t, std::vector<http::Frame>& out) override {
    for (const std::string& frame : frames_) {
      out.push_back(std::make_shared<const std::string>(frame));
    }
    return Next::kEnded;
  }

 private:
  std::vector<std::string> frames_;
};

class PlayedServer {
 public:
  PlayedServer() {
    http::ServerOptions options;
    options.reactors = 1;
    options.workers = 4;
    options.body_limit = [](const http::Request&) { return size_t{1} << 20; };
    auto started = http::Server::start(std::move(options),
                                       [this](http::Request request, http::Responder responder) {
                                         answer(std::move(request), std::move(responder));
                                       });
    if (!started) throw std::runtime_error(full_message(started.error()));
    server_ = *std::move(started);
  }

  [[nodiscard]] std::string url() const {
    return fmt::format("http://127.0.0.1:{}", server_->address().second);
  }
  /// How many events a connection gets before it breaks.
  size_t per_connection = 1000;
  std::vector<std::string> log;
  std::string status = "completed";
  std::string token;                        // what callers have to carry; empty: nothing
  std::map<std::string, std::string> said;  // path -> answer of a POST; "!409 ..." refuses

  [[nodiscard]] std::vector<std::string> seen() {
    const std::scoped_lock lock(mutex_);
    return seen_;
  }

 private:
  static void reply(http::Responder& responder, int status, std::string body) {
    http::Response response;
    response.status = status;
    response.headers.set("Content-Type", "application/json");
    response.body = std::move(body);
    responder.send(std::move(response));
  }

  void answer(http::Request request, http::Responder responder) {
    {
      const std::scoped_lock lock(mutex_);
      std::string line = request.method + " " + request.target;
      if (const auto id = request.headers.find("last-event-id")) line += " @" + std::string(*id);
      if (!request.body.empty()) line += " " + request.body;
      seen_.push_back(std::move(line));
    }
    const auto credential = request.headers.find("authorization").value_or("");
    if (!token.empty() && credential != "Bearer " + token) {
      return reply(responder, 401,
                   R"({"code":"unauthorized","detail":"no token","hint":"send one"})");
    }
    if (request.method == "POST") return post(request, responder);
    const std::string run = fmt::format(
        R"({{"run_id":"p-1","pipeline":"p","status":"{}","last_seq":{},"steps_total":2,)"
        R"("steps_done":1,"error":null,"queued_at":"2026-01-02T03:04:05.000Z"}})",
        status, log.size());
    if (request.path == "/api/runs") {
      return reply(responder, 200,
                   R"({"runs":[)" + run + R"(],"next_cursor":null,"has_more":false})");
    }
    if (request.path == "/api/runs/p-1") {
      return reply(responder, 200,
                   fmt::format(R"({{"seq":{},"run":{},"steps":[{{"step":"a","status":"running"}}],)"
                               R"("gates":[],"artifacts":[]}})",
                               log.size(), run));
    }
    if (request.path == "/api/runs/p-1/events") return events(request, responder);
    reply(responder, 404, R"({"code":"not_found","detail":"no such thing"})");
  }

  void post(const http::Request& request, http::Responder& responder) {
    const auto found = said.find(request.path);
    if (found == said.end()) return reply(responder, 404, "{}");
    if (found->second.starts_with('!')) {
      return reply(responder, std::stoi(found->second.substr(1, 3)), found->second.substr(5));
    }
    reply(responder, 200, found->second);
  }

  void events(const http::Request& request, http::Responder& responder) {
    size_t after = 0;
    if (const auto id = request.headers.find("last-event-id")) after = std::stoul(std::string(*id));
    if (after >= log.size()) return reply(responder, 204, "");
    std::vector<std::string> frames{"retry: 100\n\n"};
    for (size_t i = after; i < log.size() && i < after + per_connection; ++i) {
      // Its last byte is the next frame's first: events are cut anywhere.
      frames.push_back(fmt::format("id: {}\ndata: {}\n\n", i + 1, log[i]));
    }
    http::Response head;
    head.headers.set("Content-Type", "text/event-stream");
    responder.stream(std::move(head), {}, [frames = std::move(frames)](http::StreamHandle) mutable {
      return std::make_unique<Frames>(std::move(frames));
    });
  }

  std::mutex mutex_;
  std::vector<std::string> seen_;
  std::unique_ptr<http::Server> server_;
};

class RemoteRunsTest : public ::testing::Test {
 protected:
  RemoteRunsTest() {
    server_.log = {event_line(1, "run_queued"), event_line(2, "run_started"),
                   event_line(3, "step_started", "a"), event_line(4, "step_started", "b"),
                   event_line(5, "run_completed")};
  }
  RunAccess& runs(std::map<std::string, std::string> environment = {}) {
    environment["WAVE_SERVER"] = server_.url();
    context_.emplace(GlobalOptions{}, ProjectPlace{folder_.path(), "wave.yaml"},
                     std::move(environment), streams_);
    auto connected = context_->runs(Access::kRead);
    if (!connected) throw std::runtime_error(full_message(connected.error()));
    return **connected;
  }

  const TestFolder folder_;
  PlayedServer server_;
  Streams streams_{Streams::Kind::kQueued};
  std::optional<Context> context_;
};

TEST_F(RemoteRunsTest, RowsAreWhatTheServerSays) {
  RunAccess& remote = runs();
  EXPECT_EQ(remote.resolve("").value_or(""), "p-1");
  EXPECT_EQ(remote.resolve("p-").value_or(""), "p-1");
  EXPECT_EQ(remote.resolve("q").error().code, Code::kNotFound);
  const auto details = remote.run("p-1");
  ASSERT_TRUE(details) << full_message(details.error());
  EXPECT_EQ(details->row.status, "completed");
  EXPECT_EQ(details->row.steps_total, 2);
  EXPECT_EQ(details->steps.at(0).step, "a");
}

TEST_F(RemoteRunsTest, TheLogIsTheServersLineByLine) {
  const auto events = runs().events("p-1", {.after = 1, .limit = 1000, .step = {}});
  ASSERT_TRUE(events) << full_message(events.error());
  std::vector<std::string> lines;
  for (const auto& event : *events) lines.push_back(event.line);
  EXPECT_EQ(lines, std::vector<std::string>(server_.log.begin() + 1, server_.log.end()));
  const auto of_step = runs().events("p-1", {.after = 0, .limit = 1000, .step = "b"});
  ASSERT_TRUE(of_step);
  ASSERT_EQ(of_step->size(), 1u);
  EXPECT_EQ(of_step->front().seq, 4u);
  EXPECT_EQ(runs().events("p-1", {.after = 0, .limit = 2, .step = {}})->size(), 2u);
}

// promise E3, from the client's side.
TEST_F(RemoteRunsTest, FollowingGoesOnOverBrokenConnectionsWithoutGapOrDouble) {
  server_.per_connection = 2;
  RunAccess& remote = runs();
  std::vector<uint64_t> seen;
  uint64_t after = 0;
  const auto over = wait_until(remote, "p-1", 0, Millis(30'000), [&]() -> Result<bool> {
    WAVE_TRY(const auto page, remote.events("p-1", {.after = after, .limit = 1000, .step = {}}));
    for (const auto& event : page) {
      seen.push_back(event.seq);
      after = event.seq;
    }
    return after == 5;
  });
  ASSERT_TRUE(over) << full_message(over.error());
  EXPECT_TRUE(*over);
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5));
  const auto requests = server_.seen();
  EXPECT_THAT(requests, ::testing::Contains("GET /api/runs/p-1/events @2"));
  EXPECT_THAT(requests, ::testing::Contains("GET /api/runs/p-1/events @4"));
}

TEST_F(RemoteRunsTest, TheTokenIsSentAndItsLackIsSaid) {
  server_.token = "good";
  EXPECT_TRUE(runs({{"WAVE_TOKEN", "good"}}).run("p-1"));
  const auto refused = runs({{"WAVE_TOKEN", "bad"}}).run("p-1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnauthorized);
  EXPECT_EQ(refused.error().hint, "send one");
}

TEST_F(RemoteRunsTest, RequestsSayWhatIsAskedAndRefusalsKeepTheirCode) {
  RunAccess& remote = runs();
  server_.said["/api/runs/p-1/cancel"] = R"({"run_id":"p-1","status":"cancelling"})";
  EXPECT_TRUE(remote.cancel("p-1", true, "enough"));
  EXPECT_THAT(server_.seen().back(), HasSubstr(R"({"force":true,"reason":"enough"})"));
  server_.said["/api/runs/p-1/gate/a"] =
      R"(!409 {"code":"gate_decided","detail":"ada has said yes","hint":"look"})";
  const auto decided = remote.decide({"p-1", "a", "a.1", "yes", ""});
  ASSERT_FALSE(decided);
  EXPECT_EQ(decided.error().code, Code::kGateDecided);
  EXPECT_EQ(decided.error().message, "ada has said yes");
  EXPECT_THAT(server_.seen().back(), HasSubstr(R"({"gate_id":"a.1","choice":"yes"})"));
}

TEST_F(RemoteRunsTest, ARunIsStartedThereAndShownHereAsALocalOneIs) {
  server_.per_connection = 2;
  server_.log.back() = event_line(5, "run_failed");
  RunAccess& remote = runs();
  server_.said["/api/runs"] = R"({"run_id":"p-1","status":"queued","queue_position":3})";
  engine::RunRequest request{.pipeline = "p"};
  request.options.input = "do it";
  request.options.tags = {{"team", "web"}};
  request.options.timeout = Millis(5000);
  ::testing::internal::CaptureStdout();
  const auto code = remote.start(request, false);
  const std::string shown = ::testing::internal::GetCapturedStdout();
  ASSERT_TRUE(code) << full_message(code.error());
  EXPECT_EQ(*code, 1);
  EXPECT_THAT(shown, HasSubstr("a: started"));
  EXPECT_THAT(shown, HasSubstr("run failed"));
  EXPECT_THAT(server_.seen(),
              ::testing::Contains(HasSubstr(
                  R"({"pipeline":"p","input":"do it","timeout_ms":5000,"tags":{"team":"web"}})")));
}

TEST_F(RemoteRunsTest, AnUnreachableServerHasAnExitCodeOfItsOwn) {
  context_.emplace(GlobalOptions{.server = "http://127.0.0.1:1"},
                   ProjectPlace{folder_.path(), "wave.yaml"}, std::map<std::string, std::string>{},
                   streams_);
  const auto runs = context_->runs(Access::kRead);
  ASSERT_TRUE(runs);
  const auto details = (*runs)->run("x");
  ASSERT_FALSE(details);
  EXPECT_EQ(exit_code(details.error().code), 7);
  context_.emplace(GlobalOptions{.server = "wave.example"},
                   ProjectPlace{folder_.path(), "wave.yaml"}, std::map<std::string, std::string>{},
                   streams_);
  EXPECT_EQ(context_->runs(Access::kRead).error().code, Code::kUsage);
}

TEST(ProblemDocuments, BecomeTheErrorsTheyWere) {
  const Error error = error_of(422, R"({"code":"invalid_pipeline","detail":"bad","hint":"mend",)"
                                    R"("errors":[{"pointer":"/steps/0","detail":"no id"}]})");
  EXPECT_EQ(error.code, Code::kInvalidPipeline);
  ASSERT_EQ(error.others.size(), 1u);
  EXPECT_EQ(error.others[0].message, "/steps/0: no id");
  EXPECT_EQ(error_of(404, "<html>").code, Code::kNotFound);
  EXPECT_EQ(error_of(502, "").code, Code::kServerUnreachable);
}

}  // namespace
}  // namespace wave::cli::remote

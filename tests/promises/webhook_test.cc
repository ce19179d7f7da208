// A7 and O2 with the real server.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

const std::string kSecret = "a-secret-of-the-tests-0123456789";
constexpr std::string_view kHooks = R"(server:
  metrics: open
  webhooks:
    - name: issues
      provider: github
      secret: "${HOOK_SECRET}"
      events: [issue, comment]
      senders: [ada]
      pipeline: hello
      input: "{{ title }}"
)";

std::string signature(const std::string& body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  ::HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
         reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &length);
  std::string hex = "sha256=";
  for (unsigned int i = 0; i < length; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

Answer deliver(const Server& server, const std::string& body, const std::string& delivery,
               const std::string& signed_with) {
  return request(server.port(), "POST", "/api/hooks/issues",
                 {{"Content-Type", "application/json"},
                  {"X-GitHub-Event", "issues"},
                  {"X-GitHub-Delivery", delivery},
                  {"X-Hub-Signature-256", signed_with}},
                 body);
}

size_t number_of_runs(const Server& server) {
  return get_array(server.get("/api/runs").object(), "runs").size();
}

TEST(Promises, A7_OnlySignedDeliveriesStartRunsAndEachOnlyOnce) {
  const Project project;
  project.pipeline("hello", "  - {id: a, type: command, script: \"true\"}\n");
  project.manifest_append(kHooks);
  Server server(project, {}, {{"HOOK_SECRET", kSecret}});
  const std::string body =
      R"({"action":"opened","issue":{"number":1,"title":"Crash"},"sender":{"login":"ada"}})";

  EXPECT_EQ(deliver(server, body, "d1", signature(body + " ")).status, 401);
  EXPECT_EQ(deliver(server, "{ not json", "d1", "sha256=00").status, 401);
  EXPECT_EQ(number_of_runs(server), 0u);

  const Answer started = deliver(server, body, "d1", signature(body));
  EXPECT_EQ(started.status, 202) << started.body;
  const std::string run(get_string(started.object(), "run_id"));
  server.wait_for_status(run, "completed");
  // The same again, also under another name, also after the server was killed.
  server.kill();
  Server again(project, {}, {{"HOOK_SECRET", kSecret}});
  for (const char* delivery : {"d1", "d2"}) {
    const Answer repeated = deliver(again, body, delivery, signature(body));
    EXPECT_EQ(repeated.status, 202);
    EXPECT_EQ(get_string(repeated.object(), "outcome"), "repeated");
    EXPECT_EQ(get_string(repeated.object(), "run_id"), run);
  }
  EXPECT_EQ(number_of_runs(again), 1u);

  const std::string strangers =
      R"({"action":"opened","issue":{"number":2,"title":"Mine"},"sender":{"login":"eve"}})";
  const Answer ignored = deliver(again, strangers, "d3", signature(strangers));
  EXPECT_EQ(get_string(ignored.object(), "outcome"), "ignored") << ignored.body;
  EXPECT_EQ(number_of_runs(again), 1u);
}

TEST(Promises, A7_CommentsWithoutSendersAreRefusedAtTheStart) {
  const Project project;
  project.pipeline("hello", "  - {id: a, type: command, script: \"true\"}\n");
  project.manifest_append(
      "server:\n  webhooks:\n    - {name: c, provider: github, secret: \"${HOOK_SECRET}\", "
      "events: [comment], pipeline: hello}\n");
  const Exit exit = wave(project, {"serve", "--port", "0"}, {{"HOOK_SECRET", kSecret}});
  EXPECT_EQ(exit.code, 3) << exit.err;
  EXPECT_TRUE(exit.err.contains("senders")) << exit.err;
}

TEST(Promises, A7_AWebhookWithoutItsSecretStopsTheStart) {
  const Project project;
  project.pipeline("hello", "  - {id: a, type: command, script: \"true\"}\n");
  project.manifest_append(kHooks);
  const Exit exit = wave(project, {"serve", "--port", "0"});
  EXPECT_EQ(exit.code, 3) << exit.err;
  EXPECT_TRUE(exit.err.contains("HOOK_SECRET")) << exit.err;
}

TEST(Promises, O2_MetricsSpeakPrometheus) {
  const Project project;
  project.pipeline("hello", "  - {id: a, type: command, script: \"true\"}\n");
  project.manifest_append(kHooks);
  const Server server(project, {}, {{"HOOK_SECRET", kSecret}});
  server.wait_for_status(server.submit({{"pipeline", "hello"}}), "completed");
  const Answer metrics = server.get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_TRUE(metrics.headers.at("content-type").starts_with("text/plain")) << metrics.body;
  EXPECT_TRUE(metrics.body.contains("wave_runs{status=\"completed\"} 1\n")) << metrics.body;
  EXPECT_TRUE(metrics.body.contains(
      "wave_http_requests_total{method=\"POST\",route=\"/api/runs\",status=\"201\"} 1\n"))
      << metrics.body;
  EXPECT_TRUE(metrics.body.contains("process_resident_memory_bytes ")) << metrics.body;
}

}  // namespace
}  // namespace wave::test

// What holds every answer of these tests against the OpenAPI document has to be able to fail.
#include <gtest/gtest.h>

#include "support/answer_check.h"
#include "support/server.h"

namespace wave::test {
namespace {

std::string check(std::string_view method, std::string_view target, int status,
                  std::string_view type, std::string_view body, bool allow = false) {
  std::map<std::string, std::string> headers{{"x-request-id", "r1"}};
  if (!type.empty()) headers["content-type"] = type;
  if (allow) headers["allow"] = "GET";
  return published_check().answer(
      {.method = method, .target = target, .status = status, .headers = headers, .body = body});
}

constexpr std::string_view kJson = "application/json", kProblem = "application/problem+json";
constexpr std::string_view kSubmitted =
    R"({"run_id":"r","pipeline":"p","pipeline_name":"p","status":"queued","queue_position":1})";
constexpr std::string_view kError =
    R"({"type":"about:blank","title":"Bad Request","status":400,"detail":"no","code":"usage",)"
    R"("hint":"","retryable":false,"request_id":"r1"})";

TEST(Answers, WhatIsDocumentedPasses) {
  EXPECT_EQ(check("POST", "/api/runs", 201, kJson, kSubmitted), "");
  EXPECT_EQ(check("POST", "/api/runs", 400, kProblem, kError), "");
  EXPECT_EQ(check("GET", "/api/nothing", 404, kProblem, kError), "");
  EXPECT_EQ(check("PUT", "/api/runs", 405, kProblem, kError, true), "");
  EXPECT_EQ(check("GET", "/somewhere/else", 200, "text/html", "<p>"), "");
  EXPECT_EQ(published_check().frame(
                "queue_position", R"({"event":"queue_position","run_id":"r","queue_position":1})"),
            "");
}

TEST(Answers, WhatIsNotDocumentedIsFound) {
  EXPECT_NE(check("POST", "/api/runs", 201, kJson, R"({"run_id":"r"})"), "");
  const std::string more(kSubmitted.substr(0, kSubmitted.size() - 1));
  EXPECT_NE(check("POST", "/api/runs", 201, kJson, more + R"(,"colour":"red"})"), "");
  EXPECT_NE(check("POST", "/api/runs", 202, kJson, kSubmitted), "");
  EXPECT_NE(check("POST", "/api/runs", 201, "text/plain", kSubmitted), "");
  EXPECT_NE(check("POST", "/api/runs", 500, kProblem, kError), "");
  EXPECT_NE(check("POST", "/api/runs", 400, kJson, kError), "");
  EXPECT_NE(check("POST", "/api/runs", 400, kProblem, R"({"error":"no"})"), "");
  EXPECT_NE(check("GET", "/api/nothing", 200, kJson, "{}"), "");
  EXPECT_NE(check("PUT", "/api/runs", 405, kProblem, kError), "");
  EXPECT_NE(published_check().frame("queue_position", R"({"event":"queue_position"})"), "");
  EXPECT_NE(published_check().frame("run_vanished", "{}"), "");
}

TEST(Answers, TheDocumentIsTheOneThatIsServed) {
  const Project project;
  const Server server(project);
  EXPECT_TRUE(server.get("/api/openapi.json").object() == published_document());
}

}  // namespace
}  // namespace wave::test

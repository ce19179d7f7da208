#include "server/api/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/api/api_test_kit.h"
#include "server/api/openapi.h"

namespace wave::server {
namespace {

using testing::HasSubstr;

std::string header(const http::Response& response, std::string_view name) {
  return std::string(response.headers.find(name).value_or(""));
}

TEST(Router, SaysWhatItDoesNotKnow) {
  const Api api;
  const auto unknown = api.get("/api/nothing");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(header(unknown, "Content-Type"), "application/problem+json");
  const json::object problem = Api::object(unknown);
  EXPECT_EQ(get_string(problem, "code"), "not_found");
  EXPECT_EQ(get_string(problem, "request_id"), "test-request");
  EXPECT_NE(get_string(problem, "hint"), "");
  EXPECT_EQ(api.get("/api/runs/").status, 404);
}

TEST(Router, KnowsItsMethods) {
  const Api api;
  const auto wrong = api.ask(Api::request("DELETE", "/api/runs"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(header(wrong, "Allow"), "GET, HEAD, OPTIONS, POST");
  const auto options = api.ask(Api::request("OPTIONS", "/api/runs"));
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(header(options, "Allow"), "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(api.ask(Api::request("HEAD", "/api/runs")).status, 200);
  EXPECT_EQ(api.ask(Api::request("POST", "/api/health")).status, 405);
}

TEST(Router, RefusesWhoMayNot) {
  Api api;
  api.test.authenticator.role = auth::Role::kViewer;
  EXPECT_EQ(api.get("/api/runs").status, 200);
  const auto refused = api.post("/api/runs", json::object{{"pipeline", "hello"}});
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(body_text(refused), HasSubstr("operator")) << "says which role was missing";
  api.test.authenticator.role = auth::Role::kNobody;
  EXPECT_GE(api.get("/api/runs").status, 401);
  EXPECT_EQ(api.get("/api/health").status, 200) << "liveness needs no credential";
  EXPECT_FALSE(Api::object(api.get("/api/health")).contains("version")) << "and shows no details";
  EXPECT_FALSE(Api::object(api.get("/api/health/ready")).contains("checks"));
}

TEST(Router, ChecksTheQuery) {
  const Api api;
  for (const char* bad : {"limit=0", "limit=201", "limit=abc", "limit=1.5", "limit=", "limit=+5",
                          "status=odd", "since=yesterday", "nothing=1", "limit=1&limit=2",
                          "cursor=of-nothing", "sort=cost", "q=%ff", "tag=%3Dx"}) {
    const auto response = api.get(std::string("/api/runs?") + bad);
    EXPECT_EQ(response.status, 400) << bad << body_text(response);
    const json::object problem = Api::object(response);
    const json::array& errors = get_array(problem, "errors");
    ASSERT_FALSE(errors.empty()) << bad;
    EXPECT_TRUE(get_string(errors[0].as_object(), "pointer").starts_with("?")) << bad;
  }
  EXPECT_EQ(
      api.get("/api/runs?status=failed&status=queued&limit=200&since=2026-01-01T00:00:00Z").status,
      200);
}

TEST(Router, ChecksTheBody) {
  const Api api;
  const auto with = [&](std::string type, std::string body) {
    http::Headers headers;
    if (!type.empty()) headers.add("Content-Type", std::move(type));
    return api.ask(Api::request("POST", "/api/runs", headers, std::move(body)));
  };
  EXPECT_EQ(with("application/json", "{\"pipeline\":").status, 400);
  EXPECT_EQ(with("application/json", "{} {}").status, 400);
  EXPECT_EQ(with("application/json", "").status, 400);
  EXPECT_EQ(with("application/json", "[]").status, 400);
  EXPECT_EQ(with("", "{\"pipeline\":\"hello\"}").status, 415);
  EXPECT_EQ(with("text/plain", "{\"pipeline\":\"hello\"}").status, 415);
  EXPECT_EQ(with("application/json; charset=utf-8", "{\"pipeline\":\"hello\"}").status, 201);
  EXPECT_EQ(with("application/json", std::string(5000, '[')).status, 400);
  EXPECT_EQ(with("application/json", std::string((1 << 20) + 1, ' ')).status, 413);
  const auto wrong = api.post(
      "/api/runs", json::object{{"pipeline", 7}, {"odd", true}, {"steps", json::array{"a", 1}}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(body_text(wrong), HasSubstr("/steps/1"));
  EXPECT_THAT(body_text(wrong), HasSubstr("/pipeline"));
}

TEST(Router, GivesTagsAndPacksWhatIsLarge) {
  const Api api;
  const auto first = api.get("/api/openapi.json");
  const std::string tag = header(first, "ETag");
  EXPECT_TRUE(tag.starts_with("W/\""));
  const auto again = api.get("/api/openapi.json", {{"If-None-Match", "\"x\", " + tag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(body_text(again), "");
  EXPECT_EQ(header(first, "Content-Encoding"), "");
  const auto packed = api.get("/api/openapi.json", {{"Accept-Encoding", "br, gzip;q=0.5"}});
  EXPECT_EQ(header(packed, "Content-Encoding"), "gzip");
  EXPECT_LT(body_text(packed).size(), body_text(first).size() / 4);
  EXPECT_EQ(
      header(api.get("/api/openapi.json", {{"Accept-Encoding", "gzip;q=0"}}), "Content-Encoding"),
      "");
}

struct Remembered final : AuditLog {
  Status record(const AuditEntry& entry) override {
    entries.push_back(entry);
    return {};
  }
  std::vector<AuditEntry> entries;
};

TEST(Router, WritesMutatingCallsDownRefusedOnesToo) {
  Api api;
  Remembered audit;
  api.test.services->audit = &audit;
  (void)api.get("/api/runs");
  EXPECT_TRUE(audit.entries.empty());
  (void)api.submit({{"pipeline", "hello"}});
  api.test.authenticator.role = auth::Role::kViewer;
  (void)api.post("/api/runs", json::object{{"pipeline", "hello"}});
  ASSERT_EQ(audit.entries.size(), 2u);
  EXPECT_EQ(audit.entries[0].operation, "submitRun");
  EXPECT_EQ(audit.entries[0].status, 201);
  EXPECT_EQ(audit.entries[0].actor, "tester");
  EXPECT_EQ(audit.entries[0].source, Api::request("GET", "/").peer.address);
  EXPECT_EQ(audit.entries[1].status, 403);
  EXPECT_EQ(audit.entries[1].code, "permission_denied");
}

TEST(Router, EveryRowFitsTheDocument) {
  const RouteTable table = all_routes();
  const Schemas schemas = all_schemas();
  std::set<std::string> ids;
  for (const Route& route : table.routes()) {
    EXPECT_TRUE(ids.insert(route.operation_id).second) << route.operation_id;
    EXPECT_NE(route.summary, "") << route.operation_id;
    const bool answers =
        std::visit([](const auto& handler) { return static_cast<bool>(handler); }, route.handler);
    EXPECT_TRUE(answers) << route.operation_id << " has no handler";
  }
  for (const auto& [name, schema] : schemas.all()) {
    const auto compiled = schemas.compile(name);
    EXPECT_TRUE(compiled) << name << (compiled ? "" : full_message(compiled.error()));
  }
}

/// Every row that reads is asked for things that are not there, and answers as it promised.
TEST(Router, EveryRowAnswersWhateverItIsAsked) {
  const Api api;
  for (const Route& route : api.router->routes().routes()) {
    if (!route.path.starts_with("/api/") || std::holds_alternative<StreamHandler>(route.handler) ||
        route.tag == "access" || route.operation_id.contains("ogin") ||
        route.operation_id.contains("ession")) {
      continue;
    }
    for (const std::string value : {"nothing", "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a%00b"}) {
      std::string path = route.path;
      for (size_t open = path.find('{'); open != std::string::npos; open = path.find('{')) {
        path.replace(open, path.find('}') - open + 1, value);
      }
      const auto response =
          route.request_schema.empty()
              ? api.ask(Api::request(route.method, path))
              : api.ask(
                    Api::request(route.method, path, {{"Content-Type", "application/json"}}, "{}"));
      EXPECT_LT(response.status, 500) << route.method << " " << path << body_text(response);
    }
  }
}

}  // namespace
}  // namespace wave::server

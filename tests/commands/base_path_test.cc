// `server.base_path`: the server below a path of a host that it shares.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "promises/team.h"
#include "support/reader.h"

namespace wave::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kBased = std::string(kJwt) + "  base_path: /tools/wave\n";

/// The first bytes of an answer; the path is as a proxy passes it on that does not take its own
/// off.
std::string begin_of(const Server& server, const std::string& target) {
  return Reader(server.port(), target).read_text(4096);
}

TEST(BasePath, EveryAddressBeginsWithIt) {
  const Team team(kBased);
  Server server(team.project, {}, team.environment);
  const auto admin = Team::bearer(team.token("admin"));
  const Answer made = server.post("/api/runs", json::object{{"pipeline", "quick"}}, admin);
  ASSERT_EQ(made.status, 201);
  const std::string run = text(made.object(), "run_id");
  EXPECT_EQ(made.headers.at("location"), "/tools/wave/api/runs/" + run);
  const json::object links = server.get("/api/runs/" + run, admin).object().at("links").as_object();
  EXPECT_EQ(text(links, "logs"), "/tools/wave/api/runs/" + run + "/logs");
  const json::object document = server.get("/api/openapi.json", admin).object();
  EXPECT_EQ(text(document.at("servers").as_array().at(0).as_object(), "url"), "/tools/wave");
  const std::string page = replace_all(server.get("/login").body, "=\"/tools/wave/", "");
  EXPECT_THAT(page, Not(HasSubstr("=\"/")));
}

TEST(BasePath, ProxiesMayPassItOnOrTakeItOff) {
  const Team team(kBased);
  Server server(team.project, {}, team.environment);
  EXPECT_EQ(server.get("/api/health").status, 200);
  EXPECT_THAT(begin_of(server, "/tools/wave/api/health"), HasSubstr(" 200 OK"));
  EXPECT_THAT(begin_of(server, "/tools/wave/login"), HasSubstr(" 200 OK"));
  for (const std::string page : {"/tools/wave/", "/tools/wave"}) {
    const std::string answer = begin_of(server, page);
    EXPECT_THAT(answer, HasSubstr(" 200 OK"));
    EXPECT_THAT(answer, HasSubstr("=\"/tools/wave/")) << "addresses of the page";
  }
  // What only looks like it.
  EXPECT_THAT(begin_of(server, "/tools/waves/api/health"), Not(HasSubstr("\"status\":\"ok\"")));
}

TEST(BasePath, TheCookieIsOfThatPath) {
  const Team team(kBased);
  Server server(team.project, {}, team.environment);
  const Exit link = team.cli({"token", "login-link", "--subject", "ada", "--role", "operator"});
  const size_t code = link.out.find("/tools/wave/login#code=");
  ASSERT_NE(code, std::string::npos) << link.out << link.err;
  const std::string secret = link.out.substr(link.out.find('=', code) + 1);
  const Answer in = server.post(
      "/api/login", json::object{{"code", secret.substr(0, secret.find_first_of(" \n"))}});
  ASSERT_EQ(in.status, 200) << in.body;
  EXPECT_THAT(in.headers.at("set-cookie"), HasSubstr("; Path=/tools/wave;"));
}

TEST(BasePath, WhatIsNoPathIsRefused) {
  for (const std::string path : {"wave", "/wave/", "/", "//wave", "/a/../b", "/wave?x"}) {
    const Project project;
    project.manifest_append("server:\n  base_path: \"" + path + "\"\n");
    const Exit exit = wave(project, {"serve", "--port", "0"});
    EXPECT_NE(exit.code, 0) << path;
    EXPECT_THAT(exit.err, HasSubstr("server.base_path")) << path;
  }
}

}  // namespace
}  // namespace wave::test

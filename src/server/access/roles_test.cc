// Every row of the route table with every role (promise A5).
#include <gmock/gmock.h>

#include "server/api/api.h"
#include "server/api/router.h"
#include "server/test_services.h"

namespace wave::server {
namespace {

using auth::Role;
using ::testing::HasSubstr;

http::Request request_for(const Route& route) {
  http::Request request;
  request.method = route.method;
  request.headers.add("Host", "127.0.0.1");
  request.headers.add("Content-Type", "application/json");
  request.peer.address = "127.0.0.1";
  request.id = "walk";
  for (size_t at = 1; at < route.path.size();) {
    const size_t end = std::min(route.path.find('/', at), route.path.size());
    std::string segment = route.path.substr(at, end - at);
    if (segment.starts_with('{')) segment = "x";
    request.path += "/" + segment;
    request.segments.push_back(std::move(segment));
    at = end + 1;
  }
  request.target = request.path;
  return request;
}

TEST(Roles, A5_EveryRowAsksForItsRole) {
  TestServices test;
  auto router = Router::make(*test.services, {.routes = all_routes(),
                                              .schemas = all_schemas(),
                                              .check_browser = {},
                                              .answered = {},
                                              .fallback = {}});
  ASSERT_TRUE(router) << full_message(router.error());
  size_t refused = 0, let_in = 0;
  for (const Route& route : (*router)->routes().routes()) {
    for (const Role role : {Role::kNobody, Role::kViewer, Role::kOperator, Role::kAdmin}) {
      test.authenticator.role = role;
      const auto response = (*router)->respond(request_for(route), nullptr);
      const std::string what = route.operation_id + " as " + std::string(auth::to_string(role));
      ASSERT_TRUE(response) << what;
      const std::string body = body_text(*response);
      if (role >= route.role) {
        EXPECT_THAT(body, Not(HasSubstr("_required"))) << what;
        // A webhook's own signature is asked for in the same words.
        if (!route.raw_body) EXPECT_NE(response->status, 401) << what;
        ++let_in;
        continue;
      }
      ++refused;
      if (role == Role::kNobody) {
        // The fake says so with a code of its own; who is nobody never reaches a handler.
        EXPECT_THAT(body, HasSubstr("who are you?")) << what;
      } else {
        EXPECT_EQ(response->status, 403) << what;
        EXPECT_THAT(body, HasSubstr("this takes " + std::string(auth::to_string(route.role))))
            << what;
      }
    }
  }
  EXPECT_GT(refused, 40u);
  EXPECT_GT(let_in, 40u);
}

TEST(Roles, A5_WhatChangesSomethingNeedsMoreThanAViewer) {
  for (const Route& route : all_routes().routes()) {
    // Checking a text is a question with a body.
    const bool reads = route.method == "GET" || route.operation_id == "validatePipeline";
    // A login has no role yet, a webhook proves itself by its signature.
    const bool own_proof =
        route.raw_body || route.operation_id == "logIn" || route.operation_id == "logOut";
    if (!reads && !own_proof) EXPECT_GE(route.role, Role::kOperator) << route.operation_id;
  }
}

}  // namespace
}  // namespace wave::server

// A router over a real project, asked without a socket. Header only, for tests.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <string>

#include "base/text.h"
#include "http/message.h"
#include "server/api/api.h"
#include "server/api/router.h"
#include "server/test_services.h"

namespace wave::server {

class Api {
 public:
  Api() {
    test.write("wave.yaml",
               "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: t}\n"
               "runtime: {workspace_root: .agents/workspaces}\n");
    pipeline("hello", "  - {id: say, type: command, script: \"echo hi\"}\n");
    auto made = Router::make(
        *test.services, {.routes = all_routes(), .schemas = all_schemas(), .check_answers = true});
    if (!made) throw std::runtime_error(full_message(made.error()));
    router = *std::move(made);
  }

  void pipeline(const std::string& name, std::string_view steps) const {
    test.write(".agents/pipelines/" + name + ".yaml",
               "kind: WavePipeline\nmetadata: {name: " + name + "}\nsteps:\n" + std::string(steps));
  }

  static http::Request request(std::string method, const std::string& target,
                               http::Headers headers = {}, std::string body = {}) {
    http::Request request;
    request.method = std::move(method);
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    for (const std::string& part : split(std::string_view(request.path).substr(1), '/')) {
      request.segments.push_back(http::percent_decode(part, false).value_or(""));
    }
    if (const size_t mark = target.find('?'); mark != std::string::npos) {
      for (const std::string& pair : split(std::string_view(target).substr(mark + 1), '&')) {
        const size_t equals = pair.find('=');
        request.query.emplace_back(
            http::percent_decode(pair.substr(0, equals), true).value_or(""),
            equals == std::string::npos
                ? ""
                : http::percent_decode(pair.substr(equals + 1), true).value_or(""));
      }
    }
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.peer.address = "127.0.0.1";
    request.id = "test-request";
    return request;
  }

  [[nodiscard]] http::Response ask(const http::Request& asked) const {
    auto response = router->respond(asked, nullptr);
    EXPECT_TRUE(response) << asked.target;
    if (!response) return {};
    // What is read while it is sent as text, so that tests can look at it.
    if (const auto* streamed = std::get_if<http::StreamedBody>(&response->body)) {
      constexpr size_t kWindow = 1000;
      std::string text;
      while (true) {
        const auto piece = streamed->source->next(kWindow);
        EXPECT_TRUE(piece);
        if (!piece || piece->empty()) break;
        text += *piece;
      }
      if (streamed->length) EXPECT_EQ(text.size(), *streamed->length);
      response->body = std::move(text);
    }
    return *std::move(response);
  }
  [[nodiscard]] http::Response get(const std::string& target, http::Headers headers = {}) const {
    return ask(request("GET", target, std::move(headers)));
  }
  [[nodiscard]] http::Response post(const std::string& target, const json::value& body,
                                    http::Headers headers = {}) const {
    headers.add("Content-Type", "application/json");
    return ask(request("POST", target, std::move(headers), dump_json(body)));
  }
  static json::object object(const http::Response& response) {
    const auto parsed = parse_json(body_text(response));
    EXPECT_TRUE(parsed && parsed->is_object()) << body_text(response);
    return parsed && parsed->is_object() ? parsed->get_object() : json::object{};
  }
  /// Submits and returns the run's id.
  [[nodiscard]] std::string submit(const json::object& body, http::Headers headers = {}) const {
    const http::Response response = post("/api/runs", body, std::move(headers));
    EXPECT_EQ(response.status, 201) << body_text(response);
    return std::string(get_string(object(response), "run_id"));
  }

  TestServices test;
  std::unique_ptr<Router> router;
};

}  // namespace wave::server

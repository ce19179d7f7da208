#include "server/api/examples.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"

namespace wave::server::api {
namespace {

std::string_view name_variable(std::string_view path) {
  if (path.starts_with("/api/runs/")) return "$ARTIFACT";
  if (path.starts_with("/api/pipelines/")) return "$PIPELINE";
  if (path.starts_with("/api/personas/")) return "$PERSONA";
  if (path.starts_with("/api/contracts/")) return "$CONTRACT";
  return "$WEBHOOK";
}

std::string path_of(const Route& route) {
  const bool session = route.path.starts_with("/api/sessions/");
  std::string path = replace_all(route.path, "{id}", session ? "$SESSION" : "$RUN");
  path = replace_all(std::move(path), "{step}", "$STEP");
  path = replace_all(std::move(path), "{name}", std::string(name_variable(route.path)));
  return replace_all(std::move(path), "{path...}", "$FILE");
}

/// The body as one word of a shell; by the name of its schema.
std::string body_of(const Route& route) {
  static const std::map<std::string, std::string, std::less<>> bodies{
      {"Submit", R"('{"pipeline":"hello","input":"the world","tags":{"team":"web"}}')"},
      {"Start", R"('{"input":"the world","timeout":10}')"},
      {"Cancel", R"('{"reason":"not needed any more"}')"},
      {"GateDecision", R"('{"choice":"approve"}')"},
      {"QueuePatch", R"('{"max_concurrent":5}')"},
      {"LoginRequest", R"("{\"token\":\"$WAVE_TOKEN\"}")"},
      {"RevokeRequest", R"('{"id":"7k2m9qpx41cd","reason":"the laptop was lost"}')"},
  };
  const auto known = bodies.find(route.request_schema);
  return known == bodies.end() ? "'{}'" : known->second;
}

// The signature is made over the very bytes that are sent.
std::string webhook_example(const Route& route) {
  return fmt::format(
      R"(BODY='{{"action":"opened","issue":{{"number":7,"title":"It crashes"}},"sender":{{"login":"ada"}}}}'
SIGNATURE=$(printf %s "$BODY" | openssl dgst -sha256 -hmac "$WEBHOOK_SECRET" | sed 's/^.* //')
curl -sS -X POST "$WAVE_SERVER{}" \
  -H 'Content-Type: application/json' -H 'X-GitHub-Event: issues' \
  -H 'X-GitHub-Delivery: 6f2c' -H "X-Hub-Signature-256: sha256=$SIGNATURE" \
  -d "$BODY")",
      path_of(route));
}

}  // namespace

std::string curl_example(const Route& route) {
  if (route.operation_id == "receiveWebhook") return webhook_example(route);
  const bool streams = route.response_type == "text/event-stream";
  std::string command = streams ? "curl -sSN" : "curl -sS";
  if (route.method != "GET") command += " -X " + route.method;
  command += fmt::format(" \"$WAVE_SERVER{}{}\"", path_of(route),
                         route.operation_id == "streamEvents" ? "?after=0" : "");
  if (route.operation_id == "submitRun") command += " \\\n  -H 'Idempotency-Key: nightly-7'";
  if (!route.text_member.empty()) {
    return command +
           " \\\n  -H 'Content-Type: application/yaml' --data-binary "
           "@.agents/pipelines/hello.yaml";
  }
  if (!route.request_schema.empty()) {
    command += fmt::format(" \\\n  -H 'Content-Type: application/json' -d {}", body_of(route));
  }
  return command;
}

}  // namespace wave::server::api

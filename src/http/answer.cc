#include "http/answer.h"

#include <fmt/core.h>

#include <ctime>

#include "base/json.h"

namespace wave::http {
namespace {

constexpr size_t kJoinedBody = 16 << 10;  // smaller bodies are copied behind their heads

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

// A value that came from elsewhere must not begin a header of its own.
void add_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) {
    if (c != '\r' && c != '\n' && c != '\0') out.push_back(c);
  }
  out.append("\r\n");
}

bool has_no_body(int status) {
  return status == 204 || status == 304 || status < 200;
}

bool ends_connection(const Response& response, const HeadFacts& facts) {
  const bool ends_the_body = !facts.takes_chunks && !body_size(response.body);
  return facts.close || facts.is_stream || ends_the_body;
}

std::string render_head(const Response& response, const HeadFacts& facts) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  head.reserve(512);
  add_field(head, "Date", http_date());
  for (const auto& [name, value] : response.headers.fields()) add_field(head, name, value);
  if (facts.common != nullptr) {
    for (const auto& [name, value] : facts.common->fields()) {
      if (!response.headers.find(name)) add_field(head, name, value);
    }
  }
  if (!facts.request_id.empty()) add_field(head, "X-Request-Id", facts.request_id);
  if (!facts.is_stream && !has_no_body(response.status)) {
    if (const auto size = body_size(response.body)) {
      add_field(head, "Content-Length", std::to_string(*size));
    } else if (facts.takes_chunks) {
      add_field(head, "Transfer-Encoding", "chunked");
    }
  }
  if (ends_connection(response, facts)) add_field(head, "Connection", "close");
  head += "\r\n";
  return head;
}

}  // namespace

Answer render_answer(Response response, const HeadFacts& facts) {
  Answer answer;
  answer.close = ends_connection(response, facts);
  answer.bytes = render_head(response, facts);
  if (facts.is_head_request || has_no_body(response.status)) return answer;
  if (auto* text = std::get_if<std::string>(&response.body)) {
    if (text->size() <= kJoinedBody) {
      answer.bytes += *text;
    } else {
      answer.shared = std::make_shared<const std::string>(std::move(*text));
    }
  } else if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) {
    answer.shared = std::move(*shared);
  } else {
    answer.body = std::move(std::get<StreamedBody>(response.body));
    answer.chunked = facts.takes_chunks && !answer.body.length;
  }
  return answer;
}

Response refusal_response(int status, std::string_view detail, std::string_view request_id) {
  std::string_view code = "usage";
  if (status == 408) code = "timeout";
  if (status == 413 || status == 414 || status == 431) code = "limit_exceeded";
  if (status == 429) code = "rate_limited";
  if (status == 503) code = "overloaded";
  json::object problem{{"type", "about:blank"},
                       {"title", reason_phrase(status)},
                       {"status", status},
                       {"detail", detail},
                       {"code", code}};
  if (!request_id.empty()) problem["request_id"] = request_id;
  Response response{
      .status = status,
      .headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}},
      .body = dump_json(problem)};
  if (status == 429 || status == 503) response.headers.add("Retry-After", "1");
  return response;
}

}  // namespace wave::http

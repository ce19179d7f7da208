#include "cli/remote/api_client.h"

#include <fmt/format.h>

#include "base/text.h"

namespace wave::cli::remote {
namespace {

constexpr size_t kMostMessage = 2000;

std::string body_of(const http::Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) {
    return *shared == nullptr ? "" : **shared;
  }
  return {};
}

bool is_good(int status) {
  return status >= 200 && status < 300;
}

/// What a status means where the body does not say.
Code code_of_status(int status) {
  switch (status) {
    case 400:
      return Code::kUsage;
    case 401:
      return Code::kUnauthorized;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kConflict;
    case 410:
      return Code::kPruned;
    case 413:
      return Code::kLimit;
    case 422:
      return Code::kInvalidPipeline;
    case 429:
      return Code::kRateLimited;
    case 502:
    case 504:
      return Code::kServerUnreachable;  // a proxy's answer: the server behind it is not there
    default:
      return status >= 500 ? Code::kStore : Code::kUsage;
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  return http::percent_encode(text);
}

Error error_of(int status, std::string_view body) {
  Error error(code_of_status(status),
              fmt::format("the server answered {} {}", status, http::reason_phrase(status)));
  if (status == 401) error.hint = "set WAVE_TOKEN to a token of that server";
  const auto parsed = parse_json(body, 32);
  if (!parsed || !parsed->is_object()) return error;
  const json::object& problem = parsed->get_object();
  if (const auto code = code_from_name(get_string(problem, "code"))) error.code = *code;
  std::string_view said = get_string(problem, "detail");
  if (said.empty()) said = get_string(problem, "title");
  if (!said.empty()) error.message = excerpt(said, kMostMessage);
  if (const auto hint = get_string(problem, "hint"); !hint.empty()) {
    error.hint = excerpt(hint, kMostMessage);
  }
  for (const json::value& item : get_array(problem, "errors")) {
    if (!item.is_object() || error.others.size() >= 20) continue;
    std::string_view what = get_string(item.get_object(), "detail");
    if (what.empty()) what = get_string(item.get_object(), "message");
    const std::string_view where = get_string(item.get_object(), "pointer");
    error.others.emplace_back(
        error.code, excerpt(where.empty() ? std::string(what) : fmt::format("{}: {}", where, what),
                            kMostMessage));
  }
  return error;
}

http::ClientOptions ApiClient::request(const std::string& method, const std::string& path) const {
  http::ClientOptions options;
  options.url = place_.url + path;
  options.method = method;
  options.headers.set("Accept", "application/json");
  options.headers.set("User-Agent", "wave");
  if (!place_.token.empty()) options.headers.set("Authorization", "Bearer " + place_.token);
  options.ca_file = place_.ca;
  options.certificate = place_.certificate;
  options.key = place_.key;
  return options;
}

Result<json::object> ApiClient::answer_of(Result<http::Response> response) const {
  if (!response) return std::unexpected(response.error());
  const std::string body = body_of(*response);
  if (!is_good(response->status)) return fail(error_of(response->status, body));
  auto value = parse_json(body);
  if (value && value->is_object()) return std::move(value->get_object());
  return fail(Code::kServerUnreachable, "what answers at " + place_.url + " is no wave server",
              "check --server or WAVE_SERVER");
}

Result<json::object> ApiClient::get(const std::string& path) const {
  return answer_of(http::fetch(request("GET", path)));
}

Result<json::object> ApiClient::post(const std::string& path, const json::object& body,
                                     const std::string& key) const {
  http::ClientOptions options = request("POST", path);
  options.headers.set("Content-Type", "application/json");
  if (!key.empty()) options.headers.set("Idempotency-Key", key);
  options.body = dump_json(body);
  auto response = http::fetch(options);
  // Sent again once: with a key it is done once, whether or not it had arrived.
  if (!response && response.error().code == Code::kServerUnreachable && !key.empty()) {
    response = http::fetch(options);
  }
  return answer_of(std::move(response));
}

Result<bool> ApiClient::follow(const std::string& path, const std::string& last_id, int cancel_fd,
                               const http::TakePiece& take) const {
  http::ClientOptions options = request("GET", path);
  options.headers.set("Accept", "text/event-stream");
  if (!last_id.empty()) options.headers.set("Last-Event-ID", last_id);
  options.cancel_fd = cancel_fd;
  WAVE_TRY(const http::Response response, http::stream(options, take));
  if (response.status == 204) return true;
  if (is_good(response.status)) return false;
  return fail(error_of(response.status, body_of(response)));
}

}  // namespace wave::cli::remote

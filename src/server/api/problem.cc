#include "server/api/problem.h"

#include <fmt/core.h>

#include "base/text.h"
#include "server/route.h"

namespace wave::server {
namespace {

constexpr size_t kMostErrors = 100;

json::object entry_of(const Error& error) {
  json::object entry;
  if (error.source && error.source->line == 0) {
    entry["pointer"] = error.source->file;
  } else if (error.source) {
    entry["source"] = to_string(*error.source);
  }
  entry["message"] = to_valid_utf8(full_message(error));
  if (!error.hint.empty()) entry["hint"] = error.hint;
  return entry;
}

}  // namespace

http::Response json_response(const json::value& value, int status) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = dump_json(value)};
}

http::Response problem(const Error& error, std::string_view request_id) {
  return problem_with(error, request_id, {});
}

http::Response problem_with(const Error& error, std::string_view request_id, json::object extra) {
  const int status = http_status(error.code);
  json::object body{{"type", "about:blank"},
                    {"title", http::reason_phrase(status)},
                    {"status", status},
                    {"detail", to_valid_utf8(full_message(error))},
                    {"code", code_name(error.code)}};
  if (!error.reason.empty()) body["reason"] = error.reason;
  if (!error.hint.empty()) body["hint"] = to_valid_utf8(error.hint);
  if (error.source && error.source->line > 0) body["source"] = to_string(*error.source);
  json::array errors;
  if (error.source && error.source->line > 0) errors.push_back(entry_of(error));
  for (const Error& other : error.others) {
    if (errors.size() < kMostErrors) errors.push_back(entry_of(other));
  }
  if (!errors.empty()) body["errors"] = std::move(errors);
  for (auto& [key, value] : extra) body[key] = std::move(value);
  body["retryable"] = is_retryable(error.code);
  body["request_id"] = request_id;
  http::Response response{
      .status = status,
      .headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}},
      .body = dump_json(body)};
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer realm=\"wave\"");
  if (status == 429 || status == 503) response.headers.add("Retry-After", "1");
  return response;
}

Error finding(std::string pointer, std::string message) {
  return Error(Code::kUsage, std::move(message)).at({.file = std::move(pointer)});
}

Error bad_parameter(std::string_view name, std::string message, std::string hint) {
  Error error(Code::kUsage, fmt::format("the parameter \"{}\" does not fit: {}", name, message),
              std::move(hint));
  error.others.push_back(finding(fmt::format("?{}", name), std::move(message)));
  return error;
}

Error bad_member(std::string_view pointer, std::string message, std::string hint) {
  Error error(Code::kUsage, fmt::format("\"{}\" does not fit: {}", pointer, message),
              std::move(hint));
  error.others.push_back(finding(std::string(pointer), std::move(message)));
  return error;
}

}  // namespace wave::server

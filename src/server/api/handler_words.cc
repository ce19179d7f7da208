#include "base/hash.h"
#include "base/text.h"
#include "server/api/handlers.h"
#include "server/api/problem.h"

namespace wave::server::api {

Result<store::RunDetails> run_of(const Call& call) {
  const std::string id = call.text("id");
  auto details = call.services.store.run(id);
  if (details || details.error().code != Code::kNotFound) return details;
  WAVE_TRY(const std::string full, call.services.store.resolve_run(id));
  return call.services.store.run(full);
}

std::string via(const Call& call) {
  // Browsers say how a request came about; scripts have no reason to.
  const bool browser = call.identity.method == auth::Method::kSession ||
                       call.request.headers.find("Sec-Fetch-Mode").has_value();
  return browser ? "browser" : "api";
}

Result<std::string> idempotency_key(const Call& call) {
  constexpr size_t kMostBytes = 255;
  const auto key = call.request.headers.find("Idempotency-Key");
  if (!key) return std::string();
  if (key->empty() || key->size() > kMostBytes) {
    return fail(Code::kUsage, "the Idempotency-Key is empty or longer than 255 bytes",
                "a UUID will do");
  }
  // Two callers may choose the same key without knowing of each other.
  return sha256_hex(call.identity.actor() + "\n" + std::string(*key));
}

bool is_terminal(const flow::RunRow& row) {
  const auto status = flow::run_status_from_name(row.status);
  return status && flow::is_terminal(*status);
}

Status check_step(const store::RunDetails& details, const std::string& step) {
  std::vector<std::string> known;
  for (const flow::StepRow& row : details.steps) known.push_back(row.step);
  if (std::ranges::find(known, step) != known.end()) return {};
  const auto meant = did_you_mean(step, known);
  return fail(
      Code::kNotFound, fmt::format("run {} has no step '{}'", details.row.run_id, step),
      meant ? fmt::format("did you mean '{}'?", *meant) : "its steps are: " + join(known, ", "));
}

http::Response whole_list(std::string_view noun, json::array items) {
  return json_response(
      json::object{{noun, std::move(items)}, {"next_cursor", nullptr}, {"has_more", false}});
}

}  // namespace wave::server::api

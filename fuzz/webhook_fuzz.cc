// Deliveries of every provider: nothing that is sent crashes, every value stays bounded, and no
// signature is good by chance.
#include "base/text.h"
#include "fuzz.h"
#include "server/webhook/filter.h"
#include "server/webhook/payload.h"
#include "server/webhook/signature.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  using enum model::Webhook::Provider;
  if (size < 2) return 0;
  static constexpr const char* kEvents[] = {
      "push", "issues", "issue_comment", "pull_request", "pull_request_review", "release"};
  http::Request request;
  request.body = fuzz::text(data + 2, size - 2);
  const char* event = kEvents[data[0] % 6];
  request.headers.set("x-github-event", event);
  request.headers.set("x-gitea-event", event);
  if (data[1] % 2 == 1) request.headers.set("content-type", "application/x-www-form-urlencoded");
  const std::string half = request.body.substr(0, request.body.size() / 2);
  for (const char* name : {"x-hub-signature-256", "x-gitea-signature", "x-gitlab-token",
                           "webhook-id", "webhook-timestamp", "webhook-signature"}) {
    request.headers.set(name, half);
  }
  model::Webhook webhook;
  webhook.senders = {"ada"};
  webhook.events = {"push", "issue", "comment"};
  for (const auto provider : {kGithub, kGitlab, kGitea, kGeneric}) {
    fuzz::require(!server::webhook::is_signed(provider, "0123456789abcdef0123456789abcdef", request,
                                              WallTime{}));
    const auto payload = server::webhook::read_payload(provider, request);
    if (!payload) continue;
    for (const auto& [name, value] : payload->values()) {
      fuzz::require(value.size() <= server::webhook::kMostBodyText + 8);
      fuzz::require(to_valid_utf8(value) == value);
    }
    webhook.provider = provider;
    const auto reason = server::webhook::reason_to_ignore(webhook, *payload);
    fuzz::require(reason.has_value() || to_lower(payload->sender) == "ada");
  }
  return 0;
}

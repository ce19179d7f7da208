// POST /api/hooks/{name}, and what administrators see of webhooks.
#include <charconv>

#include "base/text.h"
#include "server/route.h"
#include "server/webhook/receiver.h"
#include "server/webhook/signature.h"

namespace wave::server {
namespace {

constexpr int64_t kUsualPage = 50;
constexpr int64_t kMostPage = 500;

http::Response json_answer(const json::value& value) {
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  response.body = dump_json(value);
  return response;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object delivery_json(const store::WebhookDelivery& delivery) {
  return {{"id", delivery.id},
          {"delivery", text_or_null(delivery.delivery)},
          {"received_at", format_time(delivery.received_at)},
          {"event", delivery.event},
          {"action", text_or_null(delivery.action)},
          {"sender", text_or_null(delivery.sender)},
          {"outcome", delivery.outcome},
          {"run_id", text_or_null(delivery.run_id)},
          {"detail", text_or_null(delivery.detail)},
          {"repeats", delivery.repeats},
          {"body_sha256", delivery.body_hash}};
}

Result<std::vector<store::WebhookDelivery>> deliveries(Call& call, const std::string& webhook,
                                                       int64_t before, size_t limit) {
  store::WebhookStore* store = call.services.store.webhooks();
  if (store == nullptr) return fail(Code::kUnsupported, "this store keeps no deliveries");
  return store->deliveries(webhook, before, limit);
}

/// Never the secret, only whether there is one that works.
Result<json::object> webhook_json(Call& call, const model::Webhook& webhook) {
  WAVE_TRY(const auto last, deliveries(call, webhook.name, 0, 1));
  const auto secret = webhook::expand_secret(webhook, call.services.environment);
  json::object tags;
  for (const auto& [tag, text] : webhook.tags) tags[tag] = text;
  return json::object{
      {"name", webhook.name},
      {"provider", model::to_string(webhook.provider)},
      {"enabled", webhook.enabled},
      {"path", call.services.base_path + "/api/hooks/" + webhook.name},
      {"pipeline", webhook.pipeline},
      {"events", to_array(webhook.events)},
      {"actions", to_array(webhook.actions)},
      {"repos", to_array(webhook.repos)},
      {"branches", to_array(webhook.branches)},
      {"base_branches", to_array(webhook.base_branches)},
      {"forks", webhook.forks.value_or(webhook.branches.empty())},
      {"drafts", webhook.drafts ? json::value(*webhook.drafts) : json::value(nullptr)},
      {"labels", to_array(webhook.labels)},
      {"senders", to_array(webhook.senders)},
      {"contains", text_or_null(webhook.contains)},
      {"input", webhook.input.empty() ? std::string(model::kWebhookInput) : webhook.input},
      {"tags", std::move(tags)},
      {"problem", secret ? json::value(nullptr) : json::value(secret.error().message)},
      {"last_delivery", last.empty() ? json::value(nullptr) : delivery_json(last.front())}};
}

const std::vector<model::Webhook>& configured(const Settings& settings) {
  static const std::vector<model::Webhook> kNone;
  return settings.manifest.server ? settings.manifest.server->webhooks : kNone;
}

Result<http::Response> receive_hook(Call& call) {
  return webhook::receive(call.services, call.text("name"), call.request,
                          [&call](int status) { return call.audit(status); });
}

Result<http::Response> list_webhooks(Call& call) {
  const auto settings = call.services.settings.load();
  json::array list;
  for (const model::Webhook& webhook : configured(*settings)) {
    WAVE_TRY(json::object object, webhook_json(call, webhook));
    list.push_back(std::move(object));
  }
  return json_answer(
      json::object{{"webhooks", std::move(list)}, {"next_cursor", nullptr}, {"has_more", false}});
}

Result<int64_t> cursor_of(const Call& call) {
  const std::string text = call.text("cursor");
  if (text.empty()) return 0;
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size() && id > 0) return id;
  return fail(Code::kUsage, "the cursor is none that this list gave",
              "start the list from its beginning");
}

Result<http::Response> list_deliveries(Call& call) {
  const std::string name = call.text("name");
  const auto settings = call.services.settings.load();
  WAVE_TRY(const int64_t before, cursor_of(call));
  const auto limit =
      static_cast<size_t>(std::clamp<int64_t>(call.integer("limit", kUsualPage), 1, kMostPage));
  // One more than asked for tells whether there is more.
  WAVE_TRY(auto list, deliveries(call, name, before, limit + 1));
  const bool known = std::ranges::find(configured(*settings), name, &model::Webhook::name) !=
                     configured(*settings).end();
  // What came before a webhook was taken out of the manifest can still be seen.
  if (!known && list.empty() && before == 0) {
    return fail(Code::kNotFound, "there is no webhook " + excerpt(name, 100),
                "GET /api/webhooks lists those there are");
  }
  const bool more = list.size() > limit;
  if (more) list.pop_back();
  json::array shown;
  for (const store::WebhookDelivery& delivery : list) shown.push_back(delivery_json(delivery));
  return json_answer(json::object{
      {"deliveries", std::move(shown)},
      {"next_cursor", more ? json::value(std::to_string(list.back().id)) : json::value(nullptr)},
      {"has_more", more}});
}

}  // namespace

void add_webhook_routes(RouteTable& table) {
  table.add({.method = "POST",
             .path = "/api/hooks/{name}",
             .operation_id = "receiveWebhook",
             .tag = "webhooks",
             .summary = "Takes a signed delivery of GitHub, GitLab, Gitea or another sender, which "
                        "may start a run. The signature is the credential.",
             .role = auth::Role::kNobody,
             .response_schema = "HookAnswer",
             .success = 202,
             .body_limit = webhook::kMostBytes,
             .handler = Handler(receive_hook),
             .raw_body = true});
  table.add({.method = "GET",
             .path = "/api/webhooks",
             .operation_id = "listWebhooks",
             .tag = "webhooks",
             .summary = "The configured webhooks, without their secrets.",
             .role = auth::Role::kAdmin,
             .response_schema = "WebhookList",
             .handler = Handler(list_webhooks)});
  table.add({.method = "GET",
             .path = "/api/webhooks/{name}/deliveries",
             .operation_id = "listWebhookDeliveries",
             .tag = "webhooks",
             .summary = "What came to a webhook and what became of it, newest first.",
             .role = auth::Role::kAdmin,
             .query = {{.name = "cursor",
                        .schema = {{"type", "string"}, {"maxLength", 20}},
                        .description = "next_cursor of the page before"},
                       {.name = "limit",
                        .schema = {{"type", "integer"}, {"minimum", 1}, {"maximum", kMostPage}},
                        .description = "how many at most (50)"}},
             .response_schema = "WebhookDeliveryList",
             .handler = Handler(list_deliveries)});
}

}  // namespace wave::server

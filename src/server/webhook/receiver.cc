#include "server/webhook/receiver.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "server/metrics/server_metrics.h"
#include "server/queue/supervisor.h"
#include "server/webhook/filter.h"
#include "server/webhook/payload.h"
#include "server/webhook/signature.h"

namespace wave::server::webhook {
namespace {

using model::Webhook;

constexpr int kAccepted = 202;

const Webhook* find_webhook(const Settings& settings, const std::string& name) {
  if (!settings.manifest.server) return nullptr;
  for (const Webhook& webhook : settings.manifest.server->webhooks) {
    if (webhook.name == name) return &webhook;
  }
  return nullptr;
}

http::Response answer(int status, std::string_view type, const json::object& body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", std::string(type));
  response.headers.set("Cache-Control", "no-store");
  response.body = dump_json(body);
  return response;
}

/// The same for a webhook that is not there and a signature that is not good.
http::Response refusal(const http::Request& request) {
  return answer(401, "application/problem+json",
                {{"type", "about:blank"},
                 {"title", "Unauthorized"},
                 {"status", 401},
                 {"code", "unauthorized"},
                 {"request_id", request.id}});
}

/// One delivery on its way.
class Receiver {
 public:
  Receiver(Services& services, const Settings& settings, const Webhook& webhook,
           const http::Request& request, const Audit& audit)
      : services_(services),
        settings_(settings),
        webhook_(webhook),
        request_(request),
        audit_(audit) {}

  Result<http::Response> run() {
    store::WebhookStore* store = services_.store.webhooks();
    if (store == nullptr) return fail(Code::kUnsupported, "this store keeps no deliveries");
    auto payload = read_payload(webhook_.provider, request_);
    if (!payload) {
      count("refused");
      return fail(payload.error().wrapped("the delivery cannot be read"));
    }
    WAVE_CHECK(services_.takes_runs());  // nothing is noted: the same delivery may come again
    WAVE_TRY(const auto begun, store->begin_delivery(row(*payload), same_body_for(), kKeptFor));
    if (begun.earlier) {
      count("repeated");
      return accepted({{"outcome", "repeated"},
                       {"delivery", begun.id},
                       {"run_id", begun.earlier->run_id},
                       {"reason", "this delivery has started a run already"}});
    }
    if (const auto reason = reason_to_ignore(webhook_, *payload)) {
      WAVE_CHECK(store->end_delivery(begun.id, "ignored", "", *reason));
      count("ignored");
      return accepted({{"outcome", "ignored"}, {"delivery", begun.id}, {"reason", *reason}});
    }
    return start(*store, *payload, begun.id);
  }

 private:
  Result<http::Response> start(store::WebhookStore& store, const Payload& payload,
                               int64_t delivery) {
    engine::RunRequest request;
    request.pipeline = webhook_.pipeline;
    request.manifest_path = settings_.manifest_path;
    request.actor = "webhook:" + webhook_.name;
    const auto values = payload.values();
    request.options.input = model::render_webhook_text(
        webhook_.input.empty() ? model::kWebhookInput : std::string_view(webhook_.input), values);
    for (const auto& [tag, text] : webhook_.tags) {
      request.options.tags[tag] = excerpt(model::render_webhook_text(text, values), kMostText);
    }
    // Our number of the delivery: the same when it comes again before its end was noted.
    request.idempotency_key = fmt::format("webhook:{}:{}", webhook_.name, delivery);
    request.request_hash = sha256_hex(request_.body);
    request.audit = audit_(kAccepted);
    auto run = services_.engine.create(request);
    if (!run) {
      count("failed");
      // Should this fail as well, the delivery stays pending, which means the same.
      (void)store.end_delivery(delivery, "failed", "",
                               excerpt(full_message(run.error()), kMostText));
      log::warning("webhook {}: {}", webhook_.name, full_message(run.error()));
      return fail(run.error());
    }
    if (const auto noted = store.end_delivery(delivery, "started", *run, ""); !noted) {
      // The run is stored, and its key finds it should the delivery come again.
      log::warning("webhook {}: run {} is not noted: {}", webhook_.name, *run,
                   full_message(noted.error()));
    }
    services_.queue.submitted(*run);
    count("started");
    return accepted({{"outcome", "started"}, {"delivery", delivery}, {"run_id", *run}});
  }

  [[nodiscard]] store::WebhookDelivery row(const Payload& payload) const {
    store::WebhookDelivery delivery;
    delivery.webhook = webhook_.name;
    delivery.delivery = payload.delivery;
    delivery.body_hash = sha256_hex(request_.body);
    delivery.received_at = SystemClock().wall();
    delivery.event = payload.event;
    delivery.action = payload.action;
    delivery.sender = payload.sender;
    return delivery;
  }

  /// GitLab's token says who sent it, not what was sent; its bodies have no time in them that would
  /// tell two deliveries apart, so only its ids do, where it sends some.
  [[nodiscard]] Millis same_body_for() const {
    const bool by_id_alone = webhook_.provider == Webhook::Provider::kGitlab &&
                             !delivery_id(webhook_.provider, request_.headers).empty();
    return by_id_alone ? Millis(0) : kSameBodyFor;
  }

  http::Response accepted(json::object body) const {
    body["webhook"] = webhook_.name;
    http::Response response = answer(kAccepted, "application/json", body);
    if (const std::string run(get_string(body, "run_id")); !run.empty()) {
      response.headers.set("Location", services_.base_path + "/api/runs/" + run);
    }
    return response;
  }

  void count(std::string_view outcome) const {
    if (services_.metrics != nullptr) services_.metrics->webhook_delivery(webhook_.name, outcome);
  }

  Services& services_;
  const Settings& settings_;
  const Webhook& webhook_;
  const http::Request& request_;
  const Audit& audit_;
};

}  // namespace

Result<http::Response> receive(Services& services, const std::string& name,
                               const http::Request& request, const Audit& audit) {
  const std::shared_ptr<const Settings> settings = services.settings.load();
  const Webhook* webhook = settings == nullptr ? nullptr : find_webhook(*settings, name);
  // Somebody who guesses names waits as long as somebody who guesses secrets.
  static const Webhook kNone;
  std::string secret = "nobody knows this one";
  if (webhook != nullptr) {
    auto expanded = expand_secret(*webhook, services.environment);
    if (!expanded) {
      log::error("{}", full_message(expanded.error()));
      webhook = nullptr;
    } else {
      secret = *std::move(expanded);
    }
  }
  const Webhook& checked = webhook == nullptr ? kNone : *webhook;
  const bool good = is_signed(checked.provider, secret, request, SystemClock().wall());
  if (webhook == nullptr || !good) {
    if (services.metrics != nullptr) {
      services.metrics->webhook_delivery(webhook == nullptr ? "none" : webhook->name, "refused");
    }
    return refusal(request);
  }
  return Receiver(services, *settings, *webhook, request, audit).run();
}

Status check_secrets(const model::Manifest& manifest,
                     const std::map<std::string, std::string>& environment) {
  if (!manifest.server) return {};
  std::optional<Error> first;
  for (const Webhook& webhook : manifest.server->webhooks) {
    if (!webhook.enabled) continue;
    auto secret = expand_secret(webhook, environment);
    if (secret) continue;
    if (first) {
      first->others.push_back(secret.error());
    } else {
      first = secret.error();
    }
  }
  return first ? Status(std::unexpected(*first)) : Status();
}

}  // namespace wave::server::webhook

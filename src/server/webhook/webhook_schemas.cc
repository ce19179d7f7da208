#include "server/webhook/webhook_schemas.h"

#include "server/api/schema_words.h"

namespace wave::server {

using namespace words;

void add_webhook_schemas(Schemas& schemas) {
  schemas.add("HookAnswer",
              object("What became of a delivery.",
                     {{"webhook", text("the webhook's name")},
                      {"outcome", one_of("what was done", {"started", "repeated", "ignored"})},
                      {"delivery", integer("the server's number of the delivery", 1)},
                      {"run_id",
                       text("the run that was started, now or by the same delivery before"), false},
                      {"reason", text("why no run was started"), false}}));
  schemas.add(
      "WebhookDelivery",
      object("Something that came to a webhook.",
             {{"id", integer("the server's number", 1)},
              {"delivery", nullable(text("the sender's id of it"))},
              {"received_at", time("when it came first")},
              {"event", text("push, tag, issue, pull_request, comment, review, release ...")},
              {"action", nullable(text("opened, labeled, pushed ..."))},
              {"sender", nullable(text("the account that caused it"))},
              {"outcome", one_of("what became of it", {"pending", "started", "ignored", "failed"})},
              {"run_id", nullable(text("the run it started"))},
              {"detail", nullable(text("why it was ignored, or how it failed"))},
              {"repeats", integer("how often it came again")},
              {"body_sha256", text("of the raw body")}}));
  schemas.add("WebhookDeliveryList", page_of("deliveries", "WebhookDelivery"));
  schemas.add("Webhook",
              object("A configured webhook, without its secret.",
                     {{"name", text("its name")},
                      {"provider", one_of("who sends", {"github", "gitlab", "gitea", "generic"})},
                      {"enabled", flag("whether it starts anything")},
                      {"path", text("where it listens")},
                      {"pipeline", text("what it runs")},
                      {"events", list_of(text("an event"), "which ones start it")},
                      {"actions", list_of(text("an action"), "empty: what usually asks for work")},
                      {"repos", list_of(text("a pattern"), "empty: any")},
                      {"branches", list_of(text("a pattern"), "empty: any")},
                      {"base_branches", list_of(text("a pattern"), "empty: any")},
                      {"forks", flag("whether pull requests from other repositories count")},
                      {"drafts", nullable(flag("whether drafts count; null: only for actions and "
                                               "labels that the manifest names"))},
                      {"labels", list_of(text("a label"), "empty: any")},
                      {"senders", list_of(text("an account"), "empty: anybody")},
                      {"contains", nullable(text("what the text has to have"))},
                      {"input", text("the run's input, with placeholders")},
                      {"tags", map_of(text("its value, with placeholders"), "tags of the run")},
                      {"problem", nullable(text("why it cannot work now"))},
                      {"last_delivery", nullable(named("WebhookDelivery"))}}));
  schemas.add("WebhookList", page_of("webhooks", "Webhook"));
}

}  // namespace wave::server

// The table of deliveries to webhooks: a version of the schema of its own.
#pragma once

#include <string_view>

namespace wave::store::sqlite {

inline constexpr std::string_view kWebhookSchema = R"sql(
CREATE TABLE webhook_delivery(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook TEXT NOT NULL,
  delivery TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  event TEXT NOT NULL,
  action TEXT NOT NULL,
  sender TEXT NOT NULL,
  outcome TEXT NOT NULL,
  run_id TEXT NOT NULL,
  detail TEXT NOT NULL,
  repeats INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX webhook_delivery_by_id ON webhook_delivery(webhook, delivery)
  WHERE delivery <> '';
CREATE INDEX webhook_delivery_by_body ON webhook_delivery(webhook, body_hash, received_at);
CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery(webhook, id);
CREATE INDEX webhook_delivery_by_time ON webhook_delivery(received_at);
)sql";

}  // namespace wave::store::sqlite

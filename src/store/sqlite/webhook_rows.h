// Rows of deliveries to webhooks.
#pragma once

#include "store/sqlite/database.h"
#include "store/webhook_store.h"

namespace wave::store::sqlite {

Result<WebhookStore::Begun> begin_delivery(Database& database, const WebhookDelivery& delivery,
                                           Millis same_body_for, Millis keep);
Status end_delivery(Database& database, int64_t id, const std::string& outcome,
                    const std::string& run_id, const std::string& detail);
Result<std::vector<WebhookDelivery>> list_deliveries(Database& database, const std::string& webhook,
                                                     int64_t before, size_t limit);

}  // namespace wave::store::sqlite

#include "store/sqlite/webhook_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

namespace wave::store::sqlite {
namespace {

constexpr size_t kMaxDeliveryPage = 1000;
// So that a long pause is not cleaned up in one long transaction.
constexpr int kRemovedAtATime = 100;

constexpr std::string_view kSelectDelivery =
    "SELECT id, webhook, delivery, body_hash, received_at, event, action, sender, outcome, run_id,"
    " detail, repeats FROM webhook_delivery ";

WebhookDelivery read_row(const Query& row) {
  WebhookDelivery delivery;
  delivery.id = row.integer(0);
  delivery.webhook = row.string(1);
  delivery.delivery = row.string(2);
  delivery.body_hash = row.string(3);
  delivery.received_at = row.time(4);
  delivery.event = row.string(5);
  delivery.action = row.string(6);
  delivery.sender = row.string(7);
  delivery.outcome = row.string(8);
  delivery.run_id = row.string(9);
  delivery.detail = row.string(10);
  delivery.repeats = static_cast<int>(row.integer(11));
  return delivery;
}

Result<std::optional<WebhookDelivery>> by_id(Database& database, const WebhookDelivery& wanted) {
  if (wanted.delivery.empty()) return std::nullopt;
  WAVE_TRY(Query query,
           database.query(fmt::format("{}WHERE webhook = ?1 AND delivery = ?2 AND delivery <> ''",
                                      kSelectDelivery)));
  WAVE_TRY(const bool row, query.bind(wanted.webhook, wanted.delivery).next());
  return row ? std::optional(read_row(query)) : std::nullopt;
}

/// The oldest with the same body: the one whose number a run may carry.
Result<std::optional<WebhookDelivery>> by_body(Database& database, const WebhookDelivery& wanted,
                                               Millis same_body_for) {
  if (same_body_for <= Millis(0)) return std::nullopt;
  WAVE_TRY(Query query, database.query(fmt::format("{}WHERE webhook = ?1 AND body_hash = ?2"
                                                   " AND received_at > ?3 ORDER BY id LIMIT 1",
                                                   kSelectDelivery)));
  query.bind(wanted.webhook, wanted.body_hash, wanted.received_at - same_body_for);
  WAVE_TRY(const bool row, query.next());
  return row ? std::optional(read_row(query)) : std::nullopt;
}

Status remove_old(Database& database, WallTime before) {
  WAVE_TRY(Query remove,
           database.query("DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM"
                          " webhook_delivery WHERE received_at < ?1 ORDER BY received_at"
                          " LIMIT ?2)"));
  return remove.bind(before, kRemovedAtATime).run();
}

Result<int64_t> insert(Database& database, const WebhookDelivery& delivery) {
  WAVE_TRY(Query query,
           database.query("INSERT INTO webhook_delivery(webhook, delivery, body_hash, received_at,"
                          " event, action, sender, outcome, run_id, detail)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', '', '')"));
  query.bind(delivery.webhook, delivery.delivery, delivery.body_hash, delivery.received_at,
             delivery.event, delivery.action, delivery.sender);
  WAVE_CHECK(query.run());
  return sqlite3_last_insert_rowid(database.handle());
}

Status count_repeat(Database& database, int64_t id) {
  WAVE_TRY(Query query,
           database.query("UPDATE webhook_delivery SET repeats = repeats + 1 WHERE id = ?1"));
  return query.bind(id).run();
}

}  // namespace

Result<WebhookStore::Begun> begin_delivery(Database& database, const WebhookDelivery& delivery,
                                           Millis same_body_for, Millis keep) {
  WAVE_CHECK(remove_old(database, delivery.received_at - keep));
  WAVE_TRY(std::optional<WebhookDelivery> earlier, by_id(database, delivery));
  if (!earlier) {
    WAVE_TRY(earlier, by_body(database, delivery, same_body_for));
  }
  WebhookStore::Begun begun;
  if (!earlier) {
    WAVE_TRY(begun.id, insert(database, delivery));
    return begun;
  }
  WAVE_CHECK(count_repeat(database, earlier->id));
  ++earlier->repeats;
  begun.id = earlier->id;
  if (earlier->outcome == "started") begun.earlier = std::move(earlier);
  return begun;
}

Status end_delivery(Database& database, int64_t id, const std::string& outcome,
                    const std::string& run_id, const std::string& detail) {
  // A started one stays so: a slower twin of the same delivery does not take that back.
  WAVE_TRY(Query query,
           database.query("UPDATE webhook_delivery SET outcome = ?2, run_id = ?3, detail = ?4"
                          " WHERE id = ?1 AND outcome <> 'started'"));
  return query.bind(id, outcome, run_id, detail).run();
}

Result<std::vector<WebhookDelivery>> list_deliveries(Database& database, const std::string& webhook,
                                                     int64_t before, size_t limit) {
  WAVE_TRY(Query query,
           database.query(fmt::format("{}WHERE webhook = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
                                      kSelectDelivery)));
  const int64_t below = before > 0 ? before : std::numeric_limits<int64_t>::max();
  query.bind(webhook, below, std::clamp<size_t>(limit, 1, kMaxDeliveryPage));
  std::vector<WebhookDelivery> list;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return list;
    list.push_back(read_row(query));
  }
}

}  // namespace wave::store::sqlite

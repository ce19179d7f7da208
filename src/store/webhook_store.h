// Deliveries to webhooks: what came, and what became of it. Durable, so that a delivery that comes
// twice starts nothing twice, whatever happens to the server between (promise A7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace wave::store {

struct WebhookDelivery {
  int64_t id = 0;  // ours, ascending
  std::string webhook;
  std::string delivery;   // the sender's id of it; empty: it has none
  std::string body_hash;  // sha256 of the raw body
  WallTime received_at{};
  std::string event, action, sender;
  std::string outcome;  // pending, started, ignored, failed
  std::string run_id;   // of a started one
  std::string detail;   // why it was ignored, or how it failed
  int repeats = 0;      // how often it came again
};

/// Thread: any.
class WebhookStore {
 public:
  virtual ~WebhookStore() = default;

  struct Begun {
    int64_t id = 0;
    /// The earlier delivery that started a run, if this is the same one again.
    std::optional<WebhookDelivery> earlier;
  };
  /// Stores a delivery as pending, or finds it again: by its id, or by its body's hash within
  /// `same_body_for` (0: bodies are not compared). What came before and started nothing is begun
  /// once more under its old number. Durable when it returns. Deliveries older than `keep` are
  /// removed on the way.
  virtual Result<Begun> begin_delivery(const WebhookDelivery& delivery, Millis same_body_for,
                                       Millis keep) = 0;
  /// Notes what became of it. Durable when it returns.
  virtual Status end_delivery(int64_t id, const std::string& outcome, const std::string& run_id,
                              const std::string& detail) = 0;
  /// Newest first, before `before` (0: from the newest on), at most `limit` (of 1000).
  virtual Result<std::vector<WebhookDelivery>> deliveries(const std::string& webhook,
                                                          int64_t before, size_t limit) = 0;
};

}  // namespace wave::store

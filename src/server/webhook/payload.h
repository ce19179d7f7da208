// What a delivery says, whoever sent it, in one small form.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "model/webhook.h"

namespace wave::server::webhook {

/// Every text is bounded, valid UTF-8 and free of NUL; what the sender did not say is empty.
struct Payload {
  std::string delivery;  // the sender's id of this delivery
  std::string event;     // one of model::kWebhookEvents, or the sender's own word ("ping")
  std::string action;    // opened, closed, reopened, edited, labeled, created, pushed, deleted ...
  std::string sender;    // account name
  std::string repo;      // "owner/name"
  std::string ref, branch;  // "refs/heads/main" and "main"; of a pull request its source
  std::string base;         // the branch that a pull request is to be merged into
  /// A pull request whose source is not known to lie in the repository it is for.
  bool from_fork = false;
  bool is_draft = false;
  /// A review that says nothing itself: its remarks arrive as comments.
  bool is_empty_review = false;
  std::string label;                              // the one that was put on just now
  std::vector<std::string> labels, added_labels;  // all; those put on just now
  std::string title, body, url, number, commit;

  /// By the names of model::kWebhookPlaceholders.
  [[nodiscard]] std::map<std::string, std::string> values() const;
};

/// The sender's id of a delivery, from its headers; empty when it names none.
std::string delivery_id(model::Webhook::Provider provider, const http::Headers& headers);
/// Reads a verified request. kUsage when it is no JSON object, or a form without one.
Result<Payload> read_payload(model::Webhook::Provider provider, const http::Request& request);

inline constexpr size_t kMostBodyText = 64 << 10;
inline constexpr size_t kMostText = 1 << 10;
inline constexpr size_t kMostLabels = 100;

}  // namespace wave::server::webhook

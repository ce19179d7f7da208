#include "server/webhook/filter.h"

#include <fmt/format.h>

#include "base/text.h"

namespace wave::server::webhook {
namespace {

/// What usually asks for work, where the manifest names no actions: what is new, and nothing that
/// merely changed. A filter on labels wants the moment in which one was put on.
std::vector<std::string> usual_actions(const model::Webhook& webhook, const Payload& payload) {
  if (webhook.provider == model::Webhook::Provider::kGeneric) return {};
  if (!webhook.labels.empty() && (payload.event == "issue" || payload.event == "pull_request")) {
    return {"labeled"};
  }
  if (payload.event == "push" || payload.event == "tag") return {"pushed"};
  if (payload.event == "issue") return {"opened", "reopened"};
  if (payload.event == "pull_request") return {"opened", "reopened", "synchronize"};
  if (payload.event == "comment") return {"created"};
  if (payload.event == "release") return {"published"};
  return {};
}

bool has(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns,
                             [text](const std::string& pattern) { return matches(pattern, text); });
}

/// Account names are the same in capitals on every provider.
bool is_sender(const std::vector<std::string>& senders, std::string_view sender) {
  const std::string wanted = to_lower(sender);
  return !wanted.empty() && std::ranges::any_of(senders, [&wanted](const std::string& name) {
    return to_lower(name) == wanted;
  });
}

/// Of a labelled moment, the labels put on just now; else all.
bool has_label(const model::Webhook& webhook, const Payload& payload) {
  const auto& labels = payload.action == "labeled" ? payload.added_labels : payload.labels;
  return std::ranges::any_of(webhook.labels,
                             [&labels](const std::string& label) { return has(labels, label); });
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<std::string> reason_to_ignore(const model::Webhook& webhook, const Payload& payload) {
  const auto no = [](std::string_view what, std::string_view is) {
    return fmt::format("{} \"{}\" is not wanted", what, excerpt(is, 100));
  };
  if (!webhook.enabled) return "the webhook is switched off";
  const bool any_event =
      webhook.provider == model::Webhook::Provider::kGeneric && webhook.events.empty();
  if (!any_event && !has(webhook.events, payload.event)) return no("the event", payload.event);
  if (model::is_comment_event(payload.event) && webhook.senders.empty()) {
    return "comments start nothing without a list of senders";
  }
  // Before what is in the text: whoever is not on the list learns nothing of it.
  if (!webhook.senders.empty() && !is_sender(webhook.senders, payload.sender)) {
    return no("the sender", payload.sender);
  }
  const std::vector<std::string> actions =
      webhook.actions.empty() ? usual_actions(webhook, payload) : webhook.actions;
  if (!actions.empty() && !has(actions, payload.action)) return no("the action", payload.action);
  if (!webhook.repos.empty() && !any_matches(webhook.repos, payload.repo)) {
    return no("the repository", payload.repo);
  }
  if (!webhook.branches.empty() && !any_matches(webhook.branches, payload.branch)) {
    return no("the branch", payload.branch);
  }
  if (!webhook.labels.empty() && !has_label(webhook, payload)) {
    return "it has none of the wanted labels";
  }
  if (!webhook.contains.empty() && !payload.body.contains(webhook.contains) &&
      !payload.title.contains(webhook.contains)) {
    return "it does not have the wanted text";
  }
  return std::nullopt;
}

}  // namespace wave::server::webhook

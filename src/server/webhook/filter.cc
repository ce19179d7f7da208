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
  if (payload.event == "pull_request") {
    return {"opened", "reopened", "synchronize", "ready_for_review"};
  }
  if (payload.event == "review") return {"submitted"};
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

std::string not_wanted(std::string_view what, std::string_view is) {
  return fmt::format("{} \"{}\" is not wanted", what, excerpt(is, 100));
}

/// The filters on where a pull request comes from and goes to; nothing when they let it pass.
std::optional<std::string> branch_reason(const model::Webhook& webhook, const Payload& payload) {
  // Anybody can give a branch of their own fork a name that `branches` lists.
  if (payload.from_fork && !webhook.forks.value_or(webhook.branches.empty())) {
    return "the pull request comes from a fork; forks: true lets it pass";
  }
  if (!webhook.branches.empty() && !any_matches(webhook.branches, payload.branch)) {
    return not_wanted("the branch", payload.branch);
  }
  if (!webhook.base_branches.empty() && !any_matches(webhook.base_branches, payload.base)) {
    return not_wanted("the base branch", payload.base);
  }
  return std::nullopt;
}

/// Drafts ask for no work yet, unless the manifest names them, the action or a label.
bool takes_drafts(const model::Webhook& webhook, const Payload& payload) {
  const bool named = !webhook.actions.empty() || !webhook.labels.empty();
  return webhook.drafts.value_or(named || payload.event != "pull_request");
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
  if (!webhook.enabled) return "the webhook is switched off";
  const bool any_event =
      webhook.provider == model::Webhook::Provider::kGeneric && webhook.events.empty();
  if (!any_event && !has(webhook.events, payload.event))
    return not_wanted("the event", payload.event);
  if (model::is_comment_event(payload.event) && webhook.senders.empty()) {
    return "comments start nothing without a list of senders";
  }
  // Before what is in the text: whoever is not on the list learns nothing of it.
  if (!webhook.senders.empty() && !is_sender(webhook.senders, payload.sender)) {
    return not_wanted("the sender", payload.sender);
  }
  const std::vector<std::string> actions =
      webhook.actions.empty() ? usual_actions(webhook, payload) : webhook.actions;
  if (!actions.empty() && !has(actions, payload.action))
    return not_wanted("the action", payload.action);
  if (!webhook.repos.empty() && !any_matches(webhook.repos, payload.repo)) {
    return not_wanted("the repository", payload.repo);
  }
  if (auto reason = branch_reason(webhook, payload)) return reason;
  if (payload.is_draft && !takes_drafts(webhook, payload)) {
    return "the pull request is a draft; drafts: true lets it pass";
  }
  if (payload.is_empty_review) {
    return "the review has no text of its own; its remarks arrive as comments";
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

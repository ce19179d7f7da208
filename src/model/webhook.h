// What may start a run from outside: `server.webhooks` of wave.yaml.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace wave::model {

struct Webhook {
  enum class Provider { kGithub, kGitlab, kGitea, kGeneric };
  std::string name;
  Provider provider = Provider::kGithub;
  std::string secret;               // as written: "${NAME}" stands for a variable
  std::vector<std::string> events;  // push, tag, issue, pull_request, comment, review, release
  // Filters: each that is not empty has to hold.
  std::vector<std::string> actions, repos, branches, base_branches, labels, senders;
  /// Whether pull requests from other repositories count. Not written: only where `branches` is
  /// empty, because anybody can name a branch of a fork.
  std::optional<bool> forks;
  /// Whether drafts count. Not written: only for actions or labels that the manifest names.
  std::optional<bool> drafts;
  std::string contains;  // in the text of the comment, issue, pull request or commit
  std::string pipeline;
  std::string input;  // a text with {{ placeholders }}
  std::map<std::string, std::string> tags;
  bool enabled = true;
  SourcePos pos;
};

std::string_view to_string(Webhook::Provider provider);

/// The events that are understood, whatever the provider calls them. `generic` may name others.
inline constexpr std::array<std::string_view, 7> kWebhookEvents{
    "push", "tag", "issue", "pull_request", "comment", "review", "release"};
/// The actions that the providers' own words are translated to.
inline constexpr std::array<std::string_view, 17> kWebhookActions{"opened",
                                                                  "closed",
                                                                  "merged",
                                                                  "reopened",
                                                                  "edited",
                                                                  "labeled",
                                                                  "created",
                                                                  "unlabeled",
                                                                  "deleted",
                                                                  "published",
                                                                  "submitted",
                                                                  "ready_for_review",
                                                                  "pushed",
                                                                  "dismissed",
                                                                  "synchronize",
                                                                  "assigned",
                                                                  "converted_to_draft"};
/// Events whose text anybody may write who can see a repository.
bool is_comment_event(std::string_view event);

/// What stands for a delivery's values in `input` and `tags`.
inline constexpr std::array<std::string_view, 13> kWebhookPlaceholders{
    "event", "action", "sender", "repo", "ref",    "branch", "base",
    "label", "title",  "body",   "url",  "number", "commit"};
/// The input when none is written.
inline constexpr std::string_view kWebhookInput = "{{ title }}\n\n{{ body }}\n\n{{ url }}\n";

/// The names of placeholders in `text` that nothing stands for.
std::vector<std::string> unknown_webhook_placeholders(std::string_view text);
/// `text` with the values put in; values are not scanned again, and what has none is empty.
std::string render_webhook_text(std::string_view text,
                                const std::map<std::string, std::string>& values);

}  // namespace wave::model

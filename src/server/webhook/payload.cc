#include "server/webhook/payload.h"

#include <array>

#include "base/json.h"
#include "base/text.h"

namespace wave::server::webhook {
namespace {

using model::Webhook;
constexpr size_t kMostDepth = 64;

/// Walks into nested objects; an empty one where a name is missing.
const json::object& in(const json::object& object, std::string_view name) {
  return get_object(object, name);
}

/// No program's argument or environment can carry a NUL, so none gets as far as a run.
std::string bounded(std::string_view text, size_t max_bytes) {
  using namespace std::string_view_literals;
  return replace_all(excerpt(text, max_bytes), "\0"sv, "\xEF\xBF\xBD");
}
std::string short_text(std::string_view text) {
  return bounded(text, kMostText);
}
std::string field(const json::object& object, std::string_view name) {
  const json::value* value = find(object, name);
  if (value == nullptr || value->is_object() || value->is_array() || value->is_null()) return {};
  return short_text(json_to_text(*value));
}
std::string long_field(const json::object& object, std::string_view name) {
  return bounded(get_string(object, name), kMostBodyText);
}

/// The first of several names that says something.
std::string first_of(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (std::string text = field(object, name); !text.empty()) return text;
  }
  return {};
}

std::string short_ref(std::string_view ref) {
  for (const std::string_view prefix : {"refs/heads/", "refs/tags/"}) {
    if (ref.starts_with(prefix)) return std::string(ref.substr(prefix.size()));
  }
  return std::string(ref);
}

/// Labels as objects with a name (GitHub, Gitea), with a title (GitLab), or as texts.
std::vector<std::string> label_names(const json::array& labels) {
  std::vector<std::string> names;
  for (const json::value& label : labels) {
    if (names.size() >= kMostLabels) break;
    if (label.is_string()) names.push_back(short_text(label.get_string()));
    if (!label.is_object()) continue;
    names.push_back(first_of(label.get_object(), {"name", "title"}));
  }
  return names;
}

void set_ref(Payload& payload, std::string_view ref) {
  payload.ref = short_text(ref);
  payload.branch = short_ref(payload.ref);
}

/// All zeros: the branch or tag is gone.
bool is_null_commit(std::string_view commit) {
  return !commit.empty() && commit.find_first_not_of('0') == std::string_view::npos;
}

void read_push(Payload& payload, const json::object& body) {
  set_ref(payload, get_string(body, "ref"));
  payload.event = payload.ref.starts_with("refs/tags/") ? "tag" : "push";
  payload.commit = field(body, "after");
  const bool deleted = get_bool(body, "deleted") || is_null_commit(payload.commit);
  payload.action = deleted ? "deleted" : "pushed";
  const json::array& commits = get_array(body, "commits");
  const json::object* head = &get_object(body, "head_commit");
  if (head->empty() && !commits.empty()) {
    // Gitea lists the newest first, GitLab last; the one that was pushed is named by its id.
    for (const json::value& commit : commits) {
      if (!commit.is_object()) continue;
      head = &commit.get_object();
      if (get_string(*head, "id") == payload.commit) break;
    }
  }
  payload.body = long_field(*head, "message");
  payload.title = short_text(std::string_view(payload.body).substr(0, payload.body.find('\n')));
  payload.url = first_of(body, {"compare", "compare_url"});
  if (payload.url.empty()) payload.url = field(*head, "url");
}

// --- GitHub and Gitea, which took over its forms ---

/// An issue or a pull request.
void read_thread(Payload& payload, const json::object& thread) {
  payload.number = field(thread, "number");
  payload.title = field(thread, "title");
  payload.body = long_field(thread, "body");
  payload.url = field(thread, "html_url");
  payload.labels = label_names(get_array(thread, "labels"));
  const json::object& head = in(thread, "head");
  if (head.empty()) return;
  set_ref(payload, get_string(head, "ref"));
  payload.commit = field(head, "sha");
  payload.base = short_text(short_ref(field(in(thread, "base"), "ref")));
  payload.is_draft = get_bool(thread, "draft");
  // The repository of a fork that was deleted is null: not this one, either.
  payload.from_fork = payload.repo.empty() || field(in(head, "repo"), "full_name") != payload.repo;
}

void read_comment(Payload& payload, const json::object& comment) {
  payload.body = long_field(comment, "body");
  payload.url = field(comment, "html_url");
}

/// GitHub has the text in `body`, Gitea in `content`.
void read_review(Payload& payload, const json::object& review) {
  payload.body = long_field(review, "body");
  if (payload.body.empty()) payload.body = long_field(review, "content");
  payload.url = field(review, "html_url");
  payload.is_empty_review =
      trim(payload.body).empty() && to_lower(field(review, "state")) == "commented";
}

/// What the header's word means to us.
std::string_view known_event(std::string_view word) {
  struct Word {
    std::string_view theirs, ours;
  };
  static constexpr std::array kWords{
      Word{"issues", "issue"},
      Word{"issue_label", "issue"},
      Word{"issue_comment", "comment"},
      Word{"commit_comment", "comment"},
      Word{"pull_request_comment", "comment"},
      Word{"pull_request_review_comment", "comment"},
      Word{"pull_request_label", "pull_request"},
      Word{"pull_request_sync", "pull_request"},
      Word{"pull_request_review", "review"},
      Word{"pull_request_approved", "review"},
      Word{"pull_request_review_approved", "review"},
      Word{"pull_request_review_rejected", "review"},
      Word{"pull_request_rejected", "review"},
  };
  for (const Word& known : kWords) {
    if (known.theirs == word) return known.ours;
  }
  return word;
}

/// What the action means to us. GitHub and Gitea say "closed" of a merge as well.
std::string github_action(const json::object& body, std::string_view event) {
  const std::string action = field(body, "action");
  if (action == "label_updated") return "labeled";
  if (action == "label_cleared") return "unlabeled";
  if (action == "synchronized") return "synchronize";
  if (action == "reviewed") return event == "comment" ? "created" : "submitted";
  if (action == "closed" && event == "pull_request" &&
      get_bool(in(body, "pull_request"), "merged")) {
    return "merged";
  }
  return action;
}

/// Gitea marks a draft by its title: it is ready once the mark is gone.
bool lost_draft_mark(const Payload& payload, const json::object& body) {
  const std::string before = to_lower(field(in(in(body, "changes"), "title"), "from"));
  const bool had_mark = before.starts_with("wip:") || before.starts_with("[wip]");
  return payload.event == "pull_request" && payload.action == "edited" && had_mark &&
         !payload.is_draft && !to_lower(payload.title).starts_with("wip:") &&
         !to_lower(payload.title).starts_with("[wip]");
}

/// Which labels were put on: GitHub names the one; newer versions of Gitea list them, and older
/// ones only say that labels changed.
void read_github_labels(Payload& payload, const json::object& body) {
  if (payload.action != "labeled") return;
  const json::object& changes = in(body, "changes");
  if (changes.contains("added_labels") || changes.contains("removed_labels")) {
    payload.added_labels = label_names(get_array(changes, "added_labels"));
    if (payload.added_labels.empty()) payload.action = "unlabeled";
  } else if (std::string label = field(in(body, "label"), "name"); !label.empty()) {
    payload.added_labels = {std::move(label)};
  } else {
    payload.added_labels = payload.labels;
  }
  if (!payload.added_labels.empty()) payload.label = payload.added_labels.back();
}

void read_github(Payload& payload, const json::object& body, std::string_view word) {
  payload.event = short_text(known_event(word));
  payload.action = github_action(body, payload.event);
  payload.sender = first_of(in(body, "sender"), {"login", "username"});
  payload.repo = field(in(body, "repository"), "full_name");
  const bool of_pull_request = !in(body, "pull_request").empty();
  const json::object& thread = in(body, of_pull_request ? "pull_request" : "issue");
  if (payload.event == "push") return read_push(payload, body);
  if (payload.event == "release") {
    const json::object& release = in(body, "release");
    set_ref(payload, get_string(release, "tag_name"));
    payload.title = field(release, "name");
    payload.body = long_field(release, "body");
    payload.url = field(release, "html_url");
    return;
  }
  read_thread(payload, thread);
  const json::object& comment = in(body, "comment");
  if (payload.event == "review" || (payload.event == "comment" && comment.empty())) {
    read_review(payload, in(body, "review"));
  } else if (payload.event == "comment") {
    read_comment(payload, comment);
  }
  if (lost_draft_mark(payload, body)) payload.action = "ready_for_review";
  read_github_labels(payload, body);
}

// --- GitLab ---

std::string gitlab_action(std::string_view action) {
  struct Word {
    std::string_view theirs, ours;
  };
  static constexpr std::array kWords{Word{"open", "opened"},     Word{"close", "closed"},
                                     Word{"reopen", "reopened"}, Word{"update", "edited"},
                                     Word{"merge", "merged"},    Word{"create", "created"},
                                     Word{"delete", "deleted"}};
  for (const Word& word : kWords) {
    if (word.theirs == action) return std::string(word.ours);
  }
  return short_text(action);
}

void read_gitlab_thread(Payload& payload, const json::object& thread) {
  payload.number = field(thread, "iid");
  payload.title = field(thread, "title");
  payload.body = long_field(thread, "description");
  payload.url = field(thread, "url");
  payload.commit = field(in(thread, "last_commit"), "id");
  if (find(thread, "source_branch") == nullptr) return;
  set_ref(payload, field(thread, "source_branch"));
  payload.base = field(thread, "target_branch");
  payload.is_draft = get_bool(thread, "draft") || get_bool(thread, "work_in_progress");
  const std::string source = field(thread, "source_project_id");
  payload.from_fork = source.empty() || source != field(thread, "target_project_id");
}

bool became_ready(const json::object& body) {
  const auto ended = [&body](std::string_view name) {
    const json::object& change = in(in(body, "changes"), name);
    return get_bool(change, "previous") && !get_bool(change, "current");
  };
  return ended("draft") || ended("work_in_progress");
}

/// Labels that are there now and were not before.
void read_gitlab_labels(Payload& payload, const json::object& body) {
  payload.labels = label_names(get_array(body, "labels"));
  const json::object& change = in(in(body, "changes"), "labels");
  const std::vector<std::string> before = label_names(get_array(change, "previous"));
  for (const std::string& label : label_names(get_array(change, "current"))) {
    if (std::ranges::find(before, label) == before.end()) payload.added_labels.push_back(label);
  }
  if (payload.added_labels.empty()) {
    if (payload.action == "edited" && !change.empty()) payload.action = "unlabeled";
    return;
  }
  payload.label = payload.added_labels.front();
  if (payload.action == "edited") payload.action = "labeled";
}

void read_gitlab(Payload& payload, const json::object& body) {
  const std::string kind = first_of(body, {"object_kind", "event_name"});
  const json::object& object = in(body, "object_attributes");
  payload.sender = field(in(body, "user"), "username");
  if (payload.sender.empty()) payload.sender = field(body, "user_username");
  payload.repo = field(in(body, "project"), "path_with_namespace");
  if (kind == "push" || kind == "tag_push") return read_push(payload, body);
  payload.action = gitlab_action(get_string(object, "action"));
  if (kind == "issue" || kind == "work_item" || kind == "merge_request") {
    payload.event = kind == "merge_request" ? "pull_request" : "issue";
    read_gitlab_thread(payload, object);
    // An update that brings commits says which commit it replaced.
    if (payload.action == "edited" && !field(object, "oldrev").empty()) {
      payload.action = "synchronize";
    }
    if (payload.action == "edited" && became_ready(body)) payload.action = "ready_for_review";
    read_gitlab_labels(payload, body);
    return;
  }
  if (kind == "note") {
    payload.event = "comment";
    if (payload.action.empty()) payload.action = "created";
    const bool of_merge_request = !in(body, "merge_request").empty();
    const json::object& thread = in(body, of_merge_request ? "merge_request" : "issue");
    read_gitlab_thread(payload, thread);
    payload.labels = label_names(get_array(thread, "labels"));
    payload.body = long_field(object, "note");
    payload.url = field(object, "url");
    return;
  }
  payload.event = short_text(kind);
  if (kind != "release") return;
  payload.action = gitlab_action(get_string(body, "action"));
  if (payload.action == "created") payload.action = "published";
  set_ref(payload, get_string(body, "tag"));
  payload.title = field(body, "name");
  payload.body = long_field(body, "description");
  payload.url = field(body, "url");
}

// --- generic: our own form ---

void read_generic(Payload& payload, const json::object& body) {
  payload.event = field(body, "event");
  payload.action = field(body, "action");
  payload.sender = field(body, "sender");
  payload.repo = field(body, "repo");
  set_ref(payload, get_string(body, "ref"));
  payload.base = field(body, "base");
  payload.from_fork = get_bool(body, "fork");
  payload.is_draft = get_bool(body, "draft");
  payload.labels = label_names(get_array(body, "labels"));
  payload.label = field(body, "label");
  if (!payload.label.empty()) payload.added_labels = {payload.label};
  payload.title = field(body, "title");
  payload.body = long_field(body, "body");
  payload.url = field(body, "url");
  payload.number = field(body, "number");
  payload.commit = field(body, "commit");
}

/// The JSON text: the body, or its field `payload` when GitHub was told to send forms.
Result<std::string> json_text(const http::Request& request) {
  const auto type = request.headers.find("content-type").value_or("");
  if (!type.starts_with("application/x-www-form-urlencoded")) return request.body;
  for (const std::string& pair : split(request.body, '&')) {
    constexpr std::string_view kName = "payload=";
    if (!pair.starts_with(kName)) continue;
    auto text = http::percent_decode(std::string_view(pair).substr(kName.size()), true);
    if (text) return *std::move(text);
  }
  return fail(Code::kUsage, "the form has no field payload", "send application/json");
}

}  // namespace

std::map<std::string, std::string> Payload::values() const {
  return {{"event", event},  {"action", action}, {"sender", sender}, {"repo", repo},
          {"ref", ref},      {"branch", branch}, {"base", base},     {"label", label},
          {"title", title},  {"body", body},     {"url", url},       {"number", number},
          {"commit", commit}};
}

std::string delivery_id(Webhook::Provider provider, const http::Headers& headers) {
  const auto first = [&headers](std::initializer_list<std::string_view> names) -> std::string {
    for (const std::string_view name : names) {
      if (const auto value = headers.find(name); value && !value->empty()) {
        return short_text(*value);
      }
    }
    return {};
  };
  switch (provider) {
    case Webhook::Provider::kGithub:
      return first({"x-github-delivery"});
    case Webhook::Provider::kGitea:
      return first({"x-gitea-delivery", "x-forgejo-delivery"});
    case Webhook::Provider::kGitlab:
      // The key stays the same when GitLab tries again; the event's id does in older versions.
      return first({"idempotency-key", "x-gitlab-event-uuid"});
    case Webhook::Provider::kGeneric:
      return first({"webhook-id", "x-delivery-id"});
  }
  return {};
}

Result<Payload> read_payload(Webhook::Provider provider, const http::Request& request) {
  WAVE_TRY(const std::string text, json_text(request));
  WAVE_TRY(const json::value value, parse_json(text, kMostDepth));
  if (!value.is_object()) return fail(Code::kUsage, "the payload is no JSON object");
  const json::object& body = value.get_object();
  Payload payload;
  payload.delivery = delivery_id(provider, request.headers);
  switch (provider) {
    case Webhook::Provider::kGithub:
      read_github(payload, body, request.headers.find("x-github-event").value_or(""));
      break;
    case Webhook::Provider::kGitea:
      read_github(payload, body,
                  request.headers.find("x-gitea-event-type")
                      .value_or(request.headers.find("x-gitea-event").value_or("")));
      break;
    case Webhook::Provider::kGitlab:
      read_gitlab(payload, body);
      break;
    case Webhook::Provider::kGeneric:
      read_generic(payload, body);
      break;
  }
  return payload;
}

}  // namespace wave::server::webhook

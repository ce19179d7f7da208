#include "server/webhook/payload.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/webhook/filter.h"

namespace wave::server::webhook {
namespace {

using enum model::Webhook::Provider;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Payload read(model::Webhook::Provider provider, std::string body, http::Headers headers = {}) {
  http::Request request;
  request.body = std::move(body);
  request.headers = std::move(headers);
  auto payload = read_payload(provider, request);
  EXPECT_TRUE(payload) << full_message(payload.error());
  return payload.value_or(Payload{});
}

TEST(WebhookPayload, GithubIssueThatGotALabel) {
  const Payload payload = read(kGithub, R"({"action":"labeled","label":{"name":"wave"},
    "issue":{"number":7,"title":"Crash","body":"It crashes.","html_url":"https://x/7",
             "labels":[{"name":"bug"},{"name":"wave"}]},
    "repository":{"full_name":"acme/app"},"sender":{"login":"ada"}})",
                               {{"X-GitHub-Event", "issues"}, {"X-GitHub-Delivery", "d-1"}});
  EXPECT_EQ(payload.event, "issue");
  EXPECT_EQ(payload.action, "labeled");
  EXPECT_EQ(payload.delivery, "d-1");
  EXPECT_EQ(payload.sender, "ada");
  EXPECT_EQ(payload.repo, "acme/app");
  EXPECT_EQ(payload.label, "wave");
  EXPECT_EQ(payload.number, "7");
  EXPECT_EQ(payload.title, "Crash");
  EXPECT_EQ(payload.body, "It crashes.");
  EXPECT_EQ(payload.url, "https://x/7");
  EXPECT_THAT(payload.labels, ElementsAre("bug", "wave"));
  EXPECT_THAT(payload.added_labels, ElementsAre("wave"));
}

TEST(WebhookPayload, GithubCommentPushAndForm) {
  const Payload comment = read(kGithub, R"({"action":"created","issue":{"number":3,"title":"T"},
    "comment":{"body":"/wave fix","html_url":"https://x/c"},"sender":{"login":"eve"}})",
                               {{"X-GitHub-Event", "issue_comment"}});
  EXPECT_EQ(comment.event, "comment");
  EXPECT_EQ(comment.body, "/wave fix");
  EXPECT_EQ(comment.url, "https://x/c");
  const Payload push = read(kGithub, R"({"ref":"refs/heads/main","after":"abc","deleted":false,
    "head_commit":{"message":"Fix it\n\nReally."},"compare":"https://x/d","sender":{"login":"a"}})",
                            {{"X-GitHub-Event", "push"}});
  EXPECT_EQ(push.event, "push");
  EXPECT_EQ(push.action, "pushed");
  EXPECT_EQ(push.branch, "main");
  EXPECT_EQ(push.title, "Fix it");
  EXPECT_EQ(push.commit, "abc");
  const Payload tag = read(kGithub, R"({"ref":"refs/tags/v1","after":"0000","deleted":true})",
                           {{"X-GitHub-Event", "push"}});
  EXPECT_EQ(tag.event, "tag");
  EXPECT_EQ(tag.action, "deleted");
  const Payload form =
      read(kGithub, "payload=%7B%22zen%22%3A+%22x%22%7D",
           {{"X-GitHub-Event", "ping"}, {"Content-Type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(form.event, "ping");
}

TEST(WebhookPayload, GitlabMergeRequestLabelsAndNotes) {
  const Payload labeled = read(kGitlab, R"({"object_kind":"merge_request",
    "user":{"username":"grace"},"project":{"path_with_namespace":"g/p"},
    "object_attributes":{"iid":4,"title":"MR","description":"D","url":"https://l/4",
      "action":"update","source_branch":"feature","last_commit":{"id":"c0"}},
    "labels":[{"title":"a"},{"title":"wave"}],
    "changes":{"labels":{"previous":[{"title":"a"}],"current":[{"title":"a"},{"title":"wave"}]}}})",
                               {{"X-Gitlab-Event-UUID", "u-1"}});
  EXPECT_EQ(labeled.event, "pull_request");
  EXPECT_EQ(labeled.action, "labeled");
  EXPECT_EQ(labeled.label, "wave");
  EXPECT_EQ(labeled.branch, "feature");
  EXPECT_EQ(labeled.delivery, "u-1");
  const Payload note = read(kGitlab, R"({"object_kind":"note","user":{"username":"g"},
    "object_attributes":{"note":"hello","url":"https://l/n"},"issue":{"iid":9,"title":"I"}})");
  EXPECT_EQ(note.event, "comment");
  EXPECT_EQ(note.action, "created");
  EXPECT_EQ(note.number, "9");
  EXPECT_EQ(note.body, "hello");
  const Payload push = read(kGitlab, R"({"object_kind":"push","ref":"refs/heads/m","after":"b",
    "user_username":"g","commits":[{"id":"a","message":"one"},{"id":"b","message":"two"}]})");
  EXPECT_EQ(push.body, "two");
  EXPECT_EQ(push.sender, "g");
}

TEST(WebhookPayload, GiteaSaysThatLabelsChanged) {
  const Payload payload =
      read(kGitea, R"({"action":"label_updated","issue":{"number":2,
    "labels":[{"name":"wave"}]},"sender":{"username":"tea"},"repository":{"full_name":"o/r"}})",
           {{"X-Gitea-Event", "issues"}, {"X-Gitea-Event-Type", "issue_label"}});
  EXPECT_EQ(payload.event, "issue");
  EXPECT_EQ(payload.action, "labeled");
  EXPECT_EQ(payload.sender, "tea");
  EXPECT_THAT(payload.added_labels, ElementsAre("wave"));
}

// GitHub and Gitea say "closed" of a merge, GitLab does not.
TEST(WebhookPayload, AMergeIsNotAClosedPullRequest) {
  const auto action = [](model::Webhook::Provider provider, std::string_view merged) {
    const std::string header = provider == kGithub ? "X-GitHub-Event" : "X-Gitea-Event";
    return read(provider,
                fmt::format(R"({{"action":"closed","pull_request":{{"number":1,"merged":{}}}}})",
                            merged),
                {{header, "pull_request"}})
        .action;
  };
  for (const auto provider : {kGithub, kGitea}) {
    EXPECT_EQ(action(provider, "true"), "merged");
    EXPECT_EQ(action(provider, "false"), "closed");
  }
}

TEST(WebhookPayload, GiteasReviewsHaveTheirTextInTheContent) {
  const auto review = [](const std::string& type) {
    return read(kGitea, R"({"action":"reviewed","review":{"type":"x","content":"/wave fix"},
      "pull_request":{"number":3,"title":"t","body":"b"},"sender":{"login":"ada"}})",
                {{"X-Gitea-Event", "pull_request_rejected"}, {"X-Gitea-Event-Type", type}});
  };
  for (const char* type : {"pull_request_review_approved", "pull_request_review_rejected"}) {
    EXPECT_EQ(review(type).event, "review");
    EXPECT_EQ(review(type).action, "submitted");
    EXPECT_EQ(review(type).body, "/wave fix");
  }
  EXPECT_EQ(review("pull_request_review_comment").event, "comment");
  EXPECT_EQ(review("pull_request_review_comment").action, "created");
  EXPECT_EQ(review("pull_request_review_comment").body, "/wave fix");
}

TEST(WebhookPayload, LabelsThatWereTakenOffWereNotPutOn) {
  const auto changed = [](const std::string& action, const std::string& changes) {
    return read(kGitea,
                fmt::format(R"({{"action":"{}","changes":{{{}}},
      "issue":{{"number":2,"labels":[{{"name":"wave"}}]}}}})",
                            action, changes),
                {{"X-Gitea-Event", "issues"}, {"X-Gitea-Event-Type", "issue_label"}});
  };
  const Payload removed =
      changed("label_updated", R"("added_labels":[],"removed_labels":[{"name":"bug"}])");
  EXPECT_EQ(removed.action, "unlabeled");
  EXPECT_TRUE(removed.added_labels.empty());
  const Payload other = changed("label_updated", R"("added_labels":[{"name":"bug"}])");
  EXPECT_EQ(other.action, "labeled");
  EXPECT_THAT(other.added_labels, ElementsAre("bug"));
  EXPECT_EQ(changed("label_cleared", "").action, "unlabeled");
  const Payload gitlab = read(kGitlab, R"({"object_kind":"issue",
    "object_attributes":{"iid":4,"action":"update"},"labels":[{"title":"wave"}],
    "changes":{"labels":{"previous":[{"title":"a"},{"title":"wave"}],
                         "current":[{"title":"wave"}]}}})");
  EXPECT_EQ(gitlab.action, "unlabeled");
}

TEST(WebhookPayload, WherePullRequestsComeFromAndGoTo) {
  const auto github = [](const std::string& head_repo) {
    return read(kGithub,
                fmt::format(R"({{"action":"opened","pull_request":{{"draft":true,
      "head":{{"ref":"main","sha":"c"{}}},"base":{{"ref":"release-1"}}}},
      "repository":{{"full_name":"acme/app"}}}})",
                            head_repo),
                {{"X-GitHub-Event", "pull_request"}});
  };
  const Payload own = github(R"(,"repo":{"full_name":"acme/app"})");
  EXPECT_EQ(own.base, "release-1");
  EXPECT_TRUE(own.is_draft);
  EXPECT_FALSE(own.from_fork);
  for (const char* other : {R"(,"repo":{"full_name":"eve/app"})", R"(,"repo":null)", ""}) {
    EXPECT_TRUE(github(other).from_fork) << other;
  }
  const auto gitlab = [](const std::string& source) {
    return read(kGitlab, fmt::format(R"({{"object_kind":"merge_request","object_attributes":{{
      "action":"open","source_branch":"main","target_branch":"stable","draft":true,
      "target_project_id":1{}}}}})",
                                     source));
  };
  EXPECT_FALSE(gitlab(R"(,"source_project_id":1)").from_fork);
  EXPECT_TRUE(gitlab(R"(,"source_project_id":2)").from_fork);
  EXPECT_TRUE(gitlab("").from_fork);
  EXPECT_EQ(gitlab("").base, "stable");
  EXPECT_TRUE(gitlab("").is_draft);
}

TEST(WebhookPayload, DraftsThatBecomeReadyAreSeen) {
  EXPECT_EQ(read(kGitlab, R"({"object_kind":"merge_request","object_attributes":{"action":"update"},
      "changes":{"draft":{"previous":true,"current":false}}})")
                .action,
            "ready_for_review");
  const auto gitea = [](const std::string& title) {
    return read(kGitea,
                fmt::format(R"({{"action":"edited",
      "changes":{{"title":{{"from":"WIP: it"}}}},"pull_request":{{"title":"{}"}}}})",
                            title),
                {{"X-Gitea-Event", "pull_request"}})
        .action;
  };
  EXPECT_EQ(gitea("it"), "ready_for_review");
  EXPECT_EQ(gitea("WIP: that"), "edited");
}

TEST(WebhookPayload, NoTextHasANul) {
  const std::string body =
      R"({"event":"e","title":"a\u0000b","body":"c\u0000","labels":["x\u0000"]})";
  const Payload payload = read(kGeneric, body);
  EXPECT_EQ(payload.title,
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(payload.body, "c\xEF\xBF\xBD");
  EXPECT_THAT(payload.labels, ElementsAre("x\xEF\xBF\xBD"));
}

TEST(WebhookPayload, WhatIsNoPayloadIsSaidAndWhatIsLongIsCut) {
  http::Request request;
  for (const char* body : {"", "[]", "{", "null", "payload=%7B%7D"}) {
    request.body = body;
    EXPECT_FALSE(read_payload(kGithub, request)) << body;
  }
  const Payload long_one = read(
      kGeneric, R"({"event":"e","title":")" + std::string(5000, 'x') + R"(","labels":[1,{},"a"]})");
  EXPECT_LE(long_one.title.size(), kMostText + 3);
  EXPECT_THAT(long_one.labels, ElementsAre("", "a"));
}

// --- filters ---

model::Webhook comments() {
  model::Webhook webhook;
  webhook.events = {"comment"};
  webhook.senders = {"Ada"};
  return webhook;
}

TEST(WebhookFilter, OnlyNamedSendersCommentsStartSomething) {
  Payload payload{.event = "comment", .action = "created", .sender = "ada", .body = "/wave"};
  EXPECT_EQ(reason_to_ignore(comments(), payload), std::nullopt);
  payload.sender = "eve";
  EXPECT_THAT(reason_to_ignore(comments(), payload).value_or(""), HasSubstr("sender"));
  payload.sender = "";
  EXPECT_TRUE(reason_to_ignore(comments(), payload));
  payload.sender = "ada";
  payload.action = "edited";
  EXPECT_THAT(reason_to_ignore(comments(), payload).value_or(""), HasSubstr("action"));
}

// The manifest refuses it; should one get here all the same, it stays shut.
TEST(WebhookFilter, A7_CommentsWithoutSendersStartNothing) {
  model::Webhook webhook = comments();
  webhook.senders.clear();
  const Payload payload{.event = "comment", .action = "created", .sender = "ada"};
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
  webhook.provider = kGeneric;
  webhook.events.clear();
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
}

TEST(WebhookFilter, ALabelCountsWhenItIsPutOn) {
  model::Webhook webhook;
  webhook.events = {"issue"};
  webhook.labels = {"wave"};
  Payload payload{.event = "issue", .action = "labeled"};
  payload.labels = {"wave", "bug"};
  payload.added_labels = {"bug"};
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
  payload.added_labels = {"wave"};
  EXPECT_FALSE(reason_to_ignore(webhook, payload));
  payload.action = "edited";
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
  webhook.actions = {"edited"};
  EXPECT_FALSE(reason_to_ignore(webhook, payload));
}

TEST(WebhookFilter, BranchesReposAndTextsAreLookedAt) {
  model::Webhook webhook;
  webhook.events = {"push"};
  webhook.branches = {"release-*", "main"};
  webhook.repos = {"acme/*"};
  webhook.contains = "deploy";
  Payload payload{.event = "push", .action = "pushed", .repo = "acme/app"};
  payload.branch = "release-1";
  payload.body = "please deploy";
  EXPECT_FALSE(reason_to_ignore(webhook, payload));
  payload.branch = "release";
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
  payload.branch = "main";
  payload.repo = "evil/app";
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
  payload.repo = "acme/app";
  payload.body = "nothing";
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
  payload.body = "deploy";
  payload.action = "deleted";
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
}

// A stranger can give the branch of a fork any name.
TEST(WebhookFilter, A7_ABranchOfAForkIsNotABranchOfTheRepository) {
  model::Webhook webhook;
  webhook.events = {"pull_request"};
  webhook.branches = {"main"};
  Payload payload{.event = "pull_request", .action = "opened", .branch = "main"};
  payload.base = "stable";
  EXPECT_FALSE(reason_to_ignore(webhook, payload));
  payload.from_fork = true;
  EXPECT_THAT(reason_to_ignore(webhook, payload).value_or(""), HasSubstr("fork"));
  webhook.forks = true;
  EXPECT_FALSE(reason_to_ignore(webhook, payload));
  webhook.forks = std::nullopt;
  webhook.branches.clear();
  EXPECT_FALSE(reason_to_ignore(webhook, payload));
  webhook.forks = false;
  EXPECT_TRUE(reason_to_ignore(webhook, payload));
  payload.from_fork = false;
  webhook.base_branches = {"main"};
  EXPECT_THAT(reason_to_ignore(webhook, payload).value_or(""), HasSubstr("base branch"));
  webhook.base_branches = {"sta*"};
  EXPECT_FALSE(reason_to_ignore(webhook, payload));
}

TEST(WebhookFilter, DraftsAskForNoWorkUntilTheyAreReady) {
  model::Webhook webhook;
  webhook.events = {"pull_request", "review"};
  webhook.senders = {"ada"};
  Payload draft{.event = "pull_request", .action = "opened", .sender = "ada"};
  draft.is_draft = true;
  EXPECT_THAT(reason_to_ignore(webhook, draft).value_or(""), HasSubstr("draft"));
  const Payload ready{.event = "pull_request", .action = "ready_for_review", .sender = "ada"};
  EXPECT_FALSE(reason_to_ignore(webhook, ready));
  webhook.drafts = true;
  EXPECT_FALSE(reason_to_ignore(webhook, draft));
  webhook.drafts = std::nullopt;
  webhook.actions = {"opened"};
  EXPECT_FALSE(reason_to_ignore(webhook, draft));
  webhook.drafts = false;
  EXPECT_TRUE(reason_to_ignore(webhook, draft));
}

TEST(WebhookFilter, OnlyReviewsThatAreSubmittedAndSaySomethingStart) {
  model::Webhook webhook;
  webhook.events = {"review"};
  webhook.senders = {"ada"};
  const auto review = [](const std::string& action, const std::string& rest) {
    return read(kGithub,
                fmt::format(R"({{"action":"{}","review":{{{}}},
      "pull_request":{{"number":3}},"sender":{{"login":"ada"}}}})",
                            action, rest),
                {{"X-GitHub-Event", "pull_request_review"}});
  };
  const std::string said = R"("body":"please mend","state":"changes_requested")";
  EXPECT_FALSE(reason_to_ignore(webhook, review("submitted", said)));
  EXPECT_TRUE(reason_to_ignore(webhook, review("dismissed", said)));
  EXPECT_TRUE(reason_to_ignore(webhook, review("edited", said)));
  // GitHub sends one beside the comment for every reply to a line.
  const std::string empty = R"("body":null,"state":"commented")";
  EXPECT_THAT(reason_to_ignore(webhook, review("submitted", empty)).value_or(""),
              HasSubstr("no text"));
  EXPECT_FALSE(reason_to_ignore(webhook, review("submitted", R"("body":null,"state":"approved")")));
}

TEST(WebhookFilter, PatternsMatchTheWholeText) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*c*e", "abcde"));
  EXPECT_TRUE(matches("a**", "a"));
  EXPECT_FALSE(matches("a", "ab"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("*a", "ab"));
  EXPECT_TRUE(matches("a.b", "a.b"));
  EXPECT_FALSE(matches("a.b", "axb"));
}

TEST(WebhookFilter, ValuesAreNotReadAsPlaceholders) {
  Payload payload{.title = "{{ body }}", .body = "secret"};
  EXPECT_EQ(model::render_webhook_text("<{{ title }}> {{ unknown }}{{", payload.values()),
            "<{{ body }}> {{");
}

}  // namespace
}  // namespace wave::server::webhook

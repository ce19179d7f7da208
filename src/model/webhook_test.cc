#include "model/webhook.h"

#include "model/test_project.h"

namespace wave::model {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

Loaded<Manifest> load_webhooks(const std::string& webhooks) {
  return load_manifest(MemorySource(project_files(
      {{"wave.yaml", std::string(kTestManifest) + "server:\n  webhooks:\n" + webhooks},
       {".agents/pipelines/fix.yaml",
        "kind: WavePipeline\nmetadata: {name: fix}\nsteps:\n"
        "  - {id: a, type: command, script: \"true\"}\n"}})));
}

TEST(Webhook, EveryKeyIsTyped) {
  const auto loaded = load_webhooks(R"(
    - name: gh
      provider: github
      secret: "${HOOK}"
      events: [comment, issue]
      actions: [created]
      repos: [acme/*]
      branches: [main]
      labels: [wave]
      senders: [ada]
      contains: /wave
      pipeline: fix
      input: "{{ title }} by {{ sender }}"
      tags: {issue: "{{ number }}"}
      enabled: false
)");
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  ASSERT_TRUE(loaded.value.server);
  ASSERT_EQ(loaded.value.server->webhooks.size(), 1u);
  const Webhook& webhook = loaded.value.server->webhooks[0];
  EXPECT_EQ(webhook.name, "gh");
  EXPECT_EQ(webhook.provider, Webhook::Provider::kGithub);
  EXPECT_EQ(webhook.secret, "${HOOK}");
  EXPECT_THAT(webhook.events, ElementsAre("comment", "issue"));
  EXPECT_THAT(webhook.senders, ElementsAre("ada"));
  EXPECT_EQ(webhook.tags.at("issue"), "{{ number }}");
  EXPECT_FALSE(webhook.enabled);
}

TEST(Webhook, A7_TriggersOnCommentsWithoutSendersAreRefused) {
  for (const char* event : {"comment", "review"}) {
    const auto loaded =
        load_webhooks(std::string("    - {name: a, provider: gitlab, secret: \"${S}\", "
                                  "pipeline: fix, events: [") +
                      event + "]}\n");
    EXPECT_TRUE(has_errors(loaded.diagnostics));
    EXPECT_THAT(all_text(loaded.diagnostics), HasSubstr("needs a list of senders"));
  }
  EXPECT_TRUE(
      has_errors(load_webhooks("    - {name: a, provider: github, secret: \"${S}\", pipeline: fix, "
                               "events: [comment], senders: [\"*\"]}\n")
                     .diagnostics));
}

TEST(Webhook, ActionsThatNoProviderSendsAreWarnedOf) {
  const auto loaded = load_webhooks(
      "    - {name: a, provider: github, secret: \"${S}\", pipeline: fix, events: [pull_request], "
      "actions: [mergd, locked, merged], base_branches: [main], forks: true, drafts: false}\n");
  EXPECT_FALSE(has_errors(loaded.diagnostics)) << all_text(loaded.diagnostics);
  EXPECT_THAT(all_text(loaded.diagnostics), HasSubstr("did you mean \"merged\"?"));
  EXPECT_THAT(all_text(loaded.diagnostics), HasSubstr("\"locked\" is not an action"));
  const Webhook& webhook = loaded.value.server->webhooks.at(0);
  EXPECT_THAT(webhook.base_branches, ElementsAre("main"));
  EXPECT_EQ(webhook.forks, true);
  EXPECT_EQ(webhook.drafts, false);
}

TEST(Webhook, WhatIsWrongIsSaidWithPlaceAndHint) {
  const auto loaded =
      load_webhooks(R"(    - {name: a/b, provider: githab, secrets: x, pipeline: fix}
    - {name: c, provider: github, secret: plain, pipeline: fx, events: [isue], input: "{{ titel }}"}
    - {name: c, provider: generic, secret: "${S}", pipeline: fix}
)");
  const std::string text = all_text(loaded.diagnostics);
  EXPECT_THAT(text, HasSubstr("no safe name"));
  EXPECT_THAT(text, HasSubstr("\"githab\" is not allowed"));
  EXPECT_THAT(text, HasSubstr("did you mean \"secret\"?"));
  EXPECT_THAT(text, HasSubstr("did you mean \"issue\"?"));
  EXPECT_THAT(text, HasSubstr("did you mean {{ title }}?"));
  EXPECT_THAT(text, HasSubstr("did you mean \"fix\"?"));
  EXPECT_THAT(text, HasSubstr("the secret stands in the file"));
  EXPECT_THAT(text, HasSubstr("there is a webhook \"c\" already"));
}

}  // namespace
}  // namespace wave::model

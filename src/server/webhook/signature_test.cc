#include "server/webhook/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wave::server::webhook {
namespace {

using enum model::Webhook::Provider;
using ::testing::HasSubstr;
using ::testing::Not;

http::Request with(std::string body, http::Headers headers) {
  http::Request request;
  request.body = std::move(body);
  request.headers = std::move(headers);
  return request;
}

// The examples of GitHub's documentation, and another one.
TEST(WebhookSignature, GithubsExamplesHold) {
  EXPECT_TRUE(is_signed(
      kGithub, "It's a Secret to Everybody",
      with("Hello, World!", {{"X-Hub-Signature-256",
                              "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b0"
                              "43e17"}}),
      WallTime{}));
  EXPECT_TRUE(
      is_signed(kGithub, "secret",
                with("data", {{"X-Hub-Signature-256",
                               "sha256=1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133cc"
                               "bb9db"}}),
                WallTime{}));
}

TEST(WebhookSignature, EveryChangeOfBodySecretOrSignatureIsRefused) {
  const std::string good =
      "sha256=1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133ccbb9db";
  const auto check = [](std::string_view secret, std::string body, const std::string& signature) {
    return is_signed(kGithub, secret, with(std::move(body), {{"X-Hub-Signature-256", signature}}),
                     WallTime{});
  };
  ASSERT_TRUE(check("secret", "data", good));
  EXPECT_FALSE(check("secret", "data ", good));
  EXPECT_FALSE(check("secreT", "data", good));
  EXPECT_FALSE(check("", "data", good));
  EXPECT_FALSE(check("secret", "data", ""));
  EXPECT_FALSE(check("secret", "data", "sha256="));
  EXPECT_FALSE(check("secret", "data", good.substr(7)));
  EXPECT_FALSE(check("secret", "data", good + "00"));
  EXPECT_FALSE(check("secret", "data", "sha1=" + good.substr(7)));
  for (size_t i = 7; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == '0' ? '1' : '0';
    EXPECT_FALSE(check("secret", "data", bad)) << i;
  }
  EXPECT_FALSE(is_signed(kGithub, "secret", with("data", {}), WallTime{}));
}

TEST(WebhookSignature, AnothersSignatureIsNoGood) {
  // What GitHub would accept does not open GitLab's or Gitea's door.
  const std::string hex = "1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133ccbb9db";
  const auto request = with("data", {{"X-Hub-Signature-256", "sha256=" + hex}});
  EXPECT_FALSE(is_signed(kGitlab, "secret", request, WallTime{}));
  EXPECT_FALSE(is_signed(kGitea, "secret", request, WallTime{}));
  EXPECT_TRUE(is_signed(kGitea, "secret", with("data", {{"X-Gitea-Signature", hex}}), WallTime{}));
}

TEST(WebhookSignature, GitlabSendsTheTokenItself) {
  EXPECT_TRUE(is_signed(kGitlab, "tok", with("x", {{"X-Gitlab-Token", "tok"}}), WallTime{}));
  EXPECT_FALSE(is_signed(kGitlab, "tok", with("x", {{"X-Gitlab-Token", "toK"}}), WallTime{}));
  EXPECT_FALSE(is_signed(kGitlab, "tok", with("x", {{"X-Gitlab-Token", "toke"}}), WallTime{}));
  EXPECT_FALSE(is_signed(kGitlab, "tok", with("x", {}), WallTime{}));
  EXPECT_FALSE(is_signed(kGitlab, "", with("x", {{"X-Gitlab-Token", ""}}), WallTime{}));
}

// The example of Standard Webhooks' own libraries.
TEST(WebhookSignature, StandardWebhooksExampleHoldsForFiveMinutes) {
  const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const auto request =
      with("{\"test\": 2432232314}",
           {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
            {"webhook-timestamp", "1614265330"},
            {"webhook-signature", "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}});
  const WallTime then{Millis(1614265330'000)};
  EXPECT_TRUE(is_signed(kGeneric, secret, request, then));
  EXPECT_TRUE(is_signed(kGeneric, secret, request, then + Millis(299'000)));
  EXPECT_FALSE(is_signed(kGeneric, secret, request, then + Millis(302'000)));
  EXPECT_FALSE(is_signed(kGeneric, secret, request, then - Millis(302'000)));
  auto moved = request;
  moved.headers.set("webhook-id", "msg_other");
  EXPECT_FALSE(is_signed(kGeneric, secret, moved, then));
  moved = request;
  moved.headers.set("webhook-timestamp", "1614265330x");
  EXPECT_FALSE(is_signed(kGeneric, secret, moved, then));
}

TEST(WebhookSignature, SecretsComeFromTheEnvironmentOrNotAtAll) {
  model::Webhook webhook{.name = "gh", .secret = "${HOOK_SECRET}"};
  const auto expanded = expand_secret(webhook, {{"HOOK_SECRET", "0123456789abcdef"}});
  ASSERT_TRUE(expanded);
  EXPECT_EQ(*expanded, "0123456789abcdef");
  // As `echo` and files of secrets leave it behind.
  const auto broken = expand_secret(webhook, {{"HOOK_SECRET", "0123456789abcdef\r\n"}});
  ASSERT_TRUE(broken);
  EXPECT_EQ(*broken, "0123456789abcdef");
  EXPECT_FALSE(expand_secret(webhook, {{"HOOK_SECRET", "guessable          \n"}}));
  const auto unset = expand_secret(webhook, {});
  ASSERT_FALSE(unset);
  EXPECT_THAT(unset.error().message, HasSubstr("HOOK_SECRET"));
  const auto weak = expand_secret(webhook, {{"HOOK_SECRET", "guessable"}});
  ASSERT_FALSE(weak);
  EXPECT_THAT(weak.error().message, Not(HasSubstr("guessable")));
  webhook.secret = "";
  EXPECT_FALSE(expand_secret(webhook, {}));
}

}  // namespace
}  // namespace wave::server::webhook

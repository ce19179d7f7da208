#include "base/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace wave {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string stars(size_t count) {
  return std::string(count, '*');
}

std::string in_pieces(const Redactor& redactor, std::string_view text,
                      const std::vector<size_t>& cuts) {
  StreamRedactor stream(redactor);
  std::string result;
  size_t from = 0;
  for (const size_t cut : cuts) {
    result += stream.feed(text.substr(from, cut - from));
    from = cut;
  }
  result += stream.feed(text.substr(from));
  return result + stream.finish();
}

// Texts with every kind of secret, and with what only looks like one.
const std::vector<std::string>& samples() {
  static const std::vector<std::string> texts{
      "plain text without anything in it, task-management-for-everyone and disk-usage",
      "key AKIAABCDEFGHIJKLMNOP.",
      "sk-ant-api03-abcdefgh-ijkl and \\nsk-abcdefghij1234567890XYZ end",
      "ghp_abcdefghijklmnopqrstuvwxyz012345 gho_short github_pat_11ABCDEFG0abcdefghijkl_mn",
      "glpat-abcdefgh12345678-9 xoxb-123456789012-abcdef",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl-_x, eyJ not one",
      "Authorization: Bearer abcdef0123456789.xyz~+/= and Bearer authentication is prose",
      "password=hunter2&next=1 DB_PASSWORD='two words' \"api_key\": \"abc123def456\" token: string",
      R"({"text":"\"password\": \"s3cr3t-in-json\" done"})",
      "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\nxyz==\n-----END RSA PRIVATE KEY-----\nafter",
      "-----BEGIN CERTIFICATE-----\nMIIEabc\n-----END CERTIFICATE-----\n",
      "configured value: correct-horse-battery, half of it: correct-horse-bat",
      "two that overlap: battery-staple-correct-horse-battery",
  };
  return texts;
}

Redactor configured() {
  return Redactor(
      {"correct-horse-battery", "battery-staple-correct", "short", "p@ss/w\"rd\nline2"});
}

TEST(Promises, S6_KnownTokenShapesAreMasked) {
  const Redactor redactor;
  const std::pair<std::string, std::string> secrets[] = {
      {"id AKIAABCDEFGHIJKLMNOP.", "AKIAABCDEFGHIJKLMNOP"},
      {"x sk-ant-api03-abcdefgh-ijkl y", "sk-ant-api03-abcdefgh-ijkl"},
      {"x sk-abcdefghij1234567890XYZ y", "sk-abcdefghij1234567890XYZ"},
      {R"({"a":"line\nsk-abcdefghij1234567890XYZ"})", "sk-abcdefghij1234567890XYZ"},
      {"x ghp_abcdefghijklmnopqrstuvwxyz012345 y", "ghp_abcdefghijklmnopqrstuvwxyz012345"},
      {"https://ghs_abcdefghijklmnopqrstuvwxyz012345@host/",
       "ghs_abcdefghijklmnopqrstuvwxyz012345"},
      {"x github_pat_11ABCDEFG0abcdefghijkl_mn y", "github_pat_11ABCDEFG0abcdefghijkl_mn"},
      {"x glpat-abcdefgh12345678-9 y", "glpat-abcdefgh12345678-9"},
      {"x xoxb-123456789012-abcdef y", "xoxb-123456789012-abcdef"},
      {"x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl-_x, y",
       "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl-_x"},
      {"authorization: bearer abcdef0123456789.xyz~+/= y", "abcdef0123456789.xyz~+/="},
      {"password=hunter2&next=1", "hunter2"},
      {"DB_PASSWORD='two words' y", "two words"},
      {R"("api_key": "abc123def456", )", "abc123def456"},
      {R"({"text":"\"password\": \"s3cr3t-in-json\" done"})", "s3cr3t-in-json"},
      {"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG y", "wJalrXUtnFEMI/K7MDENG"},
      {"x-api-key: 0123456789abcdef\n", "0123456789abcdef"},
  };
  for (const auto& [text, secret] : secrets) {
    std::string expected = text;
    expected.replace(text.find(secret), secret.size(), stars(secret.size()));
    EXPECT_EQ(redactor.redact(text), expected);
  }
}

TEST(Promises, S6_PrivateKeyBlocksAreMaskedWhole) {
  const std::string block =
      "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNza\nqqq==\n-----END OPENSSH PRIVATE KEY-----";
  EXPECT_EQ(Redactor().redact("a " + block + "\nb"), "a " + stars(block.size()) + "\nb");
  const std::string open = "-----BEGIN PRIVATE KEY-----\n" + std::string(20'000, 'k');
  const std::string redacted = Redactor().redact(open);
  EXPECT_EQ(redacted.substr(0, 16'384), stars(16'384));
  EXPECT_EQ(redacted.back(), 'k');  // a block without an end does not swallow everything
}

TEST(Redact, LeavesProseAndCodeAlone) {
  const Redactor redactor;
  for (const std::string text : {
           "task-management-for-everyone-2024 disk-usage-of-all-the-partitions1",
           "token: string; max_tokens: 100000, tokens_in=5 the token = next()",
           "Bearer authentication is used; password: see the vault",
           "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
           "eyJ and eyJhbGciOiJIUzI1NiJ9 alone, AKIA, ghp_, sk-",
       }) {
    EXPECT_EQ(redactor.redact(text), text);
  }
}

TEST(Promises, S6_ConfiguredValuesAreMaskedInEveryForm) {
  const Redactor redactor = configured();
  const auto masked = [&](const std::string& text) { return redactor.redact(text); };
  EXPECT_EQ(masked("a correct-horse-battery b"), "a " + stars(21) + " b");
  EXPECT_EQ(masked("short stays, it is too short"), "short stays, it is too short");
  // Both of two values that overlap, to the last byte.
  EXPECT_EQ(masked("<battery-staple-correct-horse-battery>"), "<" + stars(36) + ">");
  // base64 of the value, and of something that has it inside ("user:" + value, at every offset).
  EXPECT_THAT(masked("Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"), Not(HasSubstr("Y29y")));
  EXPECT_THAT(masked("dXNlcjpjb3JyZWN0LWhvcnNlLWJhdHRlcnk="), Not(HasSubstr("Y3QtaG9yc2Ut")));
  EXPECT_THAT(masked("dXNlcjpjb3JyZWN0LWhvcnNlLWJhdHRlcnk="), HasSubstr("*******************"));
  EXPECT_THAT(masked("YTpjb3JyZWN0LWhvcnNlLWJhdHRlcnk="), HasSubstr("*******************"));
  // Percent-encoded and JSON-escaped.
  EXPECT_EQ(masked("p%40ss%2Fw%22rd%0Aline2"), stars(23));
  EXPECT_EQ(masked("p%40ss%2fw%22rd%0aline2"), stars(23));
  EXPECT_EQ(masked("p@ss/w\\\"rd\\nline2"), stars(17));
}

TEST(Promises, S6_EverySplitGivesTheSame) {
  const Redactor redactor = configured();
  for (const auto& text : samples()) {
    const std::string whole = redactor.redact(text);
    ASSERT_EQ(whole.size(), text.size());
    for (size_t cut = 0; cut <= text.size(); ++cut) {
      ASSERT_EQ(in_pieces(redactor, text, {cut}), whole) << text << " cut at " << cut;
    }
    std::vector<size_t> bytes(text.size());
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = i;
    ASSERT_EQ(in_pieces(redactor, text, bytes), whole) << text;
  }
}

TEST(Promises, S6_RandomSplitsOfEverythingTogetherGiveTheSame) {
  std::mt19937 random(20261123);
  const Redactor redactor = configured();
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (int i = 0; i < 4; ++i) {
      text += samples()[random() % samples().size()];
      if (random() % 2 == 0) text += ' ';
    }
    std::vector<size_t> cuts;
    for (size_t at = random() % 40; at < text.size(); at += 1 + random() % 40) cuts.push_back(at);
    ASSERT_EQ(in_pieces(redactor, text, cuts), redactor.redact(text)) << text;
  }
}

TEST(Promises, S6_AnyBytesKeepTheirLength) {
  std::mt19937 random(7);
  const Redactor redactor = configured();
  std::string text(200'000, '\0');
  for (char& c : text) c = static_cast<char>(random());
  EXPECT_EQ(redactor.redact(text).size(), text.size());
}

TEST(Redact, LongTokensAreMaskedToTheirEnd) {
  const std::string token = "ghp_" + std::string(100'000, 'a');
  EXPECT_EQ(Redactor().redact(token + " x"), stars(token.size()) + " x");
}

TEST(Promises, S6_SecretValuesComeFromTheirNames) {
  EXPECT_THAT(secret_values({{"ANTHROPIC_API_KEY", "dummy-key-1"},
                             {"my_token", "abcdefgh"},
                             {"DB_PASSWORD", "short"},
                             {"HOME", "/root/home"}}),
              testing::UnorderedElementsAre("dummy-key-1", "abcdefgh"));
}

}  // namespace
}  // namespace wave

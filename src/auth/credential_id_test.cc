#include "auth/credential_id.h"

#include <gtest/gtest.h>

#include "auth/token.h"

namespace wave::auth {
namespace {

std::string fingerprint_with(std::string_view between) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += (i == 0 ? "" : std::string(between)) + "aB";
  return text;
}

std::string bytes_in_hex(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += i == 0 ? "AB" : ":AB";
  return text;
}

TEST(CredentialId, AFingerprintHasOneSpelling) {
  std::string wanted;
  for (int i = 0; i < 32; ++i) wanted += "ab";
  for (const std::string& text :
       {fingerprint_with(""), fingerprint_with(":"), "sha256 Fingerprint=" + fingerprint_with(":"),
        "SHA256 Fingerprint=" + fingerprint_with(":"), "SHA256:" + fingerprint_with(""),
        "  " + fingerprint_with(":") + "\n"}) {
    EXPECT_EQ(credential_id(text).value_or("refused"), wanted) << text;
    EXPECT_EQ(recognize_credential(text).value_or("refused"), wanted) << text;
  }
  EXPECT_FALSE(credential_id(bytes_in_hex(20))) << "SHA-1";
  EXPECT_FALSE(recognize_credential(bytes_in_hex(20)));
  EXPECT_FALSE(credential_id(bytes_in_hex(33)));
}

TEST(CredentialId, WhatNoCredentialCarriesIsRefused) {
  for (const std::string text : {"", " ", "ada", "ci-bot", "ada@example.com", "jwt:ada",
                                 "service-account-ci", "administrators", "abcdefghijkl"}) {
    EXPECT_FALSE(recognize_credential(text)) << text;
  }
  EXPECT_EQ(recognize_credential("7k2m9qpx41cd").value_or(""), "7k2m9qpx41cd");
  const std::string uuid = "0198c0de-1234-7abc-8def-0123456789AB";
  EXPECT_EQ(recognize_credential(uuid).value_or(""), uuid);
  // Somebody who says that it is an id is believed.
  EXPECT_EQ(credential_id("AT.x9-_y").value_or(""), "AT.x9-_y");
  EXPECT_FALSE(credential_id(std::string(257, 'x')));
}

TEST(CredentialId, OfATokenItIsItsId) {
  const Key key = *Key::generate(Algorithm::kHs256);
  const std::string token = *sign_token({{"sub", "ada"}, {"jti", "t-1"}}, key);
  EXPECT_EQ(recognize_credential(token).value_or(""), "t-1");
  EXPECT_FALSE(credential_id(token));
  const auto without = recognize_credential(*sign_token({{"sub", "ada"}}, key));
  ASSERT_FALSE(without);
  EXPECT_TRUE(without.error().hint.contains("subject"));
}

}  // namespace
}  // namespace wave::auth

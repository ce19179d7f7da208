#include "auth/certificate.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "auth/openssl.h"
#include "base/file.h"

namespace wave::auth {
namespace {

using OwnedStore = Owned<X509_STORE, X509_STORE_free>;
using OwnedVerification = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

class Certificates : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "certsXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static OwnedCertificate load(const fs::path& path) {
    const std::string pem = read_file(path, 1 << 20).value_or("");
    const OwnedBio bio = reader_of(pem);
    return OwnedCertificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  }
  static std::string der(X509* certificate) {
    unsigned char* bytes = nullptr;
    const int length = i2d_X509(certificate, &bytes);
    std::string text(reinterpret_cast<char*>(bytes), static_cast<size_t>(length));
    OPENSSL_free(bytes);
    return text;
  }
  static bool verifies(X509* ca, X509* leaf, int purpose) {
    const OwnedStore store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), ca);
    const OwnedVerification context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr);
    X509_STORE_CTX_set_purpose(context.get(), purpose);
    return X509_verify_cert(context.get()) == 1;
  }

  fs::path folder_;
};

TEST_F(Certificates, AreSignedByTheAuthorityForOnePurposeEach) {
  const auto made =
      make_certificates({.folder = folder_ / "tls", .client = "laptop"}, SystemClock().wall());
  ASSERT_TRUE(made) << full_message(made.error());
  const OwnedCertificate ca = load(made->ca);
  const OwnedCertificate server = load(made->server);
  const OwnedCertificate client = load(made->client);
  ASSERT_TRUE(ca && server && client);
  EXPECT_TRUE(verifies(ca.get(), server.get(), X509_PURPOSE_SSL_SERVER));
  EXPECT_FALSE(verifies(ca.get(), server.get(), X509_PURPOSE_SSL_CLIENT));
  EXPECT_TRUE(verifies(ca.get(), client.get(), X509_PURPOSE_SSL_CLIENT));
  EXPECT_FALSE(verifies(ca.get(), client.get(), X509_PURPOSE_SSL_SERVER));

  const auto identity = certificate_identity(der(client.get()));
  ASSERT_TRUE(identity) << full_message(identity.error());
  EXPECT_EQ(identity->name, "laptop");
  EXPECT_EQ(identity->fingerprint, made->client_fingerprint);
  EXPECT_EQ(certificate_identity(der(server.get()))->name, "localhost");
}

TEST_F(Certificates, KeysAreForTheirOwnerOnly) {
  const auto made = make_certificates({.folder = folder_}, SystemClock().wall());
  ASSERT_TRUE(made) << full_message(made.error());
  for (const fs::path& path : {made->ca_key, made->server_key, made->client_key}) {
    struct stat info{};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
}

TEST_F(Certificates, NothingIsReplacedUnasked) {
  const WallTime now = SystemClock().wall();
  ASSERT_TRUE(make_certificates({.folder = folder_}, now));
  EXPECT_EQ(make_certificates({.folder = folder_}, now).error().code, Code::kConflict);
  EXPECT_TRUE(make_certificates({.folder = folder_, .overwrite = true}, now));
  EXPECT_FALSE(make_certificates({.folder = folder_ / "x", .hosts = {"a,IP:0.0.0.0"}}, now));
}

TEST(Certificate, WhatIsNoneIsRefused) {
  EXPECT_EQ(certificate_identity("").error().reason, "certificate_malformed");
  EXPECT_EQ(certificate_identity("abc").error().code, Code::kUnauthorized);
}

}  // namespace
}  // namespace wave::auth

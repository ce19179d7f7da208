#include "http/tls.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <fstream>

#include "http/client.h"
#include "http/server.h"
#include "http/test_certificates.h"
#include "http/test_support.h"

namespace wave::http {
namespace {

using testing::HasSubstr;

class HttpTls : public testing::Test {
 protected:
  void start(TlsOptions tls, ServerOptions options = {}) {
    if (tls.certificate.empty()) {
      tls.certificate = server_files_.certificate;
      tls.key = server_files_.key;
    }
    auto context = TlsContext::load(tls);
    ASSERT_TRUE(context) << full_message(context.error());
    options.tls = *std::move(context);
    options.reactors = 2;
    auto started = Server::start(std::move(options), [](const Request& request, Responder r) {
      if (request.path == "/large") return r.send({.body = std::string(4 << 20, 'x')});
      std::string text = request.peer.tls ? "tls " : "plain ";
      if (request.peer.certificate) {
        const auto* der = reinterpret_cast<const unsigned char*>(request.peer.certificate->data());
        X509* certificate =
            d2i_X509(nullptr, &der, static_cast<long>(request.peer.certificate->size()));
        char name[64] = {};
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                  sizeof(name));
        X509_free(certificate);
        text += name;
      }
      r.send({.body = text + " " + request.body});
    });
    ASSERT_TRUE(started) << full_message(started.error());
    server_ = *std::move(started);
  }
  [[nodiscard]] ClientOptions to(const std::string& path) const {
    return {.url = "https://localhost:" + std::to_string(server_->address().second) + path,
            .timeout = kPatience,
            .ca_file = authority_.file()};
  }
  [[nodiscard]] ClientOptions as(const TestAuthority::Files& files) const {
    ClientOptions options = to("/");
    options.certificate = files.certificate;
    options.key = files.key;
    return options;
  }
  static std::string body(const Result<Response>& response) {
    return response ? std::get<std::string>(response->body) : full_message(response.error());
  }

  TestAuthority authority_{"Test authority"};
  TestAuthority::Files server_files_ = authority_.sign("server", "DNS:localhost,IP:127.0.0.1");
  std::unique_ptr<Server> server_;
};

TEST_F(HttpTls, CarriesRequestsBothWays) {
  start({});
  ClientOptions options = to("/");
  EXPECT_EQ(body(fetch(options)), "tls  ");
  options.method = "POST";
  options.body.assign(500'000, 'b');
  EXPECT_EQ(body(fetch(options)), "tls  " + options.body);
  EXPECT_EQ(body(fetch(to("/large"))).size(), 4U << 20);
}

TEST_F(HttpTls, ClientsLookAtWhoAnswers) {
  start({});
  ClientOptions options = to("/");
  options.ca_file.clear();  // nobody this machine trusts signed it
  const auto untrusted = fetch(options);
  ASSERT_FALSE(untrusted);
  EXPECT_EQ(untrusted.error().code, Code::kServerUnreachable);
  EXPECT_THAT(untrusted.error().message, HasSubstr("is not trusted"));

  const auto other = authority_.sign("other", "DNS:other.example");
  auto context = TlsContext::load({.certificate = other.certificate, .key = other.key});
  ASSERT_TRUE(context);
  server_->replace_tls(*context);
  const auto wrong_name = fetch(to("/"));
  ASSERT_FALSE(wrong_name);
  EXPECT_THAT(wrong_name.error().message, HasSubstr("ostname mismatch"));
  options = to("/");
  options.url = "https://127.0.0.1:" + std::to_string(server_->address().second) + "/";
  EXPECT_THAT(body(fetch(options)), HasSubstr("IP address mismatch"));
}

TEST_F(HttpTls, PlainWordsAreNotAnswered) {
  start({});
  RawClient client(server_->address().second);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), testing::Not(HasSubstr("HTTP/1.1")));
  // And the other way round: TLS to a plain server.
  auto plain = Server::start({}, [](const Request&, Responder) {});
  ASSERT_TRUE(plain);
  ClientOptions options = to("/");
  options.url = "https://localhost:" + std::to_string((*plain)->address().second) + "/";
  const auto refused = fetch(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kServerUnreachable);
}

TEST_F(HttpTls, HandshakesHaveADeadline) {
  ServerOptions options;
  options.limits.handshake_timeout = Millis(100);
  start({}, std::move(options));
  RawClient silent(server_->address().second);
  EXPECT_TRUE(silent.read_to_end());
}

TEST_F(HttpTls, ClientCertificatesMayBeOptional) {
  start({.client_ca = authority_.file(), .client_certificates = ClientCertificates::kOptional});
  EXPECT_EQ(body(fetch(to("/"))), "tls  ");
  EXPECT_EQ(body(fetch(as(authority_.sign("ci-bot")))), "tls ci-bot ");
  TestAuthority stranger("Stranger");
  const auto refused = fetch(as(stranger.sign("ci-bot")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kServerUnreachable);
}

TEST_F(HttpTls, ClientCertificatesMayBeRequired) {
  start({.client_ca = authority_.file(), .client_certificates = ClientCertificates::kRequired});
  EXPECT_FALSE(fetch(to("/")));
  EXPECT_EQ(body(fetch(as(authority_.sign("ci-bot")))), "tls ci-bot ");
}

TEST_F(HttpTls, RevokedClientsAreRefused) {
  const auto good = authority_.sign("good"), bad = authority_.sign("bad");
  start({.client_ca = authority_.file(),
         .crl = authority_.revoke("bad"),
         .client_certificates = ClientCertificates::kRequired});
  EXPECT_EQ(body(fetch(as(good))), "tls good ");
  EXPECT_FALSE(fetch(as(bad)));
}

/// A handshake with a version of one's own choice: the version that came of it, 0 if none.
int version_with(uint16_t port, int most) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), most);
  SSL_CTX_set_security_level(context.get(), 0);
  const RawClient client(port);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  SSL_set_fd(ssl.get(), client.fd());
  return SSL_connect(ssl.get()) == 1 ? SSL_version(ssl.get()) : 0;
}

TEST_F(HttpTls, OldVersionsAreNotSpoken) {
  start({});
  const uint16_t port = server_->address().second;
  EXPECT_EQ(version_with(port, TLS1_1_VERSION), 0);
  EXPECT_EQ(version_with(port, TLS1_2_VERSION), TLS1_2_VERSION);
  EXPECT_EQ(version_with(port, TLS1_3_VERSION), TLS1_3_VERSION);
  start({.min_version = "1.3"});
  EXPECT_EQ(version_with(server_->address().second, TLS1_2_VERSION), 0);
}

TEST_F(HttpTls, SessionsAreResumed) {
  start({});
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  SSL_SESSION* session = nullptr;
  for (int round = 0; round < 2; ++round) {
    const RawClient client(server_->address().second);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
    SSL_set_fd(ssl.get(), client.fd());
    if (session != nullptr) SSL_set_session(ssl.get(), session);
    ASSERT_EQ(SSL_connect(ssl.get()), 1);
    EXPECT_EQ(SSL_session_reused(ssl.get()), round);
    constexpr std::string_view kAsk = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    SSL_write(ssl.get(), kAsk.data(), static_cast<int>(kAsk.size()));
    char buffer[4096];
    ASSERT_GT(SSL_read(ssl.get(), buffer, sizeof(buffer)), 0);
    if (session == nullptr) session = SSL_get1_session(ssl.get());
    SSL_shutdown(ssl.get());  // a session that breaks off is not resumed
  }
  SSL_SESSION_free(session);
}

TEST_F(HttpTls, ReplacingKeepsOpenConnections) {
  start({});
  struct Waiting final : StreamSource {
    Next pull(size_t, std::vector<Frame>&) override { return Next::kWait; }
  };
  const RawClient client(server_->address().second);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  SSL_set_fd(ssl.get(), client.fd());
  ASSERT_EQ(SSL_connect(ssl.get()), 1);
  TestAuthority next("Next");
  const auto files = next.sign("server", "DNS:localhost");
  auto loaded = TlsContext::load({.certificate = files.certificate, .key = files.key});
  ASSERT_TRUE(loaded);
  server_->replace_tls(*std::move(loaded));
  // New connections see the new certificate ...
  EXPECT_FALSE(fetch(to("/")));
  ClientOptions options = to("/");
  options.ca_file = next.file();
  EXPECT_EQ(body(fetch(options)), "tls  ");
  // ... and the open one goes on.
  constexpr std::string_view kAsk = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  SSL_write(ssl.get(), kAsk.data(), static_cast<int>(kAsk.size()));
  char buffer[4096];
  const int size = SSL_read(ssl.get(), buffer, sizeof(buffer));
  ASSERT_GT(size, 0);
  EXPECT_THAT(std::string(buffer, static_cast<size_t>(size)), HasSubstr("200 OK"));
}

TEST_F(HttpTls, LoadingNamesTheFileThatDoesNotFit) {
  const auto other = authority_.sign("other");
  const auto garbage = authority_.folder() / "garbage.pem";
  std::ofstream(garbage) << "garbage";
  const auto missing = authority_.folder() / "missing.pem";
  const struct {
    TlsOptions options;
    std::filesystem::path named;
  } cases[] = {
      {{.certificate = missing, .key = server_files_.key}, missing},
      {{.certificate = garbage, .key = server_files_.key}, garbage},
      {{.certificate = server_files_.certificate, .key = missing}, missing},
      {{.certificate = server_files_.certificate, .key = garbage}, garbage},
      {{.certificate = server_files_.certificate, .key = other.key}, other.key},
      {{.certificate = server_files_.certificate,
        .key = server_files_.key,
        .client_ca = garbage,
        .client_certificates = ClientCertificates::kOptional},
       garbage},
      {{.certificate = server_files_.certificate,
        .key = server_files_.key,
        .client_ca = authority_.file(),
        .crl = garbage,
        .client_certificates = ClientCertificates::kRequired},
       garbage},
  };
  for (const auto& one : cases) {
    const auto loaded = TlsContext::load(one.options);
    ASSERT_FALSE(loaded) << one.named;
    EXPECT_THAT(loaded.error().message, HasSubstr(one.named.string()));
    EXPECT_FALSE(loaded.error().hint.empty());
  }
  EXPECT_FALSE(TlsContext::load(
      {.certificate = server_files_.certificate, .key = server_files_.key, .min_version = "1.1"}));
}

}  // namespace
}  // namespace wave::http

// What a credential costs per request: a token's check, and a TLS handshake where no connection is
// kept.
#include <fmt/core.h>
#include <openssl/ssl.h>

#include <memory>

#include "auth/certificate.h"
#include "auth/claims.h"
#include "base/hash.h"
#include "measure.h"

namespace wave::bench {
namespace {

using Nanos = std::chrono::nanoseconds;

std::string micros(Nanos time) {
  return fmt::format("{:.1f} us", static_cast<double>(time.count()) / 1000);
}

template <typename Work>
Nanos median(int count, Work work) {
  std::vector<Nanos> samples;
  for (int i = 0; i < count; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    samples.push_back(std::chrono::steady_clock::now() - begin);
  }
  return percentile(std::move(samples), 0.5);
}

Figure token_check(auth::Algorithm algorithm) {
  const auto key = auth::Key::generate(algorithm);
  const auto keys = auth::KeySet::make({*key});
  const WallTime now = SystemClock().wall();
  const int64_t end =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() + 3600;
  const json::object claims{{"sub", "ci-bot"}, {"role", "operator"}, {"jti", "t"}, {"exp", end}};
  const std::string token = *auth::sign_token(claims, *key);
  bool good = true;
  const Nanos whole = median(2000, [&] {
    const auto payload = auth::verify_token(token, *keys);
    good = good && payload && auth::identity_from_claims(*payload, {}, now);
  });
  const size_t dot = token.rfind('.');
  const std::string input = token.substr(0, dot);
  const std::string signature = auth::take_apart(token)->signature;
  const Nanos bare = median(2000, [&] { good = good && key->verify(input, signature); });
  return {fmt::format("checking a token, {} (p50)", auth::to_string(algorithm)),
          good ? micros(whole) : "broken", fmt::format("its signature alone: {}", micros(bare)),
          "< 100 us"};
}

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Connection = std::unique_ptr<SSL, decltype(&SSL_free)>;

Context context(const SSL_METHOD* method, const std::filesystem::path& certificate,
                const std::filesystem::path& key, const std::filesystem::path& ca, bool verify) {
  Context made(SSL_CTX_new(method), SSL_CTX_free);
  if (!certificate.empty()) {
    SSL_CTX_use_certificate_chain_file(made.get(), certificate.c_str());
    SSL_CTX_use_PrivateKey_file(made.get(), key.c_str(), SSL_FILETYPE_PEM);
  }
  SSL_CTX_load_verify_locations(made.get(), ca.c_str(), nullptr);
  SSL_CTX_set_verify(made.get(),
                     verify ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
                     nullptr);
  return made;
}

// Both sides in this process, over memory: the processor's part of a handshake.
bool handshake(SSL_CTX* server_context, SSL_CTX* client_context) {
  const Connection server(SSL_new(server_context), SSL_free);
  const Connection client(SSL_new(client_context), SSL_free);
  BIO* left = nullptr;
  BIO* right = nullptr;
  BIO_new_bio_pair(&left, 1 << 16, &right, 1 << 16);
  SSL_set_bio(server.get(), left, left);
  SSL_set_bio(client.get(), right, right);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  for (int turn = 0; turn < 10; ++turn) {
    const int connected = SSL_do_handshake(client.get());
    const int accepted = SSL_do_handshake(server.get());
    if (connected == 1 && accepted == 1) return true;
  }
  return false;
}

Figure handshakes(const auth::MadeCertificates& files, bool mutual) {
  const Context server =
      context(TLS_server_method(), files.server, files.server_key, files.ca, mutual);
  const Context client =
      context(TLS_client_method(), mutual ? files.client : std::filesystem::path(),
              files.client_key, files.ca, true);
  bool good = true;
  const Nanos time = median(300, [&] { good = handshake(server.get(), client.get()) && good; });
  return {fmt::format("TLS 1.3 handshake, both sides, {} (p50)",
                      mutual ? "client certificate" : "server certificate"),
          good ? micros(time) : "broken", "P-256 keys, no resumption, no network", ""};
}

}  // namespace

std::vector<Figure> bench_access(const std::filesystem::path& scratch) {
  std::vector<Figure> figures;
  for (const auth::Algorithm algorithm :
       {auth::Algorithm::kHs256, auth::Algorithm::kRs256, auth::Algorithm::kPs256,
        auth::Algorithm::kEs256, auth::Algorithm::kEdDsa}) {
    figures.push_back(token_check(algorithm));
  }
  const auto files = auth::make_certificates({.folder = scratch / "tls"}, SystemClock().wall());
  if (!files) return figures;
  figures.push_back(handshakes(*files, false));
  figures.push_back(handshakes(*files, true));
  return figures;
}

}  // namespace wave::bench

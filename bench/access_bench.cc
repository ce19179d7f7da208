// What a credential costs per request: a token's check, and a TLS handshake where no connection is
// kept.
#include <fmt/core.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "auth/certificate.h"
#include "auth/claims.h"
#include "base/hash.h"
#include "base/text.h"
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

/// What OpenSSL's own program says of the same primitives, in microseconds, one second each: "rsa",
/// "ecdsa", "eddsa", "hmac" (of 256 bytes). Empty without `openssl`.
std::map<std::string, double> openssl_speed() {
  std::map<std::string, double> found;
  const std::unique_ptr<FILE, decltype(&::pclose)> pipe(
      ::popen("openssl speed -mr -seconds 1 rsa2048 ecdsap256 ed25519 2>/dev/null;"
              " openssl speed -mr -seconds 1 -bytes 256 -hmac sha256 2>/dev/null",
              "r"),
      ::pclose);
  if (!pipe) return found;
  // "+F2:2:2048:<signed per second>:<verified per second>", "+F:9:hmac(sha256):<bytes per second>"
  const std::map<std::string, std::string> kinds{
      {"+F2", "rsa"}, {"+F4", "ecdsa"}, {"+F6", "eddsa"}, {"+F", "hmac"}};
  std::array<char, 1024> line{};
  while (std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    const auto words = split(trim(line.data()), ':');
    const auto kind = kinds.find(std::string(words.front()));
    if (kind == kinds.end() || words.size() < 3) continue;
    const double rate = std::strtod(std::string(words.back()).c_str(), nullptr);
    if (rate > 0) found[kind->second] = (kind->second == "hmac" ? 256 : 1) * 1e6 / rate;
  }
  return found;
}

std::string peer(const std::map<std::string, double>& speed, auth::Algorithm algorithm) {
  const std::string name(auth::to_string(algorithm));
  const std::string kind = name.starts_with("HS")   ? "hmac"
                           : name.starts_with("ES") ? "ecdsa"
                           : name.starts_with("Ed") ? "eddsa"
                                                    : "rsa";
  const auto found = speed.find(kind);
  if (found == speed.end()) return "";
  return fmt::format("; `openssl speed`: {:.1f} us", found->second);
}

Figure token_check(auth::Algorithm algorithm, const std::map<std::string, double>& speed) {
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
          good ? micros(whole) : "broken",
          fmt::format("its signature alone: {}{}", micros(bare), peer(speed, algorithm)),
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

using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

// Both sides in this process, over memory: the processor's part of a handshake. Takes up `session`
// where there is one, and leaves the one that the server offers there.
bool handshake(SSL_CTX* server_context, SSL_CTX* client_context, Session* session = nullptr) {
  const Connection server(SSL_new(server_context), SSL_free);
  const Connection client(SSL_new(client_context), SSL_free);
  BIO* left = nullptr;
  BIO* right = nullptr;
  BIO_new_bio_pair(&left, 1 << 16, &right, 1 << 16);
  SSL_set_bio(server.get(), left, left);
  SSL_set_bio(client.get(), right, right);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  const bool resumes = session != nullptr && *session != nullptr;
  if (resumes) SSL_set_session(client.get(), session->get());
  for (int turn = 0; turn < 10; ++turn) {
    const int connected = SSL_do_handshake(client.get());
    const int accepted = SSL_do_handshake(server.get());
    if (connected != 1 || accepted != 1) continue;
    if (session == nullptr) return true;
    char byte = 0;
    (void)SSL_read(client.get(), &byte, 1);  // takes the tickets in; there is nothing else
    session->reset(SSL_get1_session(client.get()));
    // The session of a connection that was cut off is not taken up again.
    SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    return !resumes || SSL_session_reused(client.get()) == 1;
  }
  return false;
}

std::vector<Figure> handshakes(const auth::MadeCertificates& files, bool mutual) {
  const Context server =
      context(TLS_server_method(), files.server, files.server_key, files.ca, mutual);
  const Context client =
      context(TLS_client_method(), mutual ? files.client : std::filesystem::path(),
              files.client_key, files.ca, true);
  // Without it a server that asks for certificates resumes nothing.
  SSL_CTX_set_session_id_context(server.get(), reinterpret_cast<const unsigned char*>("b"), 1);
  bool good = true;
  const Nanos whole = median(300, [&] { good = handshake(server.get(), client.get()) && good; });
  Session session(nullptr, SSL_SESSION_free);
  good = handshake(server.get(), client.get(), &session) && good;
  const Nanos resumed =
      median(300, [&] { good = handshake(server.get(), client.get(), &session) && good; });
  const std::string whose = mutual ? "client certificate" : "server certificate";
  const auto figure = [&](std::string_view kind, Nanos time, std::string beside) {
    return Figure{fmt::format("TLS 1.3 handshake, both sides, {}, {} (p50)", whose, kind),
                  good ? micros(time) : "broken", std::move(beside), ""};
  };
  return {figure("full", whole, "P-256 keys, no network"),
          figure("resumed by ticket", resumed, "the key exchange is made anew")};
}

}  // namespace

std::vector<Figure> bench_access(const std::filesystem::path& scratch) {
  std::vector<Figure> figures;
  const auto speed = openssl_speed();
  for (const auth::Algorithm algorithm :
       {auth::Algorithm::kHs256, auth::Algorithm::kRs256, auth::Algorithm::kPs256,
        auth::Algorithm::kEs256, auth::Algorithm::kEdDsa}) {
    figures.push_back(token_check(algorithm, speed));
  }
  const auto files = auth::make_certificates({.folder = scratch / "tls"}, SystemClock().wall());
  if (!files) return figures;
  for (const bool mutual : {false, true}) {
    for (Figure& figure : handshakes(*files, mutual)) figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace wave::bench

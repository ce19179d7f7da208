#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>

#include "auth/base64url.h"
#include "auth/certificate.h"
#include "base/file.h"
#include "server/access/check_config.h"
#include "server/access/doorkeeper.h"
#include "store/store.h"

namespace wave::server::access {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

class FakeClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return wall_time; }
  [[nodiscard]] MonoTime mono() const override { return mono_time; }
  void pass(Millis time) {
    wall_time += time;
    mono_time += time;
  }
  WallTime wall_time{Millis(1'800'000'000'000)};
  MonoTime mono_time{1000s};
};

model::ServerConfig jwt_config() {
  model::ServerConfig config;
  config.access.modes = {"jwt"};
  config.jwt_secret = kSecret;
  config.access.places["server.auth.mode"] = {"wave.yaml", 4, 3};
  return config;
}

class Access : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "doorXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    paths_.project = name;
    store_ = *store::open_store(paths_);
    key_ = *auth::Key::from_secret(kSecret, auth::Algorithm::kHs256);
  }
  void TearDown() override {
    keeper_.reset();
    store_.reset();
    fs::remove_all(paths_.project);
  }
  Doorkeeper& door(model::ServerConfig config = jwt_config(),
                   const std::string& host = "127.0.0.1") {
    auto made = Doorkeeper::make({.config = std::move(config),
                                  .host = host,
                                  .project = paths_.project,
                                  .store = store_->access(),
                                  .refused = refused_,
                                  .fetch = {},
                                  .clock = &clock_});
    EXPECT_TRUE(made) << full_message(made.error());
    keeper_ = *std::move(made);
    return *keeper_;
  }
  std::string token(const std::string& subject = "ada", const std::string& role = "operator",
                    const std::string& id = "t-1") {
    const auto end = std::chrono::duration_cast<std::chrono::seconds>(
        (clock_.wall_time + 1h).time_since_epoch());
    return *auth::sign_token({{"sub", subject}, {"role", role}, {"jti", id}, {"exp", end.count()}},
                             *key_);
  }
  static http::Request request(const std::string& method, const std::string& path) {
    http::Request made;
    made.method = method;
    made.path = path;
    made.target = path;
    made.segments = {"api"};
    made.headers.add("Host", "127.0.0.1:8080");
    made.peer.address = "127.0.0.1";
    made.id = "r";
    return made;
  }
  static http::Request with_token(const std::string& token) {
    http::Request made = request("GET", "/api/runs");
    made.headers.add("Authorization", "Bearer " + token);
    return made;
  }
  static std::string reason(const Result<auth::Identity>& result) {
    return result ? "" : result.error().reason;
  }

  store::StatePaths paths_;
  FakeClock clock_;
  std::function<void(std::string_view)> refused_;
  std::unique_ptr<store::Store> store_;
  std::optional<auth::Key> key_;
  std::unique_ptr<Doorkeeper> keeper_;
};

// --- configuration ---

Error refusal(const model::ServerConfig& config, const std::string& host = "127.0.0.1") {
  const auto status = check_config({.config = config, .host = host, .project = "/nowhere"});
  return status ? Error(Code::kInternal, "accepted") : status.error();
}

TEST(AccessConfig, A1_ContradictionsNameKeyPlaceAndRemedy) {
  model::ServerConfig config = jwt_config();
  config.jwt_secret.clear();
  const Error error = refusal(config);
  EXPECT_EQ(error.code, Code::kInvalidManifest);
  EXPECT_THAT(error.message, HasSubstr("server.auth.jwt_secret"));
  EXPECT_THAT(error.hint, HasSubstr("wave token keygen"));
  ASSERT_TRUE(error.source);
  EXPECT_EQ(error.source->line, 4);
}

TEST(AccessConfig, A1_WhatWouldLetSomebodyInIsRefused) {
  const auto message = [](auto change, const std::string& host = "127.0.0.1") {
    model::ServerConfig config = jwt_config();
    change(config);
    return refusal(config, host).message;
  };
  using Config = model::ServerConfig;
  EXPECT_EQ(message([](Config&) {}), "accepted");
  EXPECT_THAT(message([](Config& c) { c.jwt_secret = "short"; }), HasSubstr("too short"));
  EXPECT_THAT(message([](Config& c) { c.access.jwt_algorithm = "HS512"; }), HasSubstr("too short"));
  EXPECT_THAT(message([](Config& c) { c.access.jwt_algorithm = "RS256"; }), HasSubstr("key pair"));
  EXPECT_THAT(message([](Config& c) { c.access.jwt_keys = "x.pem"; }), HasSubstr("a secret and"));
  EXPECT_THAT(message([](Config& c) { c.access.modes = {"bearer"}; }), HasSubstr("bearer"));
  EXPECT_THAT(message([](Config& c) { c.access.modes = {"none", "jwt"}; }), HasSubstr("none"));
  EXPECT_THAT(message([](Config& c) { c.access.modes = {"none"}; }),
              HasSubstr("no token is asked"));
  EXPECT_THAT(message([](Config& c) {
                c.access.modes = {"mtls"};
                c.jwt_secret.clear();
              }),
              HasSubstr("server.tls.enabled"));
  EXPECT_THAT(message([](Config& c) {
                c.tls_enabled = true;
                c.tls_cert = "c";
              }),
              HasSubstr("server.tls.key"));
  EXPECT_THAT(message([](Config& c) { c.tls_key = "k"; }), HasSubstr("server.tls.cert"));
  EXPECT_THAT(message([](Config& c) { c.access.trusted_proxies = {"0.0.0.0/0"}; }),
              HasSubstr("everybody"));
  EXPECT_THAT(message([](Config& c) { c.access.trusted_proxies = {"proxy"}; }),
              HasSubstr("no address"));
  EXPECT_THAT(message([](Config& c) {
                c.access.jwt_keys = "http://id.example/keys";
                c.access.audience = "wave";
                c.jwt_secret.clear();
              }),
              HasSubstr("without encryption"));
  EXPECT_THAT(message([](Config& c) {
                c.access.jwt_keys = "http://127.0.0.1/keys";
                c.jwt_secret.clear();
              }),
              HasSubstr("any application"));
  for (const bool by_issuer : {true, false}) {
    EXPECT_EQ(message([by_issuer](Config& c) {
                c.access.jwt_keys = "https://id.example/keys";
                c.jwt_secret.clear();
                (by_issuer ? c.access.issuer : c.access.audience) = "wave";
              }),
              "accepted");
  }
  const auto open = [](Config& c) { c = Config(); };
  EXPECT_EQ(message(open, "::1"), "accepted");
  for (const std::string host : {"0.0.0.0", "", "10.0.0.1", "example.com", "::"}) {
    EXPECT_THAT(message(open, host), HasSubstr("mode none")) << host;
  }
  EXPECT_EQ(message(
                [](Config& c) {
                  c = Config();
                  c.access.allow_anonymous = true;
                },
                "0.0.0.0"),
            "accepted");
}

TEST(AccessConfig, AllFindingsAreReportedAtOnce) {
  model::ServerConfig config = jwt_config();
  config.jwt_secret = "short";
  config.tls_cert = "c";
  config.access.allowed_origins = {"example.com"};
  EXPECT_GE(refusal(config).others.size(), 2u);
}

// --- addresses ---

TEST(Addresses, ForwardedAddressesAreBelievedFromTrustedProxiesOnly) {
  const std::vector<Network> trusted{*Network::parse("10.0.0.0/8"), *Network::parse("fd00::/8")};
  http::Request request;
  request.peer.address = "192.0.2.1";
  request.headers.add("X-Forwarded-For", "203.0.113.9");
  EXPECT_EQ(client_address(request, trusted), "192.0.2.1");
  request.peer.address = "10.0.0.1";
  EXPECT_EQ(client_address(request, trusted), "203.0.113.9");
  // What the client itself wrote before its proxy did stands further left.
  request.headers.set("X-Forwarded-For", "127.0.0.1, 203.0.113.9, 10.1.1.1");
  EXPECT_EQ(client_address(request, trusted), "203.0.113.9");
  // One of both is the proxy's, the other may be the client's own word.
  request.headers.set("Forwarded", "for=198.51.100.7");
  EXPECT_EQ(client_address(request, trusted), "10.0.0.1");
  request.headers.set("Forwarded", "for=203.0.113.9");
  EXPECT_EQ(client_address(request, trusted), "203.0.113.9");
  http::Request standard;
  standard.peer.address = "10.0.0.1";
  standard.headers.add("Forwarded", "for=\"[2001:db8::7]:4711\";proto=https, for=10.2.2.2");
  EXPECT_EQ(client_address(standard, trusted), "2001:db8::7");
  standard.headers.set("Forwarded", "for=_hidden");
  EXPECT_EQ(client_address(standard, trusted), "10.0.0.1");
}

TEST(Addresses, HostsAreTakenApart) {
  EXPECT_EQ(host_of("Example.com:80"), "example.com");
  EXPECT_EQ(host_of("[::1]:80"), "[::1]");
  EXPECT_EQ(host_of("[::1]x"), "");
  EXPECT_EQ(host_of("example.com."), "example.com");
  EXPECT_TRUE(is_loopback_host("127.8.8.8"));
  EXPECT_TRUE(is_loopback_host("::ffff:127.0.0.1"));
  EXPECT_FALSE(is_loopback_host("localhost.example.com"));
  EXPECT_FALSE(is_loopback_host(""));
}

// --- limits ---

TEST(Limits, LockoutDoublesAndForgets) {
  Lockout lockout(2);
  MonoTime now{1000s};
  lockout.failed("a", now);
  lockout.failed("a", now);
  EXPECT_FALSE(lockout.locked("a", now));
  lockout.failed("a", now);
  EXPECT_EQ(lockout.locked("a", now), Millis(1000));
  lockout.failed("a", now);
  EXPECT_EQ(lockout.locked("a", now), Millis(2000));
  EXPECT_FALSE(lockout.locked("b", now));
  for (int i = 0; i < 40; ++i) lockout.failed("a", now);
  EXPECT_EQ(lockout.locked("a", now), Millis(300'000));
  lockout.succeeded("a");
  EXPECT_FALSE(lockout.locked("a", now));
}

TEST(Limits, RateIsRefilledAndTablesAreBounded) {
  RateLimit rate(10, 2);
  const MonoTime now{1000s};
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(rate.take("a", now));
  EXPECT_EQ(rate.take("a", now), Millis(100));
  EXPECT_FALSE(rate.take("a", now + 100ms));
  EXPECT_FALSE(rate.take("b", now));
  EXPECT_FALSE(rate.take("c", now));  // pushes "a" out
  EXPECT_FALSE(rate.take("a", now));
  RecentTable<int> table(2);
  table.at("x") = 1;
  table.at("y") = 2;
  table.at("x");
  table.at("z") = 3;
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.find("y"), nullptr);
  EXPECT_EQ(*table.find("x"), 1);
}

// --- credentials ---

TEST_F(Access, A2_ATokenMakesAnIdentityAndEveryBadOneHasAReason) {
  Doorkeeper& keeper = door();
  const auto identity = keeper.authenticate(with_token(token()));
  ASSERT_TRUE(identity) << full_message(identity.error());
  EXPECT_EQ(identity->actor(), "jwt:ada");
  EXPECT_EQ(identity->role, auth::Role::kOperator);
  EXPECT_EQ(reason(keeper.authenticate(request("GET", "/api/runs"))), "no_credential");
  EXPECT_EQ(reason(keeper.authenticate(with_token("x.y.z"))), "token_malformed");
  EXPECT_EQ(reason(keeper.authenticate(with_token(token("ada", "root")))), "token_role");
  http::Request basic = request("GET", "/api/runs");
  basic.headers.add("Authorization", "Basic YTpi");
  EXPECT_EQ(reason(keeper.authenticate(basic)), "scheme_not_accepted");
  const std::string old = token();
  clock_.pass(2h);
  EXPECT_EQ(reason(keeper.authenticate(with_token(old))), "token_expired");
}

TEST_F(Access, ABadTokenIsNotHelpedByAGoodCookie) {
  Doorkeeper& keeper = door();
  const auto made = keeper.open_session(*keeper.authenticate(with_token(token())), "jwt",
                                        request("POST", "/api/login"));
  ASSERT_TRUE(made);
  http::Request both = with_token("x.y.z");
  both.headers.add("Cookie", "wave_session=" + made->secret);
  EXPECT_EQ(reason(keeper.authenticate(both)), "token_malformed");
}

TEST_F(Access, E10_RevokedTokensAreRefusedAndTold) {
  Doorkeeper& keeper = door();
  const auto identity = keeper.authenticate(with_token(token()));
  ASSERT_TRUE(identity);
  std::atomic<int> told = 0;
  keeper.on_revoked([&] { ++told; });
  EXPECT_FALSE(keeper.is_revoked(*identity));
  ASSERT_TRUE(keeper.revoke({.id = "t-1", .revoked_at = clock_.wall_time, .expires_at = {}}));
  EXPECT_TRUE(keeper.is_revoked(*identity));
  EXPECT_GE(told, 1);
  EXPECT_EQ(reason(keeper.authenticate(with_token(token()))), "token_revoked");
  EXPECT_EQ(reason(keeper.authenticate(with_token(token("ada", "operator", "t-2")))), "");
}

TEST_F(Access, E10_OfASubjectEverythingIssuedBeforeIsRevoked) {
  Doorkeeper& keeper = door();
  const auto issued = [&](const std::string& subject) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(clock_.wall_time.time_since_epoch());
    return *auth::sign_token(
        {{"sub", subject}, {"role", "operator"}, {"iat", now.count()}, {"exp", (now + 1h).count()}},
        *key_);
  };
  const std::string old = issued("ada"), undated = token("ada", "operator", ""),
                    other = issued("grace");
  const auto stream = keeper.authenticate(with_token(old));
  ASSERT_TRUE(stream);
  const auto session = keeper.open_session(*stream, "jwt", request("POST", "/api/login"));
  ASSERT_TRUE(session);
  http::Request by_cookie = request("GET", "/api/runs");
  by_cookie.headers.add("Cookie", "wave_session=" + session->secret);
  ASSERT_TRUE(keeper.authenticate(by_cookie));
  const auto link = keeper.login_link("http://127.0.0.1:1", "ada", auth::Role::kAdmin);
  ASSERT_TRUE(link);

  clock_.pass(300ms);
  ASSERT_TRUE(keeper.revoke({.subject = "ada", .revoked_at = clock_.wall_time, .expires_at = {}}));
  EXPECT_TRUE(keeper.is_revoked(*stream));
  EXPECT_EQ(reason(keeper.authenticate(with_token(old))), "token_revoked");
  EXPECT_EQ(reason(keeper.authenticate(with_token(undated))), "token_revoked");
  EXPECT_EQ(reason(keeper.authenticate(by_cookie)), "no_credential");
  EXPECT_EQ(reason(keeper.take_code(link->substr(link->find("#code=") + 6),
                                    request("POST", "/api/login"))),
            "login_code");
  EXPECT_EQ(reason(keeper.authenticate(with_token(other))), "");
  clock_.pass(1s);
  EXPECT_EQ(reason(keeper.authenticate(with_token(issued("ada")))), "");
  // A clock that was set back does not take it back.
  ASSERT_TRUE(
      keeper.revoke({.subject = "ada", .revoked_at = clock_.wall_time - 1h, .expires_at = {}}));
  EXPECT_EQ(reason(keeper.authenticate(with_token(old))), "token_revoked");
}

TEST_F(Access, E10_ARevocationLastsAsLongAsTheTokenIsAccepted) {
  model::ServerConfig config = jwt_config();
  config.access.leeway = 2min;
  Doorkeeper& keeper = door(config);
  const std::string bad = token();
  ASSERT_TRUE(keeper.revoke(
      {.id = "t-1", .revoked_at = clock_.wall_time, .expires_at = clock_.wall_time + 1h}));
  clock_.pass(61min);  // expired, and within the leeway
  // Reads the list anew, and removes on the way what has ended.
  ASSERT_TRUE(keeper.revoke({.id = "t-9", .revoked_at = clock_.wall_time, .expires_at = {}}));
  EXPECT_EQ(reason(keeper.authenticate(with_token(bad))), "token_revoked");
  EXPECT_EQ(reason(keeper.authenticate(with_token(token("ada", "operator", "t-9")))),
            "token_revoked");
}

TEST_F(Access, E10_WhatAnotherProcessRevokesIsNoticed) {
  Doorkeeper& keeper = door();
  std::mutex mutex;
  std::condition_variable changed;
  bool told = false;
  keeper.on_revoked([&] {
    const std::scoped_lock lock(mutex);
    told = true;
    changed.notify_all();
  });
  const auto other = store::open_store(paths_);
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->access()->revoke_token(
      {.id = "t-1", .revoked_at = clock_.wall_time, .expires_at = {}}, clock_.wall_time));
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, 20s, [&] { return told; }));
  EXPECT_EQ(reason(keeper.authenticate(with_token(token()))), "token_revoked");
  lock.unlock();
  keeper.on_revoked({});
}

TEST_F(Access, A3_CertificatesNameTheirHolder) {
  const auto files = auth::make_certificates({.folder = paths_.project / "tls", .client = "laptop"},
                                             SystemClock().wall());
  ASSERT_TRUE(files);
  model::ServerConfig config;
  config.access.modes = {"jwt", "mtls"};
  config.jwt_secret = kSecret;
  config.tls_enabled = true;
  config.tls_cert = "tls/server.pem";
  config.tls_key = "tls/server-key.pem";
  config.tls_ca = "tls/ca.pem";
  config.access.mtls_roles = {{"laptop", "admin"}};
  Doorkeeper& keeper = door(config);
  const auto pem = read_file(files->client, 1 << 20);
  std::string base64;
  for (const char c : pem->substr(27, pem->find("-----END") - 27)) {
    if (c == '+')
      base64 += '-';
    else if (c == '/')
      base64 += '_';
    else if (c != '\n' && c != '=')
      base64 += c;
  }
  http::Request call = request("GET", "/api/runs");
  call.peer.certificate = std::make_shared<const std::string>(*auth::from_base64url(base64));
  const auto identity = keeper.authenticate(call);
  ASSERT_TRUE(identity) << full_message(identity.error());
  EXPECT_EQ(identity->actor(), "mtls:laptop");
  EXPECT_EQ(identity->role, auth::Role::kAdmin);
  EXPECT_EQ(reason(keeper.authenticate(with_token(token()))), "");  // either is enough
  ASSERT_TRUE(keeper.revoke(
      {.id = files->client_fingerprint, .revoked_at = clock_.wall_time, .expires_at = {}}));
  EXPECT_EQ(reason(keeper.authenticate(call)), "certificate_revoked");
  config.access.mtls_roles = {{"desktop", "admin"}};
  call.peer.certificate = std::make_shared<const std::string>(*call.peer.certificate);
  EXPECT_EQ(reason(door(config).authenticate(call)), "certificate_revoked");
}

// --- sessions ---

TEST_F(Access, A4_ALoginLinkWorksOnceForFiveMinutes) {
  Doorkeeper& keeper = door();
  const auto link = keeper.login_link("http://127.0.0.1:1", "ada", auth::Role::kOperator);
  ASSERT_TRUE(link);
  const std::string code = link->substr(link->find("#code=") + 6);
  EXPECT_GE(code.size(), 43u);
  const http::Request login = request("POST", "/api/login");
  const auto identity = keeper.take_code(code, login);
  ASSERT_TRUE(identity) << full_message(identity.error());
  EXPECT_EQ(identity->subject, "ada");
  EXPECT_EQ(reason(keeper.take_code(code, login)), "login_code");
  const auto late = keeper.login_link("http://127.0.0.1:1", "ada", auth::Role::kOperator);
  clock_.pass(5min);
  EXPECT_EQ(reason(keeper.take_code(late->substr(late->find("#code=") + 6), login)), "login_code");
}

TEST_F(Access, A4_SessionsNeedTheirCsrfTokenAndEnd) {
  Doorkeeper& keeper = door();
  const auto made = keeper.open_session(*keeper.authenticate(with_token(token())), "jwt",
                                        request("POST", "/api/login"));
  ASSERT_TRUE(made);
  http::Request call = request("POST", "/api/runs");
  call.headers.add("Cookie", "other=1; wave_session=" + made->secret);
  const auto identity = keeper.authenticate(call);
  ASSERT_TRUE(identity) << full_message(identity.error());
  EXPECT_EQ(identity->actor(), "session:ada");
  EXPECT_EQ(identity->role, auth::Role::kOperator);
  const Route route{.method = "POST", .path = "/api/runs"};
  EXPECT_EQ(keeper.check_browser(call, *identity, route).error().reason, "csrf_token");
  EXPECT_TRUE(keeper.check_browser(call, *identity, {.operation_id = "logIn"}));
  call.headers.add("X-CSRF-Token", identity->csrf_token);
  EXPECT_TRUE(keeper.check_browser(call, *identity, route));
  // The session ends with the token that it came from, at the latest.
  EXPECT_LE(*identity->expires_at, clock_.wall_time + 1h + 30s);
  ASSERT_TRUE(keeper.end_session(identity->token_id));
  EXPECT_TRUE(keeper.is_revoked(*identity));
  EXPECT_EQ(reason(keeper.authenticate(call)), "no_credential");
}

TEST_F(Access, A4_CookiesAreForOurPagesOnly) {
  EXPECT_EQ(set_cookie("s", 60s, true, {}),
            "__Host-wave_session=s; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(set_cookie("", 60s, false, {}),
            "wave_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}

TEST_F(Access, A4_ForeignNamesAndPagesAreRefused) {
  Doorkeeper& keeper = door();
  const auth::Identity nobody;
  const Route route{.method = "POST", .path = "/api/runs"};
  const auto status = [&](std::initializer_list<std::pair<std::string, std::string>> headers,
                          const std::string& method = "POST") {
    http::Request call = request(method, "/api/runs");
    for (const auto& [name, value] : headers) call.headers.set(name, value);
    if (const auto refused = keeper.refuse(call)) return std::to_string(refused->status);
    const Status checked = keeper.check_browser(call, nobody, route);
    return checked ? std::string("ok") : checked.error().reason;
  };
  EXPECT_EQ(status({}), "ok");
  EXPECT_EQ(status({{"Host", "evil.example"}}), "403");
  EXPECT_EQ(status({{"Host", "localhost:9"}}), "ok");
  EXPECT_EQ(status({{"Origin", "http://127.0.0.1:8080"}}), "ok");
  EXPECT_EQ(status({{"Origin", "http://127.0.0.1:9090"}}), "origin_not_allowed");
  EXPECT_EQ(status({{"Origin", "null"}}), "origin_not_allowed");
  EXPECT_EQ(status({{"Sec-Fetch-Site", "cross-site"}}), "cross_site");
  EXPECT_EQ(status({{"Sec-Fetch-Site", "same-site"}}), "cross_site");
  EXPECT_EQ(status({{"Sec-Fetch-Site", "same-origin"}}), "ok");
  EXPECT_EQ(status({{"Sec-Fetch-Site", "cross-site"}}, "GET"), "cross_site");
  model::ServerConfig config = jwt_config();
  config.access.allowed_hosts = {"Wave.Example"};
  config.access.allowed_origins = {"https://tools.example"};
  Doorkeeper& open = door(config);
  http::Request call = request("POST", "/api/runs");
  call.headers.set("Host", "wave.example:443");
  call.headers.set("Origin", "https://tools.example");
  EXPECT_FALSE(open.refuse(call));
  EXPECT_TRUE(open.check_browser(call, nobody, route));
}

TEST_F(Access, A4_EveryAnswerCarriesStrictHeaders) {
  const http::Headers headers = security_headers(true);
  const std::string policy(*headers.find("Content-Security-Policy"));
  EXPECT_THAT(policy, HasSubstr("script-src 'self';"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  EXPECT_TRUE(headers.find("Strict-Transport-Security"));
  EXPECT_FALSE(security_headers(false).find("Strict-Transport-Security"));
}

TEST_F(Access, A8_BadCredentialsSlowDown) {
  Doorkeeper& keeper = door();
  const std::string bad = token() + "A";
  int tries = 0;
  std::optional<http::Response> refused;
  while (!refused && tries < 100) {
    refused = keeper.refuse(with_token(bad));
    if (!refused) EXPECT_FALSE(keeper.authenticate(with_token(bad)));
    ++tries;
  }
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->headers.find("Retry-After"), "1");
  EXPECT_LE(tries, 10);
  // Only that subject, from that address.
  EXPECT_FALSE(keeper.refuse(with_token(token("grace") + "A")));
  http::Request elsewhere = with_token(bad);
  elsewhere.peer.address = "192.0.2.1";
  EXPECT_FALSE(keeper.refuse(elsewhere));
  clock_.pass(1s);
  EXPECT_FALSE(keeper.refuse(with_token(bad)));
}

TEST_F(Access, A8_AGoodCredentialIsNotRefusedForOthersAtItsAddress) {
  Doorkeeper& keeper = door();
  const auto fail_often = [&](const std::string& address, int times,
                              const std::string& subject = "ada") {
    for (int i = 0; i < times; ++i) {
      http::Request call = with_token(token(subject) + "A");
      call.peer.address = address;
      if (!keeper.refuse(call)) EXPECT_FALSE(keeper.authenticate(call));
    }
  };
  fail_often("127.0.0.1", 40);
  EXPECT_TRUE(keeper.refuse(with_token(token() + "A")));
  const http::Request good = with_token(token());
  EXPECT_FALSE(keeper.refuse(good)) << "the same subject, the same address";
  EXPECT_TRUE(keeper.authenticate(good));

  // The whole network of an IPv6 address is one client.
  for (int i = 1; i <= 40; ++i) {
    fail_often(fmt::format("2001:db8::{:x}", i), 1, fmt::format("user-{}", i));
  }
  http::Request neighbour = with_token(token("grace") + "A");
  neighbour.peer.address = "2001:db8::ffff";
  EXPECT_TRUE(keeper.refuse(neighbour));
  neighbour.peer.address = "2001:db8:0:1::1";
  EXPECT_FALSE(keeper.refuse(neighbour));
}

TEST_F(Access, A8_TooManyRequestsOfOthersDoNotStopAGoodCredential) {
  model::ServerConfig config = jwt_config();
  config.access.rate_limit = 2;
  Doorkeeper& keeper = door(config);
  while (!keeper.refuse(request("GET", "/api/runs"))) continue;
  EXPECT_FALSE(keeper.refuse(with_token(token())));
  EXPECT_TRUE(keeper.refuse(with_token(token() + "A")));
  int allowed = 1;
  while (!keeper.refuse(with_token(token()))) ++allowed;
  EXPECT_EQ(allowed, 4) << "a pace of its own, not none";
}

TEST_F(Access, A8_AProxyIsNotLockedOutForItsClients) {
  model::ServerConfig config = jwt_config();
  config.access.trusted_proxies = {"10.0.0.1"};
  Doorkeeper& keeper = door(config);
  const auto call_of = [&](const std::string& client, const std::string& credential) {
    http::Request call = with_token(credential);
    call.peer.address = "10.0.0.1";
    if (!client.empty()) call.headers.add("X-Forwarded-For", client);
    return call;
  };
  const std::string bad = token() + "A";
  for (const std::string client : {"", "203.0.113.9"}) {
    for (int i = 0; i < 40; ++i) {
      const http::Request call = call_of(client, bad);
      if (!keeper.refuse(call)) EXPECT_FALSE(keeper.authenticate(call));
    }
  }
  EXPECT_FALSE(keeper.refuse(call_of("", bad)));
  EXPECT_TRUE(keeper.refuse(call_of("203.0.113.9", bad)));
  EXPECT_FALSE(keeper.refuse(call_of("203.0.113.10", bad)));
}

TEST_F(Access, A6_RefusalsAreCountedAndSampled) {
  std::map<std::string, int, std::less<>> counted;
  refused_ = [&](std::string_view reason) { ++counted[std::string(reason)]; };
  Doorkeeper& keeper = door();
  const std::string forged = token("root", "admin") + "A";
  for (int i = 0; i < 40; ++i) {
    const http::Request call = with_token(forged);
    if (!keeper.refuse(call)) EXPECT_FALSE(keeper.authenticate(call));
  }
  EXPECT_EQ(counted["token_signature"] + counted["locked_out"], 40);
  EXPECT_GT(counted["locked_out"], 30);
  const auto entries = keeper.store().audit({.action = "authenticate"});
  ASSERT_TRUE(entries);
  EXPECT_GE(entries->size(), 3u);
  EXPECT_LE(entries->size(), static_cast<size_t>(RefusalSample::kMostPerMinute));
  EXPECT_EQ(entries->back().outcome, "refused");
  EXPECT_EQ(entries->back().address, "127.0.0.1");
  EXPECT_THAT(entries->back().detail, HasSubstr("token_signature"));

  // Calls of nobody are sampled as well, and those of somebody are not.
  const AuditEntry call{.at = clock_.wall_time,
                        .request_id = "r1",
                        .role = "nobody",
                        .source = "192.0.2.1",
                        .operation = "startRun",
                        .target = "/api/runs",
                        .status = 401,
                        .code = "unauthorized"};
  clock_.pass(1min);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(keeper.record(call));
  EXPECT_LE(keeper.store().audit({.action = "startRun"})->size(), 10u);
  EXPECT_GE(keeper.store().audit({.action = "startRun"})->size(), 5u);
  AuditEntry viewer = call;
  viewer.role = "viewer";
  viewer.status = 403;
  viewer.operation = "cancelRun";
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(keeper.record(viewer));
  EXPECT_EQ(keeper.store().audit({.action = "cancelRun"})->size(), 20u);
}

TEST_F(Access, A6_CallsAreWrittenDown) {
  Doorkeeper& keeper = door();
  ASSERT_TRUE(keeper.record({.at = clock_.wall_time,
                             .request_id = "r1",
                             .actor = "jwt:ada",
                             .role = "viewer",
                             .source = "192.0.2.1",
                             .operation = "startRun",
                             .target = "/api/runs",
                             .status = 403,
                             .code = "permission_denied"}));
  const auto entries = keeper.store().audit({});
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_EQ(entries->at(0).outcome, "refused");
  EXPECT_EQ(entries->at(0).detail, "permission_denied r1");
}

TEST_F(Access, KeysOfAnAddressRotate) {
  const auth::Key first = *auth::Key::generate(auth::Algorithm::kEs256);
  const auth::Key second = *auth::Key::generate(auth::Algorithm::kEs256);
  const auto set_of = [](const auth::Key& key) {
    return dump_json(json::object{{"keys", json::array{*key.to_jwk(false)}}});
  };
  std::string served = set_of(first);
  int fetches = 0;
  const auto source = KeySource::make(
      [&]() -> Result<std::string> {
        ++fetches;
        return served;
      },
      {}, clock_);
  ASSERT_TRUE(source) << full_message(source.error());
  const std::string old = *auth::sign_token({{"sub", "a"}}, first);
  const std::string renewed = *auth::sign_token({{"sub", "a"}}, second);
  EXPECT_TRUE((*source)->verify(old));
  served = set_of(second);
  EXPECT_FALSE((*source)->verify(renewed));  // fetched a moment ago
  EXPECT_EQ(fetches, 1);
  clock_.pass(KeySource::kRetryAfter);
  EXPECT_TRUE((*source)->verify(renewed));
  EXPECT_EQ(fetches, 2);
  served = "nonsense";
  clock_.pass(KeySource::kRefreshEvery);
  (*source)->refresh_if_due();
  EXPECT_TRUE((*source)->verify(renewed));
  // It is not left at that: after a failure the next attempt comes sooner.
  served = set_of(first);
  clock_.pass(KeySource::kRetryAfter);
  (*source)->refresh_if_due();
  EXPECT_TRUE((*source)->verify(old));
}

TEST_F(Access, AForeignKeyInARotatedSetSpoilsNothing) {
  const auth::Key first = *auth::Key::generate(auth::Algorithm::kEs256);
  const auth::Key second = *auth::Key::generate(auth::Algorithm::kEs256);
  json::array keys{*first.to_jwk(false)};
  const auto source = KeySource::make(
      [&]() -> Result<std::string> { return dump_json(json::object{{"keys", keys}}); }, {}, clock_);
  ASSERT_TRUE(source) << full_message(source.error());
  keys = {nullptr, json::object{{"kty", "AKP"}, {"kid", "pq"}}, *second.to_jwk(false)};
  clock_.pass(KeySource::kRetryAfter);
  EXPECT_TRUE((*source)->verify(*auth::sign_token({{"sub", "a"}}, second)));
}

TEST_F(Access, AnAddressThatIsNotReachedAtTheStartIsReplacedByItsLastAnswer) {
  const auth::Key key = *auth::Key::generate(auth::Algorithm::kEs256);
  const std::string good = dump_json(json::object{{"keys", json::array{*key.to_jwk(false)}}});
  Result<std::string> answer = good;
  const auto make = [&](const std::string& address) {
    return KeySource::make([&] { return answer; }, {}, clock_,
                           {.file = paths_.token_keys(), .address = address});
  };
  const std::string token = *auth::sign_token({{"sub", "a"}}, key);
  answer = fail(Code::kServerUnreachable, "nobody answers");
  EXPECT_EQ(make("https://id.example/keys").error().code, Code::kServerUnreachable);
  answer = good;
  ASSERT_TRUE(make("https://id.example/keys"));
  for (const Result<std::string>& bad :
       {Result<std::string>(fail(Code::kServerUnreachable, "nobody answers")),
        Result<std::string>("<html>log in first</html>")}) {
    answer = bad;
    const auto source = make("https://id.example/keys");
    ASSERT_TRUE(source) << full_message(source.error());
    EXPECT_TRUE((*source)->verify(token));
    // Another address has other keys.
    EXPECT_FALSE(make("https://other.example/keys"));
  }
}

}  // namespace
}  // namespace wave::server::access

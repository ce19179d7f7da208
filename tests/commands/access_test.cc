// wave token, wave cert, wave audit.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/text.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kServer =
    "server:\n  auth:\n    mode: jwt\n    jwt_secret: ${WAVE_JWT_SECRET}\n    issuer: team\n";
const std::map<std::string, std::string> kEnvironment{
    {"WAVE_JWT_SECRET", "0123456789abcdef0123456789abcdef"}};

class Tokens : public testing::Test {
 protected:
  Tokens() { project_.manifest_append(kServer); }
  [[nodiscard]] Exit cli(std::vector<std::string> arguments) const {
    return wave(project_, std::move(arguments), kEnvironment);
  }
  [[nodiscard]] json::object answer(std::vector<std::string> arguments) const {
    const Exit exit = cli(std::move(arguments));
    EXPECT_EQ(exit.code, 0) << exit.err;
    return parsed(exit.out).as_object();
  }

  Project project_;
};

TEST_F(Tokens, AreMadeReadAndRevoked) {
  const json::object made = answer({"token", "create", "--subject", "ci-bot", "--role", "operator",
                                    "--expires", "2h", "--json"});
  const std::string token(get_string(made, "token"));
  const json::object read = answer({"token", "inspect", token, "--json"});
  EXPECT_EQ(get_string(read, "verdict"), "valid");
  EXPECT_EQ(get_string(get_object(read, "claims"), "iss"), "team");
  EXPECT_EQ(get_string(get_object(read, "claims"), "role"), "operator");
  const std::string rows = cli({"audit", "--json"}).out;
  EXPECT_THAT(rows, HasSubstr("createToken"));
  EXPECT_THAT(rows, HasSubstr(std::string(get_string(made, "id"))));
  EXPECT_THAT(rows, HasSubstr("ci-bot, operator"));
  EXPECT_THAT(rows, Not(HasSubstr(token))) << "who reads the log cannot use it";
  const Exit bare = cli({"token", "create", "--subject", "x", "--role", "viewer", "-q"});
  EXPECT_EQ(std::ranges::count(bare.out, '.'), 2) << bare.out;

  const Exit forged = cli({"token", "inspect", token.substr(0, token.size() - 3) + "AAA"});
  EXPECT_EQ(forged.code, 5);
  EXPECT_THAT(forged.out, HasSubstr("token_signature"));

  EXPECT_EQ(answer({"token", "revoke", token, "--reason", "lost", "--json"}).at("id"),
            made.at("id"));
  EXPECT_THAT(cli({"audit"}).out, HasSubstr("revokeToken"));
  // What ends nothing is not said to be revoked.
  for (const std::string text : {"ci-bot", "AB:CD", "x"}) {
    const Exit refused = cli({"token", "revoke", text});
    EXPECT_EQ(refused.code, 2) << text << refused.out;
    EXPECT_THAT(refused.err, HasSubstr("--subject")) << text;
  }
  EXPECT_EQ(answer({"token", "revoke", "--id", "AB:CD", "--json"}).at("id"), "AB:CD");
  EXPECT_EQ(answer({"token", "revoke", "--subject", "ci-bot", "--json"}).at("subject"), "ci-bot");
  EXPECT_EQ(cli({"token", "revoke", "--subject", "ci-bot", token}).code, 2);
  EXPECT_THAT(cli({"audit"}).out, HasSubstr("revokeSubject"));
  EXPECT_EQ(cli({"audit", "verify"}).code, 0);
}

TEST_F(Tokens, NeedAKeyToBeSignedWith) {
  const Exit unset = wave(project_, {"token", "create", "--subject", "x", "--role", "viewer"});
  EXPECT_EQ(unset.code, 3) << unset.err;
  EXPECT_THAT(unset.err, HasSubstr("WAVE_JWT_SECRET"));
  EXPECT_EQ(cli({"token", "create", "--subject", "x", "--role", "root"}).code, 2);
  EXPECT_EQ(cli({"token", "create", "--subject", "x", "--role", "admin", "--expires", "900d"}).code,
            2);
}

TEST_F(Tokens, KeyPairsSignForServersThatHaveTheirPublicHalf) {
  const std::string key = (project_.root() / "signing.jwk").native();
  for (const std::string algorithm : {"ES256", "EdDSA", "RS256"}) {
    const std::string file = key + algorithm;
    ASSERT_EQ(cli({"token", "keygen", "--algorithm", algorithm, "--out", file}).code, 0);
    struct stat info{};
    ASSERT_EQ(stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(cli({"token", "keygen", "--algorithm", algorithm, "--out", file}).code, 5);

    Project server;
    server.write("keys.json", project_.read("signing.jwk" + algorithm + ".pub"));
    server.manifest_append("server:\n  auth:\n    mode: jwt\n    jwt_keys: keys.json\n");
    const Exit made = wave(server, {"token", "create", "--sign-with", file, "--subject", "x",
                                    "--role", "viewer", "-q"});
    ASSERT_EQ(made.code, 0) << made.err;
    const Exit read = wave(server, {"token", "inspect", std::string(trim(made.out))});
    EXPECT_EQ(read.code, 0) << read.out;
    EXPECT_THAT(read.out, HasSubstr("valid"));
  }
  EXPECT_EQ(cli({"token", "keygen", "--algorithm", "ES256"}).code, 2);
  EXPECT_GE(cli({"token", "keygen", "-q"}).out.size(), 43u);
}

TEST_F(Tokens, LoginLinksNeedAServersAddress) {
  const Exit nowhere = cli({"token", "login-link", "--subject", "ada", "--role", "admin"});
  EXPECT_EQ(nowhere.code, 2) << nowhere.err;
  EXPECT_THAT(nowhere.err, HasSubstr("--url"));
  const Exit link = cli({"token", "login-link", "--subject", "ada", "--role", "admin", "--url",
                         "https://wave.example/"});
  EXPECT_THAT(link.out, HasSubstr("https://wave.example/login#code="));
}

TEST(Certificates, AreMadeForAFirstTry) {
  const Project project;
  const Exit made = wave(project, {"cert", "init", "--host", "localhost", "--client", "ada"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("mtls"));
  EXPECT_THAT(project.read(".agents/tls/client.pem"), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_EQ(wave(project, {"cert", "init"}).code, 5);
  const Exit again = wave(project, {"cert", "init", "--force", "--json"});
  EXPECT_EQ(get_string(parsed(again.out).as_object(), "client_fingerprint").size(), 64u);
  // What it prints is a configuration that holds.
  project.manifest_append(made.out);
  EXPECT_EQ(wave(project, {"validate"}).code, 0);
}

}  // namespace
}  // namespace wave::test

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <thread>

#include "store/store.h"
#include "store/test_support.h"

namespace wave::store {
namespace {

using namespace std::chrono_literals;

const WallTime kNow(Millis(1'800'000'000'000));

class Access : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "accessXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    paths_.project = name;
    open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(paths_.project);
  }
  void open() {
    store_.reset();
    auto opened = open_store(paths_);
    ASSERT_TRUE(opened) << full_message(opened.error());
    store_ = *std::move(opened);
    access_ = store_->access();
    ASSERT_NE(access_, nullptr);
  }
  static Session session(const std::string& id) {
    return {.id = id,
            .secret_hash = "hash-" + id,
            .subject = "ada",
            .role = "admin",
            .source = "jwt",
            .created_at = kNow,
            .expires_at = kNow + 1h};
  }
  AuditEntry note(const std::string& action) {
    auto stored = access_->append_audit({.at = kNow, .actor = "jwt:ada", .action = action});
    EXPECT_TRUE(stored) << full_message(stored.error());
    return stored.value_or(AuditEntry{});
  }
  // Around the store, as somebody with the file in hand would.
  int tamper(const std::string& sql) {
    store_.reset();
    sqlite3* handle = nullptr;
    sqlite3_open(paths_.database().c_str(), &handle);
    const int result = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
    sqlite3_close(handle);
    open();
    return result;
  }

  StatePaths paths_;
  std::unique_ptr<Store> store_;
  AccessStore* access_ = nullptr;
};

TEST_F(Access, SessionsSurviveARestartAndEnd) {
  ASSERT_TRUE(access_->add_session(session("one")));
  open();
  const auto found = access_->session("hash-one", kNow + 59min);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->subject, "ada");
  EXPECT_FALSE(*access_->session("hash-one", kNow + 1h));
  EXPECT_FALSE(*access_->session("hash-two", kNow));
  EXPECT_EQ(access_->sessions(kNow)->size(), 1u);
  EXPECT_TRUE(access_->remove_session("one"));
  EXPECT_EQ(access_->remove_session("one").error().code, Code::kNotFound);
  EXPECT_FALSE(*access_->session("hash-one", kNow));
}

TEST_F(Access, ALoginCodeIsGoodOnce) {
  ASSERT_TRUE(access_->add_login_code(
      {.code_hash = "c", .subject = "ada", .role = "admin", .expires_at = kNow + 5min}, kNow));
  const auto taken = access_->take_login_code("c", kNow + 1min);
  ASSERT_TRUE(taken && *taken);
  EXPECT_EQ((*taken)->subject, "ada");
  EXPECT_FALSE(*access_->take_login_code("c", kNow + 1min));
  ASSERT_TRUE(access_->add_login_code(
      {.code_hash = "d", .subject = "ada", .role = "admin", .expires_at = kNow + 5min}, kNow));
  EXPECT_FALSE(*access_->take_login_code("d", kNow + 5min));
}

TEST_F(Access, RevokedTokensAreKeptAsLongAsTheyCouldBeUsed) {
  ASSERT_TRUE(
      access_->revoke_token({.id = "t", .revoked_at = kNow, .expires_at = kNow + 1h}, kNow));
  ASSERT_TRUE(access_->revoke_token({.id = "u", .revoked_at = kNow, .expires_at = {}}, kNow));
  ASSERT_TRUE(access_->revoke_token({.id = "u", .revoked_at = kNow, .expires_at = {}}, kNow));
  EXPECT_EQ(access_->revoked_tokens(kNow)->size(), 2u);
  EXPECT_EQ(access_->revoked_tokens(kNow + 1h)->size(), 1u);
}

TEST_F(Access, ARevokedTokenTakesItsSessionsAlong) {
  Session made = session("one");
  made.token_id = "t";
  ASSERT_TRUE(access_->add_session(made));
  const int64_t before = *access_->revocation_mark();
  ASSERT_TRUE(access_->revoke_token({.id = "t", .revoked_at = kNow, .expires_at = {}}, kNow));
  EXPECT_FALSE(*access_->has_session("one", kNow));
  EXPECT_NE(*access_->revocation_mark(), before);
}

TEST_F(Access, ARevokedSubjectTakesItsSessionsAndLinksAlong) {
  ASSERT_TRUE(access_->add_session(session("one")));
  Session other = session("two");
  other.subject = "grace";
  ASSERT_TRUE(access_->add_session(other));
  ASSERT_TRUE(access_->add_login_code(
      {.code_hash = "c", .subject = "ada", .role = "admin", .expires_at = kNow + 5min}, kNow));
  const int64_t before = *access_->revocation_mark();
  ASSERT_TRUE(
      access_->revoke_token({.subject = "ada", .revoked_at = kNow, .expires_at = {}}, kNow));
  const int64_t after = *access_->revocation_mark();
  EXPECT_NE(after, before);
  EXPECT_FALSE(*access_->has_session("one", kNow));
  EXPECT_TRUE(*access_->has_session("two", kNow));
  EXPECT_FALSE(*access_->take_login_code("c", kNow));
  open();
  ASSERT_TRUE(
      access_->revoke_token({.subject = "ada", .revoked_at = kNow + 1h, .expires_at = {}}, kNow));
  EXPECT_NE(*access_->revocation_mark(), after);
  const auto revoked = access_->revoked_tokens(kNow);
  ASSERT_EQ(revoked->size(), 1u);
  EXPECT_EQ(revoked->at(0).subject, "ada");
  EXPECT_EQ(revoked->at(0).id, "");
  EXPECT_EQ(revoked->at(0).revoked_at, kNow + 1h);
}

TEST_F(Access, TheAuditLogIsAChain) {
  const AuditEntry first = note("login");
  const AuditEntry second = note("startRun");
  EXPECT_EQ(first.id, 1);
  EXPECT_EQ(second.previous, first.hash);
  EXPECT_EQ(second.hash, audit_hash(second));
  const auto check = access_->verify_audit();
  ASSERT_TRUE(check) << full_message(check.error());
  EXPECT_EQ(check->entries, 2);
  EXPECT_EQ(check->head, second.hash);
  EXPECT_EQ(check->broken_at, 0);
  EXPECT_EQ(access_->audit({.action = "login"})->size(), 1u);
  EXPECT_EQ(access_->audit({.before = 2})->at(0).action, "login");
  EXPECT_EQ(access_->audit({.limit = 1})->at(0).action, "startRun");
}

TEST_F(Access, TheAuditLogIsOnlyAddedTo) {
  note("login");
  EXPECT_NE(tamper("UPDATE audit SET actor = 'nobody'"), SQLITE_OK);
  EXPECT_NE(tamper("DELETE FROM audit"), SQLITE_OK);
}

TEST_F(Access, TamperingShows) {
  for (int i = 0; i < 1500; ++i) note("call");  // more than a page
  EXPECT_EQ(access_->verify_audit()->entries, 1500);
  ASSERT_EQ(tamper("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_removed;"
                   "UPDATE audit SET actor = 'nobody' WHERE id = 1200"),
            SQLITE_OK);
  EXPECT_EQ(access_->verify_audit()->broken_at, 1200);
  ASSERT_EQ(tamper("DELETE FROM audit WHERE id = 700"), SQLITE_OK);
  EXPECT_EQ(access_->verify_audit()->broken_at, 701);
}

TEST_F(Access, ManyThreadsMakeOneChain) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 25; ++j) note("call");
    });
  }
  threads.clear();
  const auto check = access_->verify_audit();
  EXPECT_EQ(check->entries, 100);
  EXPECT_EQ(check->broken_at, 0) << check->problem;
}

}  // namespace
}  // namespace wave::store

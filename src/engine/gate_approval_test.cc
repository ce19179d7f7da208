#include "engine/gate_approval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wave::engine {
namespace {

using ::testing::HasSubstr;

flow::GateRow gate(std::vector<std::string> approvers, bool forbid_self = false) {
  flow::GateRow row;
  row.gate_id = "ship.1";
  row.approvers = std::move(approvers);
  row.forbid_self_approval = forbid_self;
  return row;
}

Code code_of(const Status& status) {
  return status ? Code::kInternal : status.error().code;
}

TEST(GateApproval, WithoutNamesEveryOperatorMay) {
  EXPECT_TRUE(check_person(gate({}), "jwt:ada", {"ada", "operator"}));
  EXPECT_TRUE(check_person(gate({}), "jwt:ada", {"bob", "admin"}));
  EXPECT_EQ(code_of(check_person(gate({}), "jwt:ada", {"eve", "viewer"})), Code::kPermissionDenied);
}

TEST(GateApproval, NamesAndRolesCount) {
  const flow::GateRow row = gate({"ada", "role:admin"});
  EXPECT_TRUE(check_person(row, "", {"ada", "operator"}));
  EXPECT_TRUE(check_person(row, "", {"root", "admin"}));
  const Status refused = check_person(row, "", {"bob", "operator"});
  ASSERT_EQ(code_of(refused), Code::kPermissionDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("bob may not answer gate ship.1"));
  EXPECT_THAT(refused.error().hint, HasSubstr("ada, role:admin"));
  EXPECT_TRUE(check_person(gate({"role:operator"}), "", {"root", "admin"})) << "a role is a floor";
}

TEST(GateApproval, ANameIsNoRoleAndARoleNoName) {
  EXPECT_FALSE(check_person(gate({"role:admin"}), "", {"role:admin", "operator"}));
  EXPECT_FALSE(check_person(gate({"admin"}), "", {"root", "admin"}));
  EXPECT_FALSE(check_person(gate({"ada"}), "", {"ada", "viewer"})) << "a viewer answers nothing";
  EXPECT_FALSE(check_person(gate({"ada"}), "", {"", "admin"}));
  EXPECT_FALSE(check_person(gate({"role:root"}), "", {"ada", "admin"})) << "an unknown role";
}

TEST(GateApproval, WhoStartedTheRunIsTheSameByEveryWay) {
  const flow::GateRow row = gate({"ada", "bob"}, true);
  for (const char* submitter : {"jwt:ada", "session:ada", "mtls:ada", "cli:ada", "ada"}) {
    const Status refused = check_person(row, submitter, {"ada", "admin"});
    ASSERT_EQ(code_of(refused), Code::kGateSelfDecision) << submitter;
    EXPECT_THAT(refused.error().hint, HasSubstr("not who started the run"));
    EXPECT_TRUE(check_person(row, submitter, {"bob", "operator"})) << submitter;
  }
  EXPECT_TRUE(check_person(row, "webhook:ada", {"ada", "operator"})) << "a webhook is no person";
}

TEST(GateApproval, SubjectsOfActors) {
  EXPECT_EQ(subject_of("jwt:ada"), "ada");
  EXPECT_EQ(subject_of("mtls:spiffe://a/b"), "spiffe://a/b");
  EXPECT_EQ(subject_of("webhook:push"), "webhook:push");
  EXPECT_EQ(subject_of("anonymous"), "anonymous");
}

}  // namespace
}  // namespace wave::engine

// G and A: gates that say who may answer them.
#include <gmock/gmock.h>
#include <pwd.h>
#include <unistd.h>

#include "base/text.h"
#include "promises/team.h"

namespace wave::test {
namespace {

using ::testing::HasSubstr;

std::string gate_pipeline(const std::string& rules) {
  return "  - id: ask\n    gate: {type: approval, prompt: \"Ship it?\", " + rules +
         ", choices: [{label: \"Yes\", key: y}, {label: \"No\", key: n, target: _fail}]}\n"
         "  - {id: ship, type: command, dependencies: [ask], script: \"true\"}\n";
}

/// A server, a run that waits, and who started it.
struct Guarded {
  Team team;
  json::object ada = team.token("operator", "1h", "ada");
  json::object bob = team.token("operator", "1h", "bob");
  json::object eve = team.token("admin", "1h", "eve");
  std::unique_ptr<Server> server;
  std::string run;

  explicit Guarded(const std::string& rules) {
    team.project.pipeline("guarded", gate_pipeline(rules));
    server = std::make_unique<Server>(team.project, std::vector<std::string>{}, team.environment);
    const Answer started =
        server->post("/api/runs", json::object{{"pipeline", "guarded"}}, Team::bearer(ada));
    EXPECT_EQ(started.status, 201) << started.body;
    run = text(started.object(), "run_id");
    wait_for_event(team.project, run, "gate_waiting", "ask");
  }
  [[nodiscard]] Answer answer(const json::object& token, const std::string& choice = "y") const {
    return server->post("/api/runs/" + run + "/gate/ask", json::object{{"choice", choice}},
                        Team::bearer(token));
  }
  [[nodiscard]] Answer approve_as_upstream(const json::object& token) const {
    return server->post("/api/runs/" + run + "/gates/ask/approve", json::object{{"choice", "y"}},
                        Team::bearer(token));
  }
  [[nodiscard]] json::object shown_to(const json::object& token) const {
    const Answer list = server->get("/api/gates", Team::bearer(token));
    const json::array gates = get_array(list.object(), "gates");
    return gates.size() == 1 ? get_object(gates[0].as_object(), "gate") : json::object{};
  }
};

void expect_refused(const Answer& answer, const std::string& reason, const std::string& who) {
  EXPECT_EQ(answer.status, 403) << answer.body;
  EXPECT_EQ(text(answer.object(), "reason"), reason);
  EXPECT_THAT(text(answer.object(), "hint"), HasSubstr(who));
}

TEST(Promises, A5_AGateIsAnsweredByWhomItNames) {
  const Guarded guarded("approvers: [bob, \"role:admin\"]");
  expect_refused(guarded.answer(guarded.ada), "not_an_approver", "bob, role:admin");
  expect_refused(guarded.approve_as_upstream(guarded.ada), "not_an_approver", "bob, role:admin");
  expect_refused(guarded.answer(guarded.team.token("viewer", "1h", "bob")),
                 "role_operator_required", "");

  const json::object to_ada = guarded.shown_to(guarded.ada);
  EXPECT_EQ(get_strings(to_ada, "approvers"), (std::vector<std::string>{"bob", "role:admin"}));
  EXPECT_FALSE(get_bool(to_ada, "may_answer", true));
  EXPECT_TRUE(get_bool(guarded.shown_to(guarded.bob), "may_answer"));
  EXPECT_TRUE(get_bool(guarded.shown_to(guarded.eve), "may_answer"));

  EXPECT_EQ(guarded.answer(guarded.bob).status, 200);
  expect_refused(guarded.answer(guarded.ada), "not_an_approver", "bob, role:admin");
  EXPECT_EQ(guarded.answer(guarded.eve).status, 409) << "the first decision stands";
  EXPECT_TRUE(wait_for_status(guarded.team.project, guarded.run, "completed"));
}

TEST(Promises, A5_WhoStartedTheRunDoesNotApproveItWhereThatIsForbidden) {
  const Guarded guarded("forbid_self_approval: true");
  expect_refused(guarded.answer(guarded.ada), "self_approval", "anybody but");
  // The same person in a browser.
  const Answer login =
      guarded.server->post("/api/login", json::object{{"token", text(guarded.ada, "token")}});
  ASSERT_EQ(login.status, 200) << login.body;
  const std::string cookie = login.headers.at("set-cookie");
  const Answer browser =
      guarded.server->post("/api/runs/" + guarded.run + "/gate/ask", json::object{{"choice", "y"}},
                           {{"cookie", cookie.substr(0, cookie.find(';'))},
                            {"x-csrf-token", text(login.object(), "csrf_token")}});
  expect_refused(browser, "self_approval", "anybody but");

  EXPECT_EQ(guarded.answer(guarded.bob).status, 200);
  EXPECT_TRUE(wait_for_status(guarded.team.project, guarded.run, "completed"));
}

TEST(Promises, A5_AtTheCommandLineTheSystemSaysWhoSomebodyIs) {
  const passwd* user = ::getpwuid(::getuid());
  ASSERT_NE(user, nullptr);
  const Project project;
  project.pipeline("mine", gate_pipeline(std::string("approvers: [") + user->pw_name + "]"));
  project.pipeline("others", gate_pipeline("forbid_self_approval: true"));
  const auto answered = [&](const std::string& pipeline,
                            const std::map<std::string, std::string>& environment) {
    const Exit run = wave(project, {"run", pipeline, "--detach", "-q"});
    const std::string id(trim(run.out));
    EXPECT_TRUE(wait_for_status(project, id, "waiting")) << run.err;
    return wave(project, {"gate", id, "--choice", "y"}, environment);
  };
  // Cron and units have neither variable.
  EXPECT_EQ(answered("mine", {}).code, 0);
  EXPECT_EQ(answered("mine", {{"USER", "eve"}, {"LOGNAME", "eve"}}).code, 0);
  const Exit forged = answered("others", {{"USER", "eve"}, {"LOGNAME", "eve"}});
  EXPECT_EQ(forged.code, 5) << forged.out << forged.err;
  EXPECT_THAT(forged.err, HasSubstr("gate_self_decision"));
}

TEST(Promises, A5_AGuardedGateIsNotLeftOut) {
  const Guarded guarded("approvers: [bob]");
  for (const json::object& body :
       {json::object{{"pipeline", "guarded"}, {"exclude", json::array{"ask"}}},
        json::object{{"pipeline", "guarded"}, {"steps", json::array{"ship"}}}}) {
    const Answer refused = guarded.server->post("/api/runs", body, Team::bearer(guarded.eve));
    EXPECT_EQ(refused.status, 403) << refused.body;
    EXPECT_THAT(text(refused.object(), "hint"), HasSubstr("\"ask\""));
  }
}

TEST(Promises, A5_OnlyAnAdministratorSkipsGates) {
  const Guarded guarded("approvers: [bob]");
  const json::object body{{"pipeline", "guarded"}, {"skip_gates", true}};
  expect_refused(guarded.server->post("/api/runs", body, Team::bearer(guarded.bob)),
                 "role_admin_required", "answer the gates");
  const Answer started = guarded.server->post("/api/runs", body, Team::bearer(guarded.eve));
  ASSERT_EQ(started.status, 201) << started.body;
  const std::string run = text(started.object(), "run_id");
  EXPECT_TRUE(wait_for_status(guarded.team.project, run, "completed"));
  EXPECT_EQ(count_events(events(guarded.team.project, run), "gate_waiting"), 0u);
  // What an administrator said of one run holds for no other.
  const Answer retried =
      guarded.server->post("/api/runs/" + run + "/resume", json::object{{"from_step", "ship"}},
                           Team::bearer(guarded.bob));
  ASSERT_EQ(retried.status, 201) << retried.body;
  wait_for_event(guarded.team.project, text(retried.object(), "run_id"), "gate_waiting", "ask");
}

TEST(Promises, A5_ADeadlineIsNobodyAndAnswersAGuardedGate) {
  const Project project;
  project.pipeline("guarded",
                   gate_pipeline("approvers: [bob], forbid_self_approval: true, timeout: 100ms, "
                                 "default: y"));
  const Exit run = wave(project, {"run", "guarded"});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
}

}  // namespace
}  // namespace wave::test

// Every example of docs/http-api.md, in a shell, against a server that has what they speak of.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "support/answer_check.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

const std::string kHookSecret = "a-secret-of-the-tests-0123456789";
const std::string kJwtSecret = "0123456789abcdef0123456789abcdef0123456789abcdef";

constexpr std::string_view kExampleServer = R"(server:
  auth:
    mode: jwt
    jwt_secret: ${WAVE_JWT_SECRET}
  webhooks:
    - name: issues
      provider: github
      secret: "${HOOK_SECRET}"
      events: [issue]
      pipeline: hello
      input: "{{ title }}"
)";

struct Example {
  std::string row;      // "GET /api/runs"
  std::string command;  // lines of a shell
  int status = 0;       // the first one that the page names
};

std::string between(const std::string& text, std::string_view begin, std::string_view end) {
  const size_t from = text.find(begin);
  if (from == std::string::npos) return {};
  const size_t to = text.find(end, from + begin.size());
  return text.substr(from + begin.size(), to - from - begin.size());
}

std::vector<Example> examples_of_page() {
  const std::string page =
      read_file(std::filesystem::path(WAVE_SOURCE_DIR) / "docs/http-api.md", 4 << 20).value_or("");
  std::vector<Example> examples;
  constexpr std::string_view kHeading = "\n### `";
  for (size_t at = page.find(kHeading); at != std::string::npos;) {
    const size_t next = page.find(kHeading, at + 1);
    const std::string section = page.substr(at, next - at);
    Example example{.row = between(section, kHeading, "`"),
                    .command = between(section, "```sh\n", "\n```")};
    const std::string answer = between(section, "Answer: ", " ");
    std::from_chars(answer.data(), answer.data() + answer.size(), example.status);
    examples.push_back(std::move(example));
    at = next;
  }
  return examples;
}

/// A project and a server in the state that the examples need.
class CurlExamples : public ::testing::Test {
 protected:
  CurlExamples() {
    project_.manifest_append(kExampleServer);
    project_.pipeline(
        "hello",
        "  - id: greet\n    type: command\n    workspace: {type: worktree}\n"
        "    script: \"mkdir -p .agents/output; echo hello | tee NEWS.md .agents/output/g.txt\"\n"
        "    output_artifacts: [{name: greeting, path: .agents/output/g.txt, type: text}]\n");
    project_.pipeline("ask",
                      "  - id: ask\n    gate: {type: approval, prompt: Ship?, choices: [{label: "
                      "Ship, key: approve}]}\n");
    project_.pipeline("broken", "  - {id: a, type: command, script: \"false\"}\n");
    project_.write(".agents/contracts/shape.json", R"({"type":"object"})");
    const Exit made =
        wave(project_, {"token", "create", "--subject", "ada", "--role", "admin", "--json"},
             {{"WAVE_JWT_SECRET", kJwtSecret}});
    EXPECT_EQ(made.code, 0) << made.err;
    token_ = get_string(parsed(made.out).as_object(), "token");
    server_ =
        std::make_unique<Server>(project_, std::vector<std::string>{},
                                 std::map<std::string, std::string>{{"WAVE_JWT_SECRET", kJwtSecret},
                                                                    {"HOOK_SECRET", kHookSecret}});
  }

  std::string run_to(const std::string& pipeline, const std::string& status) {
    const std::map<std::string, std::string> bearer{{"authorization", "Bearer " + token_}};
    const Answer answer = server_->post("/api/runs", json::object{{"pipeline", pipeline}}, bearer);
    EXPECT_EQ(answer.status, 201) << answer.body;
    const std::string run(get_string(answer.object(), "run_id"));
    EXPECT_TRUE(wait_until([&] {
      const Answer detail = server_->get("/api/runs/" + run, bearer);
      return get_string(get_object(detail.object(), "run"), "status") == status;
    })) << pipeline;
    return run;
  }

  std::string session() {
    const Answer answer = server_->post("/api/login", json::object{{"token", token_}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    const Answer list = server_->get("/api/sessions", {{"authorization", "Bearer " + token_}});
    const json::object sessions = list.object();
    return std::string(get_string(get_array(sessions, "sessions").at(0).as_object(), "id"));
  }

  /// What the page's reader has set; what a row needs in particular.
  std::map<std::string, std::string> variables(const std::string& row) {
    std::map<std::string, std::string> all = project_.environment();
    all.merge(std::map<std::string, std::string>{
        {"WAVE_SERVER", "http://127.0.0.1:" + std::to_string(server_->port())},
        {"WAVE_TOKEN", token_},
        {"RUN", completed_},
        {"STEP", "greet"},
        {"FILE", "NEWS.md"},
        {"ARTIFACT", "greeting"},
        {"PIPELINE", "hello"},
        {"PERSONA", "worker"},
        {"CONTRACT", "shape"},
        {"WEBHOOK", "issues"},
        {"WEBHOOK_SECRET", kHookSecret}});
    if (row.ends_with("/cancel")) all["RUN"] = run_to("ask", "waiting");
    if (row.ends_with("/gate/{step}") || row.ends_with("/approve")) {
      all["RUN"] = run_to("ask", "waiting");
      all["STEP"] = "ask";
    }
    if (row.ends_with("/retry") || row.ends_with("/resume"))
      all["RUN"] = run_to("broken", "failed");
    if (row == "DELETE /api/sessions/{id}") all["SESSION"] = session();
    return all;
  }

  Project project_;
  std::string token_, completed_;
  std::unique_ptr<Server> server_;
};

// The credential is added, as the page says; streams that have no end are cut off.
constexpr std::string_view kWrapper = R"sh(set -eu
curl() {
  code=0
  command curl -m 3 -D head -o body -w '%{http_code}' -H "Authorization: Bearer $WAVE_TOKEN" "$@" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 28 ]
}
)sh";

std::map<std::string, std::string> headers_of(const std::string& head) {
  std::map<std::string, std::string> headers;
  for (const std::string& line : split(head, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    headers[to_lower(line.substr(0, colon))] = trim(std::string_view(line).substr(colon + 1));
  }
  return headers;
}

TEST_F(CurlExamples, EachGetsTheStatusThatThePageNames) {
  completed_ = run_to("hello", "completed");
  const std::vector<Example> examples = examples_of_page();
  size_t rows = 0;
  for (const auto& [path, item] : published_document().at("paths").as_object()) {
    rows += item.as_object().size();
  }
  EXPECT_EQ(examples.size(), rows) << "each row of the table has an example";
  for (const Example& example : examples) {
    ASSERT_FALSE(example.command.empty()) << example.row;
    const Exit ran = run({"/bin/sh", "-c", std::string(kWrapper) + example.command},
                         project_.root(), variables(example.row));
    EXPECT_EQ(ran.code, 0) << example.row << "\n" << example.command << "\n" << ran.err;
    EXPECT_EQ(ran.out, std::to_string(example.status)) << example.row << "\n"
                                                       << example.command << "\n"
                                                       << project_.read("body");
    const std::string body = project_.read("body");
    const std::map<std::string, std::string> headers = headers_of(project_.read("head"));
    const std::string method = example.row.substr(0, example.row.find(' '));
    const std::string target = example.row.substr(example.row.find(' ') + 1);
    const std::string wrong =
        published_check().answer({.method = method,
                                  .target = replace_all(target, "{path...}", "x"),
                                  .status = std::atoi(ran.out.c_str()),
                                  .headers = headers,
                                  .body = body});
    EXPECT_EQ(wrong, "") << example.row << "\n" << body;
    std::filesystem::remove(project_.root() / "body");
    std::filesystem::remove(project_.root() / "head");
  }
}

}  // namespace
}  // namespace wave::test

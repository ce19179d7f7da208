// A temporary project folder with a real git repository, for the tests of this room.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "base/file.h"
#include "process/run_command.h"
#include "workspace/remove_tree.h"
#include "workspace/workspace.h"

namespace wave::workspace {

using Kind = model::Workspace::Kind;

class ProjectTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "wave workspace ü.XXXXXX").native();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    base_ = fs::canonical(name);
    project_ = base_ / "project";
    fs::create_directories(project_);
  }
  void TearDown() override {
    if (!base_.empty()) (void)remove_tree(base_);
  }

  /// Runs a shell script in a folder, as a user would; its output, trimmed of the last newline.
  std::string sh(const std::string& script, const fs::path& folder) const {
    process::CommandRequest request;
    request.argv = {"sh", "-ec", script};
    request.cwd = folder;
    request.env = std::map<std::string, std::string>{{"PATH", ::getenv("PATH")},
                                                     {"HOME", base_},
                                                     {"GIT_CONFIG_NOSYSTEM", "1"},
                                                     {"GIT_AUTHOR_NAME", "A"},
                                                     {"GIT_AUTHOR_EMAIL", "a@localhost"},
                                                     {"GIT_COMMITTER_NAME", "A"},
                                                     {"GIT_COMMITTER_EMAIL", "a@localhost"}};
    const auto result = process::run_command(request);
    if (!result) {
      ADD_FAILURE() << full_message(result.error());
      return {};
    }
    EXPECT_EQ(result->exit_code, 0) << script << "\n" << result->out << result->err;
    std::string out = result->out;
    if (out.ends_with('\n')) out.pop_back();
    return out;
  }
  std::string sh(const std::string& script) const { return sh(script, project_); }

  void make_repository() const {
    sh("git init -q -b main && mkdir sub && printf 'one\\n' > a.txt && printf 'x\\n' > sub/b.txt &&"
       "printf '*.log\\n' > .gitignore && git add -A && git commit -qm First");
  }

  static std::string slurp(const fs::path& file) {
    auto text = read_file(file, 1 << 20);
    return text ? *text : "<" + full_message(text.error()) + ">";
  }
  static void put(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    ASSERT_TRUE(write_file(file, text).has_value());
  }

  Request request(Kind kind, const std::string& step = "build") const {
    Request wanted;
    wanted.project = project_;
    wanted.workspace_root = ".agents/workspaces";
    wanted.run_id = kRun;
    wanted.step = step;
    wanted.kind = kind;
    return wanted;
  }
  /// Ends the test when there is no workspace: what follows would run in whatever folder we are in.
  static Prepared must(const Result<Prepared>& prepared) {
    if (!prepared) throw std::runtime_error(full_message(prepared.error()));
    return *prepared;
  }
  fs::path run_folder() const { return project_ / ".agents/workspaces" / kRun; }

  static constexpr const char* kRun = "demo-20260101-000000-0123456789";
  fs::path base_, project_;
};

}  // namespace wave::workspace

#include "cli/context.h"

#include <pwd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/local_runs.h"
#include "cli/remote/remote_runs.h"
#include "cli/terminal.h"

namespace wave::cli {
namespace {

// Who may answer a gate depends on it: what the system says, never USER or LOGNAME, which anybody
// can set, and which cron and units leave out.
std::string user_name() {
  const uid_t user = ::getuid();
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> text(16 << 10);
  if (::getpwuid_r(user, &entry, text.data(), text.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(user);
}

bool has_project(const fs::path& folder, const std::string& manifest) {
  return path_exists(folder / manifest) || path_exists(store::StatePaths{folder}.database());
}

store::StatePaths state_paths(const fs::path& project, const GlobalOptions& global,
                              const std::map<std::string, std::string>& environment) {
  std::string database = global.database;
  if (const auto named = environment.find("WAVE_DB"); database.empty()) {
    if (named != environment.end()) database = named->second;
  }
  if (database.empty()) return {.project = project};
  std::error_code ignored;
  return {.project = project, .database_file = fs::absolute(database, ignored).lexically_normal()};
}

/// Whose state the folder is; empty: nobody's yet.
fs::path project_note(const store::StatePaths& paths) {
  return paths.state() / "project";
}

}  // namespace

Status Context::check_database_place() const {
  if (paths_.database_file.empty()) return {};
  std::error_code error;
  const std::string shown = paths_.database_file.native();
  if (fs::is_directory(paths_.database_file, error) || !paths_.database_file.has_filename()) {
    return fail(Code::kUsage, "--db: " + shown + " is a folder",
                "name a file in it, such as " + (paths_.database_file / "wave.db").native());
  }
  if (const auto owner = read_file(project_note(paths_), 4096)) {
    if (trim(*owner) == place_.root.native()) return {};
    return fail(Code::kConflict,
                "--db: " + shown + " has the runs of another project, " + excerpt(*owner, 300),
                "give each project a database of its own, or go there with -C");
  }
  if (fs::exists(paths_.database_file, error)) return {};  // whose it is, the store looks
  for (const fs::directory_entry& entry : fs::directory_iterator(paths_.state(), error)) {
    return fail(
        Code::kUsage,
        "--db: the folder of " + shown + " has something else in it, such as " +
            excerpt(entry.path().filename().native(), 100),
        "give the database a new or an empty folder: all that belongs to it lies beside it");
  }
  return {};
}

Result<ProjectPlace> find_project(const GlobalOptions& global, const fs::path& cwd) {
  std::error_code error;
  if (!global.project.empty()) {
    const fs::path root = fs::canonical(cwd / global.project, error);
    if (error || !fs::is_directory(root, error)) {
      return fail(Code::kUsage, "no such project folder: " + global.project);
    }
    return ProjectPlace{root, global.manifest};
  }
  if (const fs::path manifest = global.manifest; manifest.is_absolute()) {
    return ProjectPlace{manifest.parent_path(), manifest.filename().string()};
  }
  for (fs::path folder = cwd;; folder = folder.parent_path()) {
    if (has_project(folder, global.manifest)) return ProjectPlace{folder, global.manifest};
    if (folder == folder.parent_path()) return ProjectPlace{cwd, global.manifest};
  }
}

Context::Context(GlobalOptions global, ProjectPlace place,
                 std::map<std::string, std::string> environment, Streams& streams)
    : global_(std::move(global)),
      place_(std::move(place)),
      environment_(std::move(environment)),
      streams_(streams),
      paths_(state_paths(place_.root, global_, environment_)),
      files_(place_.root) {
  const TerminalFacts facts = terminal_facts(environment_);
  colors_ = wants_colors(facts, global_.no_color);
  unicode_ = facts.unicode;
}

Context::~Context() = default;

std::optional<std::string> Context::variable(const std::string& name) const {
  const auto found = environment_.find(name);
  if (found == environment_.end()) return std::nullopt;
  return found->second;
}

std::string Context::actor() const {
  return "cli:" + user_name();
}

bool Context::print(std::string_view text) const {
  return streams_.print(text);
}

void Context::print_json(const json::value& value) const {
  print(pretty_json(value) + "\n");
}

void Context::note(std::string_view text) const {
  if (!quiet()) streams_.note(text);
}

Status Context::claim_database_place() const {
  WAVE_CHECK(check_database_place());
  std::error_code ignored;
  if (paths_.database_file.empty() || fs::exists(project_note(paths_), ignored)) return {};
  WAVE_CHECK(make_directories(paths_.state(), 0700));
  return write_file(project_note(paths_), place_.root.native() + "\n");
}

Result<store::Store*> Context::open_store(Access access) {
  if (store_ != nullptr) return store_;
  if (access == Access::kRead) {
    if (!reading_store_) {
      WAVE_TRY(reading_store_, open_for(access));
    }
    return reading_store_.get();
  }
  WAVE_TRY(opened_, open_for(access));
  store_ = opened_.get();
  return store_;
}

Result<engine::Runtime*> Context::start_runtime() {
  if (launcher_ == nullptr) {
    return fail(Code::kInternal, "a command that executes runs has no launcher");
  }
  if (runtime_) return fail(Code::kInternal, "a command drives runs only once");
  WAVE_CHECK(open_store(Access::kCreate));
  runtime_ = std::make_unique<engine::Runtime>(
      engine::EngineConfig{.paths = paths(), .environment = environment()}, *launcher_,
      std::move(opened_));
  return runtime_.get();
}

Result<std::unique_ptr<store::Store>> Context::open_for(Access access) const {
  std::error_code ignored;
  if (fs::exists(paths_.state(), ignored) && !fs::is_directory(paths_.state(), ignored)) {
    return fail(Code::kStore,
                paths_.state().native() + " is a file; wave's state needs a folder there",
                "move the file away");
  }
  if (access != Access::kCreate && !fs::exists(paths_.database(), ignored)) {
    return fail(Code::kNotFound, "nothing has been run in " + place_.root.string() + " yet",
                "start a pipeline with: wave run <pipeline>, or name the project with -C DIR");
  }
  if (access == Access::kRead) {
    WAVE_CHECK(check_database_place());
    return store::open_store(paths_, {.create = false, .read_only = true});
  }
  WAVE_CHECK(claim_database_place());
  return store::open_store(paths_);
}

std::string Context::server() const {
  if (!global_.server.empty()) return global_.server;
  return variable("WAVE_SERVER").value_or("");
}

Result<RunAccess*> Context::runs(Access access) {
  auto& found = access == Access::kRead && server().empty() ? reading_runs_ : runs_;
  if (found) return found.get();
  if (!server().empty()) {
    WAVE_TRY(found, remote::connect(*this));
    return found.get();
  }
  WAVE_TRY(store::Store * opened, open_store(access));
  found = std::make_unique<LocalRuns>(*this, *opened);
  return found.get();
}

Result<std::string> Context::resolve_run(const std::string& run) {
  WAVE_TRY(store::Store * opened, open_store(Access::kRead));
  if (!run.empty()) return opened->resolve_run(run);
  store::RunFilter newest;
  newest.limit = 1;
  WAVE_TRY(const std::vector<flow::RunRow> rows, opened->list_runs(newest));
  if (rows.empty()) return fail(Code::kNotFound, "this project has no run yet");
  return rows.front().run_id;
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace wave::cli

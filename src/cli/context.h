// What a command works with: where the project is, how to print, and the store when it needs it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/options.h"
#include "cli/run_access.h"
#include "cli/streams.h"
#include "engine/runtime.h"
#include "model/file_source.h"
#include "process/launcher.h"
#include "store/store.h"

namespace wave::cli {

/// The project a command is about: its root, and the manifest's path relative to it.
struct ProjectPlace {
  std::filesystem::path root;
  std::string manifest;
};

/// -C says where it is; else the nearest folder from `cwd` upwards that has the manifest (or wave's
/// state folder); else `cwd`. An absolute manifest path names its own folder.
Result<ProjectPlace> find_project(const GlobalOptions& global, const std::filesystem::path& cwd);

/// What a command does with the store. One that only reads changes nothing: it creates, migrates
/// and locks nothing, and works on a file system that is mounted read-only.
enum class Access { kRead, kWrite, kCreate };

/// Owned by run_main. Thread: the one that runs the command.
class Context {
 public:
  /// The streams outlive it.
  Context(GlobalOptions global, ProjectPlace place, std::map<std::string, std::string> environment,
          Streams& streams);
  ~Context();

  [[nodiscard]] const GlobalOptions& global() const { return global_; }
  [[nodiscard]] const std::filesystem::path& project() const { return place_.root; }
  [[nodiscard]] const std::string& manifest_path() const { return place_.manifest; }
  [[nodiscard]] const std::map<std::string, std::string>& environment() const {
    return environment_;
  }
  /// The variable's value, or nothing when it is not set.
  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const;
  [[nodiscard]] bool json() const { return global_.output == OutputMode::kJson; }
  [[nodiscard]] bool quiet() const { return global_.output == OutputMode::kQuiet; }
  /// Whether standard output wants colours.
  [[nodiscard]] bool colors() const { return colors_; }
  /// Whether standard output can show more than ASCII.
  [[nodiscard]] bool unicode() const { return unicode_; }
  /// "cli:<user>": who this is, as the log keeps it.
  [[nodiscard]] std::string actor() const;

  /// Results go to standard output; -q does not hold them back. False: nobody can get them any
  /// more, so that printing on is of no use; run_main says why.
  bool print(std::string_view text) const;  // NOLINT(modernize-use-nodiscard): most print once
  void print_json(const json::value& value) const;
  /// What is nice to know goes to standard error, unless -q.
  void note(std::string_view text) const;
  [[nodiscard]] Streams& streams() const { return streams_; }

  [[nodiscard]] const model::FileSource& files() const { return files_; }
  [[nodiscard]] const store::StatePaths& paths() const { return paths_; }
  /// Makes the place that --db or WAVE_DB names this project's; to be called before anything is
  /// created there. kUsage or kConflict when it is no place for it, or another project's. Nothing
  /// to do without either.
  [[nodiscard]] Status claim_database_place() const;
  /// Opens the store once for reading and once for writing. kNotFound when the project has none yet
  /// and it is not to be created.
  Result<store::Store*> open_store(Access access);
  /// What drives runs in this process, on that store. Once: after its end the store is for reading
  /// only.
  Result<engine::Runtime*> start_runtime();
  /// The launcher that run_main started; commands that execute runs need it.
  [[nodiscard]] process::Launcher* launcher() const { return launcher_; }
  void set_launcher(process::Launcher* launcher) { launcher_ = launcher; }

  /// The runs that commands are about: this project's, or those of the server that --server or
  /// WAVE_SERVER names. Made once for each access. kNotFound when the project has no store yet and
  /// it is not to be created.
  Result<RunAccess*> runs(Access access);
  /// The server's URL; empty: runs are local.
  [[nodiscard]] std::string server() const;

  /// A run by its id, a unique prefix of it, or (empty) the newest one.
  Result<std::string> resolve_run(const std::string& run);

 private:
  [[nodiscard]] Status check_database_place() const;
  Result<std::unique_ptr<store::Store>> open_for(Access access) const;

  GlobalOptions global_;
  ProjectPlace place_;
  std::map<std::string, std::string> environment_;
  Streams& streams_;
  store::StatePaths paths_;
  model::DiskSource files_;
  std::unique_ptr<store::Store> opened_;  // until the runtime has it
  std::unique_ptr<engine::Runtime> runtime_;
  store::Store* store_ = nullptr;
  std::unique_ptr<store::Store> reading_store_;
  std::unique_ptr<RunAccess> runs_, reading_runs_;
  process::Launcher* launcher_ = nullptr;
  bool colors_ = false;
  bool unicode_ = true;
};

/// The environment of this process.
std::map<std::string, std::string> process_environment();

}  // namespace wave::cli

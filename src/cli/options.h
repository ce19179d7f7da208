// What each command was asked to do: plain values, filled by parse.cc, read by cmd_*.cc.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/serve/serve_options.h"

namespace wave::cli {

enum class OutputMode { kAuto, kJson, kText, kQuiet };

/// Options that every command takes, before or behind its name.
struct GlobalOptions {
  std::string project;  // -C; empty: the nearest folder upwards that has the manifest
  std::string manifest = "wave.yaml";
  std::string database;  // --db; empty: WAVE_DB, or .agents/state/wave.db
  OutputMode output = OutputMode::kAuto;
  int verbosity = 0;  // -v: notes, -vv: debugging
  bool no_color = false;
  std::string server;         // --server; empty: WAVE_SERVER, or none
  std::string ca, cert, key;  // PEM files, for a server that speaks TLS
};

struct InitOptions {
  std::string adapter = "claude";  // claude or scripted
  bool force = false;
  bool yes = false;
};

/// Overrides of what the files say, shared by the commands that start runs.
struct StartOverrides {
  std::string model;
  bool force_model = false;
  std::string adapter;
  std::optional<Millis> timeout;
  std::map<std::string, std::string> tags;
  bool detach = false;
};

struct RunOptions {
  std::string pipeline;  // empty: the project's only pipeline
  std::string input;     // "-" reads standard input
  std::string from_step;
  std::vector<std::string> steps, exclude;
  bool skip_gates = false;
  bool dry_run = false;
  StartOverrides overrides;
};

struct DoOptions {
  std::string task;
  std::string persona;
  bool dry_run = false;
  StartOverrides overrides;
};

struct ResumeOptions {
  std::string run;  // empty: the newest run that can be resumed
  std::string from_step;
  StartOverrides overrides;
};

struct CancelOptions {
  std::string run;
  bool force = false;
  std::string reason;
  bool no_wait = false;
};

struct StatusOptions {
  std::string run;
  bool all = false;
  int limit = 10;
};

struct LogsOptions {
  std::string run;
  std::string step;
  bool follow = false;
  bool errors = false;
  std::optional<int> tail;
};

struct ArtifactsOptions {
  std::string run;
  std::string step;
  std::string export_dir;
};

struct ListOptions {
  std::string what;  // empty: everything but runs
  int limit = 10;
  std::string run_pipeline, run_status;
};

struct ValidateOptions {
  std::string pipeline;  // empty: the whole project
  bool strict = false;
};

struct GateOptions {
  std::string run;
  std::string gate;  // step or gate id
  std::string choice, text;
};

struct ServeOptions {
  server::ServeFlags flags;
  std::string log_format = "text";  // or json
  std::string demo_folder;          // of --demo: where its project goes, and stays
};

struct RetroOptions {
  std::string what;  // a run (or the beginning of its id), "list" or "stats"; empty: the newest run
  std::string pipeline, step, since;
  int limit = 20;
};

struct TokenOptions {
  std::string what;     // create, inspect, revoke, keygen, login-link
  std::string subject;  // of inspect and revoke: the token, or its id
  std::string named_subject, role, algorithm, key, out, reason, url, id;
  std::optional<Millis> expires;
};

struct CertOptions {
  std::string what;  // init
  std::string folder, client;
  std::vector<std::string> hosts;
  int days = 365;
  bool force = false;
};

struct AuditOptions {
  std::string what;  // "" lists, or verify
  std::string actor, action, outcome;
  int limit = 50;
};

struct DoctorOptions {};

struct CleanOptions {
  std::optional<Millis> older_than;
  std::optional<int> keep_last;
  std::string status, pipeline;
  bool all = false;
  bool dry_run = false;
  bool force = false;
};

struct VersionOptions {};

struct CompletionOptions {
  std::string shell;
};

/// Hidden: candidates for the shell ("pipelines", "runs"), one a line.
struct CompleteOptions {
  std::string what;
};

/// Hidden: what a detached run is driven by.
struct OwnOptions {
  std::string run;
};

}  // namespace wave::cli

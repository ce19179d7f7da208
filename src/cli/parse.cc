#include "cli/parse.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>

#include "base/text.h"
#include "cli/help.h"

namespace wave::cli {
namespace {

// The library's own subcommands are not used: it looks for a subcommand's name behind every other
// one too, and `wave do fix the status page` is not about `status`.

using OptionPointer = CLI::Option*;

template <typename T>
T checked(const char* option, Result<T> result) {
  if (!result) throw CLI::ValidationError(option, result.error().message);
  return *std::move(result);
}

Result<std::string> one_of(const std::string& value, const std::vector<std::string>& allowed) {
  if (std::ranges::find(allowed, value) != allowed.end()) return value;
  std::string message = fmt::format("'{}' is not one of {}", value, join(allowed, ", "));
  if (const auto meant = did_you_mean(value, allowed)) {
    message += fmt::format("; did you mean '{}'?", *meant);
  }
  return fail(Code::kUsage, message);
}

OptionPointer add_choice(CLI::App& app, const char* names, std::string& target,
                         std::vector<std::string> allowed, const char* help) {
  const std::string values = join(allowed, "|");
  return app
      .add_option_function<std::string>(
          names,
          [&target, allowed = std::move(allowed), names](const std::string& value) {
            target = checked(names, one_of(value, allowed));
          },
          help)
      ->type_name(values);
}

OptionPointer add_list(CLI::App& app, const char* names, std::vector<std::string>& target,
                       const char* help) {
  return app
      .add_option_function<std::vector<std::string>>(
          names,
          [&target](const std::vector<std::string>& values) {
            for (const std::string& value : values) {
              for (const std::string& name : split(value, ',')) {
                if (const std::string_view trimmed = trim(name); !trimmed.empty()) {
                  target.emplace_back(trimmed);
                }
              }
            }
          },
          help)
      ->allow_extra_args(false)
      ->type_name("STEP,...");
}

Result<int> count_from(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return fail(Code::kUsage, fmt::format("'{}' is not a number from 0 upwards", text));
  }
  return value;
}

template <typename Target>
OptionPointer add_count(CLI::App& app, const char* names, Target& target, const char* help) {
  return app
      .add_option_function<std::string>(
          names,
          [&target, names](const std::string& value) {
            target = checked(names, count_from(value));
          },
          help)
      ->type_name("N");
}

std::pair<std::string, std::string> tag_from(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    throw CLI::ValidationError("--tag", fmt::format("'{}' is not of the form KEY=VALUE", text));
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void add_overrides(CLI::App& app, StartOverrides& target) {
  app.add_option("--model", target.model,
                 "model or tier (cheapest, balanced, strongest) for steps that name none")
      ->type_name("MODEL");
  app.add_flag("--force-model", target.force_model, "--model also for steps that name one");
  app.add_option("--adapter", target.adapter, "adapter for every persona step")
      ->type_name("ADAPTER");
  app.add_option_function<std::string>(
         "--timeout",
         [&target](const std::string& value) {
           target.timeout = checked("--timeout", parse_step_timeout(value));
         },
         "deadline of each step: minutes, or a duration such as 90s")
      ->type_name("TIME");
  app.add_option_function<std::vector<std::string>>(
         "--tag",
         [&target](const std::vector<std::string>& values) {
           for (const std::string& value : values)
             target.tags.insert_or_assign(tag_from(value).first, tag_from(value).second);
         },
         "label of the run; can be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  app.add_flag("--detach", target.detach, "go on in the background and return at once");
}

void define(CLI::App& app, InitOptions& options) {
  add_choice(app, "--adapter", options.adapter, {"claude", "scripted"},
             "who does the work: the claude command line, or scripts that play agents");
  app.add_flag("--force", options.force, "replace files that are there already");
  app.add_flag("-y,--yes", options.yes, "do not ask");
}

void define(CLI::App& app, RunOptions& options) {
  app.add_option("pipeline,--pipeline", options.pipeline,
                 "name or file of the pipeline; may be left out when there is only one")
      ->type_name("PIPELINE");
  app.add_option("input,-i,--input", options.input,
                 "what the pipeline is to work on; - reads it from standard input")
      ->type_name("TEXT");
  app.add_option(
         "--from-step", options.from_step,
         "begin with this step; what the steps before it made, and the input, are taken over "
         "from the newest run of the pipeline that has ended")
      ->type_name("STEP");
  add_list(app, "--steps", options.steps, "only these steps; can be repeated");
  add_list(app, "-x,--exclude", options.exclude, "all but these steps; can be repeated");
  app.add_flag("--skip-gates", options.skip_gates,
               "ask no gate: what stands behind them runs without approval");
  app.add_flag("--dry-run", options.dry_run, "print what would be run, and in which order");
  add_overrides(app, options.overrides);
}

void define(CLI::App& app, DoOptions& options) {
  app.add_option_function<std::vector<std::string>>(
         "task",
         [&options](const std::vector<std::string>& words) { options.task = join(words, " "); },
         "what is to be done, in plain words")
      ->required()
      ->type_name("TASK");
  app.add_option("--persona", options.persona, "who carries it out")->type_name("PERSONA");
  app.add_flag("--dry-run", options.dry_run, "print the pipeline and the plan, run nothing");
  add_overrides(app, options.overrides);
}

void define(CLI::App& app, ResumeOptions& options) {
  app.add_option("run", options.run, "run id or the beginning of one (default: the newest run)")
      ->type_name("RUN");
  app.add_option("--from-step", options.from_step,
                 "begin with this step (only for a run that has ended)")
      ->type_name("STEP");
  add_overrides(app, options.overrides);
}

void define(CLI::App& app, CancelOptions& options) {
  app.add_option("run", options.run, "run id or the beginning of one")
      ->type_name("RUN")
      ->required();
  app.add_flag("-f,--force", options.force, "no grace period: kill at once");
  app.add_option("--reason", options.reason, "kept in the run's log")->type_name("TEXT");
  app.add_flag("--no-wait", options.no_wait, "do not wait until the run has ended");
}

void define(CLI::App& app, StatusOptions& options) {
  app.add_option("run", options.run, "run id or the beginning of one: its steps")->type_name("RUN");
  app.add_flag("--all", options.all, "every run, not only the newest");
  add_count(app, "--limit", options.limit, "how many runs (10)");
}

void define(CLI::App& app, LogsOptions& options) {
  app.add_option("run", options.run, "run id or the beginning of one (default: the newest run)")
      ->type_name("RUN");
  app.add_option("--step", options.step, "only this step")->type_name("STEP");
  app.add_flag("-f,--follow", options.follow, "go on until the run has ended");
  app.add_flag("--errors", options.errors, "only what went wrong");
  add_count(app, "--tail", options.tail, "only the last N entries");
}

void define(CLI::App& app, ArtifactsOptions& options) {
  app.add_option("run", options.run, "run id or the beginning of one (default: the newest run)")
      ->type_name("RUN");
  app.add_option("--step", options.step, "only this step's")->type_name("STEP");
  app.add_option("--export", options.export_dir, "copy them to DIR/<step>/<name>")
      ->type_name("DIR");
}

void define(CLI::App& app, ListOptions& options) {
  add_choice(app, "what", options.what, {"pipelines", "personas", "adapters", "contracts", "runs"},
             "what to list (default: everything but runs)");
  add_count(app, "--limit", options.limit, "how many runs (10)");
  app.add_option("--run-pipeline", options.run_pipeline, "runs of this pipeline")
      ->type_name("PIPELINE");
  app.add_option("--run-status", options.run_status, "runs with this status")->type_name("STATUS");
}

void define(CLI::App& app, ValidateOptions& options) {
  app.add_option("pipeline,--pipeline", options.pipeline,
                 "only this pipeline (default: the whole project)")
      ->type_name("PIPELINE");
  app.add_flag("--strict", options.strict, "fail on what this version does not carry out, too");
}

void define(CLI::App& app, GateOptions& options) {
  app.add_option("run", options.run, "run id or the beginning of one; without it, list gates")
      ->type_name("RUN");
  app.add_option("gate", options.gate, "step or gate id, when the run waits at several")
      ->type_name("GATE");
  app.add_option("-c,--choice", options.choice, "key of the choice")->type_name("KEY");
  app.add_option("-t,--text", options.text, "free text, where the gate takes it")
      ->type_name("TEXT");
}

void define(CLI::App& app, ServeOptions& options) {
  server::ServeFlags& flags = options.flags;
  app.add_option_function<std::string>(
         "--bind", [&flags](const std::string& value) { flags.bind = value; },
         "address to listen on, with or without a port (127.0.0.1:8080)")
      ->type_name("HOST[:PORT]");
  const auto number = [&app](const char* name, std::optional<int>& target, const char* help) {
    app.add_option_function<std::string>(
           name,
           [&target, name](const std::string& value) { target = checked(name, count_from(value)); },
           help)
        ->type_name("N");
  };
  number("--port", flags.port, "port to listen on; 0: any free one");
  number("--max-concurrent", flags.max_concurrent, "runs at a time (5)");
  app.add_option_function<std::string>(
         "--drain-timeout",
         [&flags](const std::string& value) {
           flags.drain_timeout = checked("--drain-timeout", parse_duration(value));
         },
         "on shutdown, let running steps end first, for at most so long")
      ->type_name("TIME");
  app.add_flag("--stop-agents", flags.stop_agents,
               "on shutdown, stop agents instead of leaving them at work");
  add_choice(app, "--log-format", options.log_format, {"text", "json"}, "form of the log");
  app.add_flag("--open", flags.open, "open the browser");
  CLI::Option* const demo =
      app.add_flag("--demo", flags.demo,
                   "serve a copy of the demo project instead, for this machine only: a first look");
  app.add_option("--demo-folder", options.demo_folder,
                 "where the demo's project goes, and stays (default: a temporary folder)")
      ->type_name("DIR")
      ->needs(demo);
}

void define(CLI::App& app, RetroOptions& options) {
  app.add_option("what", options.what,
                 "a run (default: the newest one), `list` for many runs, or `stats` for what they "
                 "say together")
      ->type_name("RUN");
  app.add_option("--pipeline", options.pipeline, "of many: only this pipeline's")
      ->type_name("PIPELINE");
  app.add_option("--step", options.step, "of many: only runs with this step")->type_name("STEP");
  app.add_option("--since", options.since, "of many: accepted since, such as 7d or a time")
      ->type_name("TIME");
  add_count(app, "--limit", options.limit, "of many: how many runs (20)");
}

void define(CLI::App& app, TokenOptions& options) {
  add_choice(app, "what", options.what, {"create", "inspect", "revoke", "keygen", "login-link"},
             "what to do")
      ->required();
  app.add_option("token", options.subject,
                 "inspect: the token (default: standard input); revoke: a token, or its id (jti), "
                 "or a certificate's fingerprint")
      ->type_name("TOKEN");
  app.add_option("--subject", options.named_subject,
                 "create, login-link: who it is for; revoke: whose tokens, certificates and logins "
                 "of until now end")
      ->type_name("NAME");
  add_choice(app, "--role", options.role, {"viewer", "operator", "admin"},
             "create, login-link: what they may do");
  app.add_option_function<std::string>(
         "--expires",
         [&options](const std::string& value) {
           options.expires = checked("--expires", parse_duration(value));
         },
         "create: how long it is good (12h)")
      ->type_name("TIME");
  app.add_option("--sign-with", options.key,
                 "create: the private key, where the server has public ones")
      ->type_name("FILE");
  app.add_option("--id", options.id,
                 "create: its id (jti), made up by default; revoke: an id as it is")
      ->type_name("ID");
  add_choice(
      app, "--algorithm", options.algorithm,
      {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"},
      "keygen: what the key is for (HS256)");
  app.add_option("--out", options.out, "keygen: where the key goes; its public half to FILE.pub")
      ->type_name("FILE");
  app.add_option("--reason", options.reason, "revoke: why, for the list and the audit log")
      ->type_name("TEXT");
  app.add_option("--url", options.url,
                 "login-link: how the server is called (default: the running server's address)")
      ->type_name("URL");
}

void define(CLI::App& app, CertOptions& options) {
  add_choice(app, "what", options.what, {"init"}, "what to do")->required();
  app.add_option("--dir", options.folder, "where they go (.agents/tls)")->type_name("DIR");
  app.add_option("--host", options.hosts, "name or address of the server; may be repeated")
      ->allow_extra_args(false)
      ->type_name("HOST");
  app.add_option("--client", options.client, "name in the client's certificate (admin)")
      ->type_name("NAME");
  add_count(app, "--days", options.days, "how long they are good (365)");
  app.add_flag("--force", options.force, "replace what is there");
}

void define(CLI::App& app, AuditOptions& options) {
  add_choice(app, "what", options.what, {"verify"}, "walk along the chain of hashes");
  app.add_option("--actor", options.actor, "only theirs")->type_name("ACTOR");
  app.add_option("--action", options.action, "only these, such as submitRun")->type_name("ACTION");
  add_choice(app, "--outcome", options.outcome, {"ok", "refused", "failed"}, "only these");
  add_count(app, "--limit", options.limit, "how many, newest first (50)");
}

void define(CLI::App&, DoctorOptions&) {}

void define(CLI::App& app, CleanOptions& options) {
  app.add_option_function<std::string>(
         "--older-than",
         [&options](const std::string& value) {
           options.older_than = checked("--older-than", parse_duration(value));
         },
         "runs that ended longer ago than this, such as 7d")
      ->type_name("TIME");
  add_count(app, "--keep-last", options.keep_last, "keep the N newest of them");
  add_choice(app, "--status", options.status,
             {"completed", "completed_empty", "failed", "rejected", "cancelled"},
             "runs that ended like this");
  app.add_option("--pipeline", options.pipeline, "runs of this pipeline")->type_name("PIPELINE");
  app.add_flag("--all", options.all, "every run that has ended");
  app.add_flag("--dry-run", options.dry_run, "only say what would be removed");
  app.add_flag("--force", options.force, "do not ask");
}

void define(CLI::App&, VersionOptions&) {}

void define(CLI::App& app, CompletionOptions& options) {
  add_choice(app, "shell", options.shell, {"bash", "zsh", "fish"}, "for which shell")->required();
}

void define(CLI::App& app, CompleteOptions& options) {
  add_choice(app, "what", options.what, {"pipelines", "runs"}, "candidates for a shell")
      ->required();
}

void define(CLI::App& app, OwnOptions& options) {
  app.add_option("run", options.run, "run id")->type_name("RUN")->required();
}

std::string contradiction(const RunOptions& options) {
  if (!options.steps.empty() && !options.exclude.empty()) {
    return "--steps and --exclude contradict each other";
  }
  if (!options.steps.empty() && !options.from_step.empty()) {
    return "--steps and --from-step contradict each other";
  }
  if (!options.from_step.empty() && !(options.exclude.empty() && options.input.empty())) {
    return "--from-step goes on with an earlier run: --input and --exclude are that run's";
  }
  if (!options.from_step.empty() && options.skip_gates) {
    return "--from-step asks the gates before that step again: --skip-gates is for whole runs";
  }
  if (options.dry_run && options.overrides.detach) {
    return "--dry-run runs nothing that could be detached";
  }
  if (options.overrides.force_model && options.overrides.model.empty()) {
    return "--force-model needs --model";
  }
  return {};
}
std::string contradiction(const DoOptions& options) {
  if (options.dry_run && options.overrides.detach) {
    return "--dry-run runs nothing that could be detached";
  }
  if (options.overrides.force_model && options.overrides.model.empty()) {
    return "--force-model needs --model";
  }
  return {};
}
std::string contradiction(const ResumeOptions& options) {
  if (options.overrides.force_model && options.overrides.model.empty()) {
    return "--force-model needs --model";
  }
  return {};
}
std::string contradiction(const StatusOptions& options) {
  if (!options.run.empty() && options.all) return "--all and a run contradict each other";
  return {};
}
std::string contradiction(const GateOptions& options) {
  if (options.run.empty() && !(options.choice.empty() && options.text.empty())) {
    return "--choice and --text need the run they are for";
  }
  return {};
}
std::string contradiction(const RetroOptions& options) {
  const bool many = options.what == "list" || options.what == "stats";
  if (!many && !(options.pipeline.empty() && options.step.empty() && options.since.empty())) {
    return "--pipeline, --step and --since belong to `wave retro list` and `wave retro stats`";
  }
  return {};
}
std::string contradiction(const TokenOptions& options) {
  const bool makes = options.what == "create" || options.what == "login-link";
  if (makes && options.role.empty())
    return "say what they may do: --role viewer, operator or admin";
  if (makes && options.named_subject.empty()) return "say who it is for: --subject NAME";
  const bool revokes = options.what == "revoke";
  const int named = (options.subject.empty() ? 0 : 1) + (options.id.empty() ? 0 : 1) +
                    (options.named_subject.empty() ? 0 : 1);
  if (revokes && named != 1) return "say one of: a token or its id, --id ID, or --subject NAME";
  if (!makes && !(options.role.empty() && !options.expires)) {
    return "--role and --expires belong to `wave token create`";
  }
  if (!makes && !revokes && !(options.named_subject.empty() && options.id.empty())) {
    return "--subject and --id belong to `wave token create` and `wave token revoke`";
  }
  return {};
}
std::string contradiction(const CleanOptions& options) {
  const bool selects = options.all || options.older_than || options.keep_last ||
                       !options.status.empty() || !options.pipeline.empty();
  if (!selects)
    return "say what to remove: --older-than, --keep-last, --status, --pipeline or --all";
  return {};
}
std::string contradiction(const auto&) {
  return {};
}

/// One row of the command table.
struct Command {
  std::string_view name, summary;
  std::vector<std::string> examples;
  bool executes_runs = false;
  bool hidden = false;
  bool knows_servers = false;
  /// The options with their defaults: says which alternative of the variant this command fills.
  CommandOptions blank;
};

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      {"init",
       "Sets a project up: wave.yaml, personas, pipelines",
       {"wave init", "wave init --adapter scripted   # no account needed"},
       false,
       false,
       false,
       InitOptions{}},
      {"run",
       "Runs a pipeline and shows how it goes",
       {"wave run implement \"add a --json option\"", "wave run review --dry-run",
        "wave run nightly --detach --tag team=web", "wave run implement -o json < /dev/null"},
       true,
       false,
       true,
       RunOptions{}},
      {"do",
       "Does one task with a pipeline made for it: look, then act",
       {"wave do \"fix the typo in the README\"", "wave do --dry-run rename the config module"},
       true,
       false,
       false,
       DoOptions{}},
      {"resume",
       "Goes on with a run that was stopped or interrupted, or again from a step",
       {"wave resume", "wave resume implement-2026 --from-step review"},
       true,
       false,
       true,
       ResumeOptions{}},
      {"cancel",
       "Ends a run and everything it started",
       {"wave cancel implement-2026", "wave cancel implement-2026 --force"},
       true,
       false,
       true,
       CancelOptions{}},
      {"status",
       "Shows runs, or the steps of one run",
       {"wave status", "wave status implement-2026 --json"},
       false,
       false,
       true,
       StatusOptions{}},
      {"logs",
       "Shows what happened in a run, and what its agents said",
       {"wave logs --follow", "wave logs implement-2026 --step review --errors"},
       false,
       false,
       true,
       LogsOptions{}},
      {"artifacts",
       "Lists or copies what a run's steps produced",
       {"wave artifacts", "wave artifacts implement-2026 --export out"},
       false,
       false,
       false,
       ArtifactsOptions{}},
      {"list",
       "Lists pipelines, personas, adapters, contracts or runs",
       {"wave list", "wave list pipelines --json", "wave list runs --run-status failed"},
       false,
       false,
       false,
       ListOptions{}},
      {"validate",
       "Checks the project, or one pipeline, without running anything",
       {"wave validate", "wave validate implement --strict"},
       false,
       false,
       false,
       ValidateOptions{}},
      {"gate",
       "Lists the gates that wait for a person, and answers them",
       {"wave gate", "wave gate implement-2026 --choice approve",
        "wave gate implement-2026 review --choice rework --text \"name it clearly\""},
       true,
       false,
       true,
       GateOptions{}},
      {"serve",
       "Serves the project: REST API, event streams, a queue of runs, gates over HTTP",
       {"wave serve", "wave serve --port 9090 --max-concurrent 10",
        "wave serve --drain-timeout 10m --log-format json"},
       true,
       false,
       false,
       ServeOptions{}},
      {"retro",
       "Looks back at runs: time, money, what was tried again and why",
       {"wave retro", "wave retro list --since 7d", "wave retro stats --pipeline implement --json"},
       false,
       false,
       false,
       RetroOptions{}},
      {"token",
       "Makes, reads and revokes tokens for `wave serve`, and keys to sign them with",
       {"wave token keygen", "wave token create --subject ci-bot --role operator --expires 12h",
        "wave token inspect < token", "wave token revoke 7k2m9qpx41cd",
        "wave token revoke --subject ci-bot", "wave token login-link --subject ada --role admin"},
       false,
       false,
       false,
       TokenOptions{}},
      {"cert",
       "Makes an authority, a server and a client certificate for a first try of TLS and mtls",
       {"wave cert init", "wave cert init --host build.example --client ada"},
       false,
       false,
       false,
       CertOptions{}},
      {"audit",
       "Shows who changed what through the server, and whether the log is whole",
       {"wave audit", "wave audit --actor jwt:ci-bot --outcome refused", "wave audit verify"},
       false,
       false,
       false,
       AuditOptions{}},
      {"doctor",
       "Looks for what could keep wave from working here",
       {"wave doctor", "wave doctor --json"},
       false,
       false,
       false,
       DoctorOptions{}},
      {"clean",
       "Removes the data and workspaces of runs that have ended",
       {"wave clean --older-than 7d --dry-run", "wave clean --keep-last 20 --force"},
       false,
       false,
       false,
       CleanOptions{}},
      {"version",
       "Says which wave this is",
       {"wave version", "wave version --json"},
       false,
       false,
       false,
       VersionOptions{}},
      {"completion",
       "Prints a completion script for bash, zsh or fish",
       {"source <(wave completion bash)", "wave completion fish | source"},
       false,
       false,
       false,
       CompletionOptions{}},
      {"__complete",
       "Prints candidates for a shell",
       {"wave __complete runs"},
       false,
       true,
       false,
       CompleteOptions{}},
      {"__own", "Drives a detached run", {"wave __own RUN"}, true, true, false, OwnOptions{}},
  };
  return table;
}

/// -o, --json and -q as they were written, before they are put together.
struct OutputFlags {
  std::string mode, format;
  bool json = false, quiet = false;
};

void define_global(CLI::App& app, GlobalOptions& global, OutputFlags& flags) {
  app.add_option("-C,--project", global.project, "the project's folder (default: search upwards)")
      ->type_name("DIR");
  app.add_option("-m,--manifest", global.manifest, "the manifest (wave.yaml)")->type_name("FILE");
  app.add_option(
         "--db", global.database,
         "the database, in a folder of its own for all that belongs to it (default: WAVE_DB, "
         "or .agents/state/wave.db)")
      ->type_name("FILE");
  add_choice(app, "-o,--output", flags.mode, {"auto", "json", "text", "quiet"}, "how to print");
  app.add_flag("--json", flags.json, "the same as -o json");
  add_choice(app, "--format", flags.format, {"text", "table", "json"},
             "the same, as older scripts write it");
  app.add_flag("-q,--quiet", flags.quiet, "the same as -o quiet: only results and errors");
  app.add_flag("-v,--verbose", global.verbosity, "say more; twice: debugging");
  app.add_flag("--no-color", global.no_color, "no colours, as with NO_COLOR");
  app.add_option("--server", global.server,
                 "the runs of a server (default: WAVE_SERVER); WAVE_TOKEN says who you are")
      ->type_name("URL");
  app.add_option("--ca", global.ca, "authorities that the server's certificate may come from")
      ->type_name("FILE");
  app.add_option("--cert", global.cert, "your certificate, for a server that asks for one")
      ->type_name("FILE");
  app.add_option("--key", global.key, "its key")->type_name("FILE");
}

Status settle_output(const OutputFlags& flags, GlobalOptions& global) {
  std::vector<std::pair<OutputMode, std::string>> asked;
  if (!flags.mode.empty() && flags.mode != "auto") {
    const OutputMode mode = flags.mode == "json"   ? OutputMode::kJson
                            : flags.mode == "text" ? OutputMode::kText
                                                   : OutputMode::kQuiet;
    asked.emplace_back(mode, "-o " + flags.mode);
  }
  if (!flags.format.empty()) {
    asked.emplace_back(flags.format == "json" ? OutputMode::kJson : OutputMode::kText,
                       "--format " + flags.format);
  }
  if (flags.json) asked.emplace_back(OutputMode::kJson, "--json");
  if (flags.quiet) asked.emplace_back(OutputMode::kQuiet, "-q");
  for (const auto& [mode, name] : asked) {
    if (mode != asked.front().first) {
      return fail(Code::kUsage,
                  fmt::format("{} and {} contradict each other", asked.front().second, name));
    }
    global.output = mode;
  }
  return {};
}

/// Options of a server with a command that could not heed them.
Status check_server_options(const Command& command, const GlobalOptions& global) {
  if (global.server.empty() && global.ca.empty() && global.cert.empty() && global.key.empty()) {
    return {};
  }
  if (!command.knows_servers) {
    return fail(Code::kUsage,
                fmt::format("wave {} works on this project only, not on a server", command.name),
                "with --server there are: run, status, logs, cancel, gate and resume");
  }
  if (!global.server.empty() && !global.database.empty()) {
    return fail(Code::kUsage, "--server and --db contradict each other",
                "a server has a database of its own");
  }
  if (global.cert.empty() != global.key.empty()) {
    return fail(Code::kUsage, "--cert and --key belong together");
  }
  return {};
}

std::string option_value(const CLI::Option& option) {
  if (option.get_expected_max() == 0 || option.get_items_expected_max() == 0) return {};
  return option.get_type_name();
}

OptionInfo info_of(const CLI::Option& option) {
  OptionInfo info;
  info.positional = option.get_positional();
  info.help = option.get_description();
  info.value = option_value(option);
  info.required = option.get_required();
  if (info.positional) {
    // "pipeline,--pipeline" is both: as a positional it is shown by its value's name.
    info.names = {to_upper(option.get_name(true, false))};
    info.repeated = option.get_expected_max() > 1;
    return info;
  }
  for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  return info;
}

std::vector<OptionInfo> infos_of(const CLI::App& app) {
  std::vector<OptionInfo> infos;
  for (const CLI::Option* option : app.get_options()) {
    infos.push_back(info_of(*option));
    if (!option->get_positional() || !option->nonpositional()) continue;
    // Both a positional and a named option: list it a second time by its names.
    OptionInfo named = infos.back();
    named.positional = false;
    named.names.clear();
    for (const std::string& name : option->get_snames()) named.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) named.names.push_back("--" + name);
    infos.push_back(std::move(named));
  }
  return infos;
}

CommandInfo describe(const Command& command) {
  CLI::App app;
  app.set_help_flag();
  CommandOptions options = command.blank;
  std::visit([&app](auto& concrete) { define(app, concrete); }, options);
  return {.name = std::string(command.name),
          .summary = std::string(command.summary),
          .examples = command.examples,
          .hidden = command.hidden,
          .options = infos_of(app)};
}

std::vector<std::string> visible_names() {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (!command.hidden) names.emplace_back(command.name);
  }
  return names;
}

/// Where the command's name stands: the first argument that is neither an option nor the value of a
/// global one. `args.size()` when there is none.
size_t find_command(const std::vector<std::string>& args) {
  constexpr std::array<std::string_view, 12> kWithValue{
      "-C",       "--project", "-m",   "--manifest", "-o",    "--output",
      "--format", "--server",  "--ca", "--cert",     "--key", "--db"};
  for (size_t i = 0; i < args.size(); ++i) {
    if (std::ranges::find(kWithValue, args[i]) != kWithValue.end()) {
      ++i;
      continue;
    }
    if (!args[i].starts_with('-')) return i;
  }
  return args.size();
}

Error unknown_command(const std::string& name) {
  Error error(Code::kUsage, fmt::format("there is no command '{}'", name), "see: wave --help");
  if (const auto meant = did_you_mean(name, visible_names())) {
    error.hint = fmt::format("did you mean: wave {}", *meant);
  }
  return error;
}

Error unknown_argument(const CLI::App& app, const std::string& command,
                       const std::string& argument) {
  const std::string help = fmt::format("see: wave {} --help", command);
  if (!argument.starts_with('-')) {
    return {Code::kUsage, fmt::format("'{}' is one argument too many", argument),
            help + "; a text of several words needs quotes"};
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::string bare = argument.substr(0, argument.find('='));
  Error error(Code::kUsage, fmt::format("wave {} has no option {}", command, bare), help);
  if (const auto meant = did_you_mean(bare, names)) {
    error.hint = fmt::format("did you mean {}? {}", *meant, help);
  }
  return error;
}

/// The library's message without its spelling of option lists, in one line.
std::string plain_message(const std::string& message) {
  return replace_all(std::string(trim(message)), "\n", " ");
}

Result<Invocation> parse_command(const Command& command, std::vector<std::string> args) {
  CLI::App app;
  app.set_help_flag();
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  Invocation invocation;
  invocation.command = command.name;
  invocation.options = command.blank;
  invocation.executes_runs = command.executes_runs;
  OutputFlags flags;
  define_global(app, invocation.global, flags);
  std::visit([&app](auto& concrete) { define(app, concrete); }, invocation.options);
  app.allow_extras();
  const std::string help = fmt::format("see: wave {} --help", command.name);
  try {
    std::ranges::reverse(args);  // the library takes them from the back
    app.parse(std::move(args));
  } catch (const CLI::ParseError& error) {
    return fail(Code::kUsage, plain_message(error.what()), help);
  }
  if (const std::vector<std::string> extras = app.remaining(); !extras.empty()) {
    return std::unexpected(unknown_argument(app, invocation.command, extras.front()));
  }
  WAVE_CHECK(settle_output(flags, invocation.global));
  WAVE_CHECK(check_server_options(command, invocation.global));
  const std::string wrong =
      std::visit([](const auto& concrete) { return contradiction(concrete); }, invocation.options);
  if (!wrong.empty()) return fail(Code::kUsage, wrong, help);
  return invocation;
}

bool wants_help(const std::vector<std::string>& args) {
  return std::ranges::any_of(args,
                             [](const std::string& arg) { return arg == "--help" || arg == "-h"; });
}

const Command* find(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : &*found;
}

}  // namespace

Result<Millis> parse_step_timeout(const std::string& text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  WAVE_TRY(const Millis timeout, parse_duration(digits ? text + "m" : text));
  if (timeout <= Millis(0)) return fail(Code::kUsage, "a deadline has to be longer than nothing");
  return timeout;
}

bool asks_for_json(const std::vector<std::string>& args) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--json" || args[i] == "-ojson" || args[i] == "--output=json" ||
        args[i] == "--format=json") {
      return true;
    }
    const bool takes_mode = args[i] == "-o" || args[i] == "--output" || args[i] == "--format";
    if (takes_mode && i + 1 < args.size() && args[i + 1] == "json") return true;
  }
  return false;
}

std::vector<CommandInfo> describe_commands() {
  std::vector<CommandInfo> infos;
  for (const Command& command : commands()) infos.push_back(describe(command));
  return infos;
}

std::vector<OptionInfo> describe_global_options() {
  CLI::App app;
  app.set_help_flag("-h,--help", "what this command can do");
  GlobalOptions global;
  OutputFlags flags;
  define_global(app, global, flags);
  return infos_of(app);
}

Result<std::variant<Invocation, std::string>> parse(const std::vector<std::string>& args) {
  const size_t at = find_command(args);
  if (at == args.size()) {
    if (args.empty() || wants_help(args)) {
      return root_help(describe_commands(), describe_global_options());
    }
    if (std::ranges::find(args, "--version") != args.end()) {
      Invocation invocation;
      invocation.command = "version";
      invocation.options = VersionOptions{};
      if (asks_for_json(args)) invocation.global.output = OutputMode::kJson;
      return invocation;
    }
    return fail(Code::kUsage, "there is no command in: wave " + join(args, " "),
                "see: wave --help");
  }
  std::vector<std::string> rest = args;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
  if (args[at] == "help") {
    if (rest.empty()) return root_help(describe_commands(), describe_global_options());
    if (const Command* command = find(rest.front())) return command_help(describe(*command));
    return std::unexpected(unknown_command(rest.front()));
  }
  const Command* command = find(args[at]);
  if (command == nullptr) return std::unexpected(unknown_command(args[at]));
  if (wants_help(rest)) return command_help(describe(*command));
  WAVE_TRY(Invocation invocation, parse_command(*command, std::move(rest)));
  return invocation;
}

}  // namespace wave::cli

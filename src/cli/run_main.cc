#include <signal.h>
#include <unistd.h>

#include <optional>

#include "base/descriptor_limit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/stop_gate.h"
#include "base/system_fault.h"
#include "cli/cli.h"
#include "cli/dispatch.h"
#include "cli/error_printer.h"
#include "cli/streams.h"
#include "cli/terminal.h"
#include "process/launcher.h"
#include "process/start_room.h"

namespace wave::cli {
namespace {

int report(Streams& streams, const Error& error, bool as_json, bool colors) {
  streams.note(as_json ? dump_json(error_json(error)) + "\n" : error_text(error, colors));
  return exit_code(error.code);
}

void configure_log(const GlobalOptions& global) {
  log::Level level = log::Level::kWarning;
  if (global.output == OutputMode::kQuiet) level = log::Level::kError;
  if (global.verbosity == 1) level = log::Level::kInfo;
  if (global.verbosity > 1) level = log::Level::kDebug;
  log::configure(level, log::Format::kText);
}

// A run: its loop, the two pools, the store's two threads, the watch of signals, output; a
// launcher, a host, an agent, and a git of its own with a helper. A server has its reactors and
// workers beside that, and several runs.
process::StartRoom needed_room(const CommandOptions& options) {
  constexpr uint64_t kMegabyte = 1 << 20;
  if (std::holds_alternative<ServeOptions>(options)) {
    return {.program = "wave serve", .descriptors = 128, .tasks = 36, .memory = 96 * kMegabyte};
  }
  return {.program = "wave", .descriptors = 64, .tasks = 20, .memory = 48 * kMegabyte};
}

Result<int> execute(const Invocation& invocation, std::map<std::string, std::string> environment,
                    Streams& streams) {
  if (invocation.executes_runs) {
    WAVE_CHECK(process::check_stack_limit(needed_room(invocation.options).program));
  }
  // Before anything else: a process forked now has one thread and nothing of ours in it.
  std::optional<process::Launcher> launcher;
  if (invocation.executes_runs) {
    WAVE_TRY(launcher, process::Launcher::start());
  }
  raise_descriptor_limit();  // after the launcher: agents get the limit that we were given
  if (launcher) WAVE_CHECK(process::check_start_room(needed_room(invocation.options)));
  install_stop_gate();
  // A reader or terminal that goes away is noticed by write(2); it does not end the run.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on files is like a full disk: an error of a write
  configure_log(invocation.global);
  std::error_code error;
  const fs::path cwd = fs::current_path(error);
  if (error) return fail(Code::kIo, "the current folder is gone", "cd into a folder that exists");
  const ShortageWatch watch;
  auto found = find_project(invocation.global, cwd);
  if (!found) return fail(watch.behind(std::move(found).error()));
  ProjectPlace place = *std::move(found);
  Context context(invocation.global, std::move(place), std::move(environment), streams);
  context.set_launcher(launcher ? &*launcher : nullptr);
  auto done = dispatch(context, invocation.options);
  // What could not be read for a shortage is not what is wrong with the project.
  const bool is_of_files = !done && (done.error().code == Code::kInvalidManifest ||
                                     done.error().code == Code::kInvalidPipeline ||
                                     done.error().code == Code::kNotFound);
  if (!is_of_files) return done;
  return fail(watch.behind(std::move(done).error()));
}

}  // namespace

int run_main(const std::vector<std::string>& args) {
  std::map<std::string, std::string> environment = process_environment();
  const bool colors = ::isatty(STDERR_FILENO) == 1 &&
                      wants_colors({.out_is_tty = true,
                                    .dumb = terminal_facts(environment).dumb,
                                    .no_color = terminal_facts(environment).no_color},
                                   false);
  const auto parsed = parse(args);
  const auto* const invocation = parsed ? std::get_if<Invocation>(&*parsed) : nullptr;
  const bool catches_signals = invocation != nullptr && invocation->executes_runs;
  Streams streams(catches_signals ? Streams::Kind::kQueued : Streams::Kind::kDirect);
  const bool as_json =
      invocation != nullptr ? invocation->global.output == OutputMode::kJson : asks_for_json(args);
  const bool in_color = colors && (invocation == nullptr || !invocation->global.no_color);
  Result<int> code = 0;
  if (invocation != nullptr) {
    code = execute(*invocation, std::move(environment), streams);
  } else if (!parsed) {
    code = fail(parsed.error());
  } else {
    streams.print(std::get<std::string>(*parsed));
  }
  const int ended = code ? *code : report(streams, code.error(), as_json, in_color);
  const Status printed = streams.end_output();
  if (printed) return ended;
  (void)report(streams, printed.error(), as_json, in_color);
  return ended == 0 ? kOutputIncomplete : ended;
}

}  // namespace wave::cli

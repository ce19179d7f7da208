#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include "base/descriptor_limit.h"
#include "base/log.h"
#include "cli/apply_retention.h"
#include "cli/commands.h"
#include "process/spawn_attributes.h"
#include "server/demo/demo_project.h"
#include "server/serve/init_process.h"
#include "server/serve/serve.h"

namespace wave::cli {
namespace {

constexpr Millis kLastWords{500};

void configure_server_log(const Context& context, bool as_json) {
  log::Level level = log::Level::kInfo;
  if (context.quiet()) level = log::Level::kError;
  if (context.global().verbosity > 0) level = log::Level::kDebug;
  log::configure(level, as_json ? log::Format::kJson : log::Format::kText);
}

constexpr std::string_view kMakeLink =
    "wave token login-link --subject NAME --role viewer|operator|admin";

// Whoever reads a link is admin: it is for a screen, not for a pipe or a journal.
bool is_read_by_a_person() {
  return ::isatty(STDOUT_FILENO) == 1;
}

// A browser that cannot be started is no reason to end a server. `target` may be a login link, and
// is not logged.
void open_browser(const std::string& target, const std::string& url) {
  std::string program = "xdg-open", address = target;
  char* const argv[] = {program.data(), address.data(), nullptr};
  const process::SpawnAttributes spawn(process::SpawnAttributes::Apart::kNot);
  pid_t pid = 0;
  if (::posix_spawnp(&pid, program.c_str(), nullptr, spawn.attributes(), argv, environ) != 0) {
    log::warning("no browser could be opened: visit {}", url);
    return;
  }
  restore_descriptor_limit(pid);
}

void say_where(const Context& context, const fs::path& folder, const server::Listening& listening) {
  const std::string& project = folder.native();
  if (context.json()) {
    json::object line{{"url", listening.url},
                      {"max_concurrent", listening.settings.max_concurrent},
                      {"project", project}};
    if (is_read_by_a_person() && !listening.login_link.empty()) {
      line["login_link"] = listening.login_link;
    }
    if (listening.settings.demo) line["demo"] = true;
    // One line: who starts the server reads it while the server goes on.
    context.print(dump_json(line) + "\n");
    return;
  }
  context.print(fmt::format("wave serves {} at {}\n", project, listening.url));
  if (is_read_by_a_person() && !listening.login_link.empty()) {
    context.print(fmt::format("log in, once, within five minutes: {}\n", listening.login_link));
  } else if (listening.asks_who) {
    context.print(fmt::format("to log in with a browser: {}\n", kMakeLink));
  }
  context.note(fmt::format("at most {} runs at a time; Ctrl-C stops the server, agents work on\n",
                           listening.settings.max_concurrent));
}

server::ServeRequest request_of(const Context& context, const ServeOptions& options,
                                const fs::path& project) {
  return {.paths = {project},
          .manifest_path = options.flags.demo ? "wave.yaml" : context.manifest_path(),
          .environment = context.environment(),
          .launcher = *context.launcher(),
          .flags = options.flags,
          .wants_login_link = options.flags.open || is_read_by_a_person(),
          .listening =
              [&context, &options, project](const server::Listening& listening) {
                say_where(context, project, listening);
                const bool logs_in = !listening.login_link.empty();
                if (options.flags.open) {
                  open_browser(logs_in ? listening.login_link : listening.url, listening.url);
                }
              },
          .housekeeping = {}};
}

/// Nothing of the user's own is touched: the demo has a folder of its own, and its agents are
/// scripts, which end with the server.
Result<int> serve_demo(const Context& context, ServeOptions options) {
  options.flags.stop_agents = true;
  // Before anything is written.
  WAVE_TRY([[maybe_unused]] const server::ServeSettings settings,
           server::resolve_settings(options.flags, context.environment(), {}));
  std::error_code ignored;
  WAVE_TRY(const server::DemoProject demo,
           server::DemoProject::write(options.demo_folder, fs::temp_directory_path(ignored)));
  log::warning("this is the demo, for a first look: whoever reaches it is admin");
  log::info("the demo's project is {}, {}", demo.folder().native(),
            demo.is_kept() ? "and stays there" : "until the server ends");
  return server::serve(request_of(context, options, demo.folder()));
}

Result<int> serve_project(Context& context, const ServeOptions& options) {
  if (const auto code = server::act_as_init()) return *code;
  configure_server_log(context, options.log_format == "json");
  if (options.flags.demo && !context.global().database.empty()) {
    return fail(Code::kUsage, "--demo and --db contradict each other",
                "the demo keeps its state in its own folder");
  }
  if (options.flags.demo) return serve_demo(context, options);
  WAVE_CHECK(context.claim_database_place());
  server::ServeRequest request = request_of(context, options, context.project());
  request.paths = context.paths();
  Retention retention(context);
  request.housekeeping = [&](store::Store& store, const std::stop_token& stop,
                             const std::stop_token& pause) {
    return retention.work(store, {.stop = stop, .pause = pause});
  };
  return server::serve(request);
}

}  // namespace

Result<int> run_serve(Context& context, const ServeOptions& options) {
  Result<int> code = serve_project(context, options);
  // Neither a log nor an address that nobody reads keeps a server from ending in order.
  context.streams().give_up_after(kLastWords, Streams::Unread::kIsNoError);
  return code;
}

}  // namespace wave::cli

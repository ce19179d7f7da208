#include <fmt/format.h>
#include <spawn.h>

#include "base/log.h"
#include "cli/apply_retention.h"
#include "cli/commands.h"
#include "server/serve/init_process.h"
#include "server/serve/serve.h"

namespace wave::cli {
namespace {

void configure_server_log(const Context& context, bool as_json) {
  log::Level level = log::Level::kInfo;
  if (context.quiet()) level = log::Level::kError;
  if (context.global().verbosity > 0) level = log::Level::kDebug;
  log::configure(level, as_json ? log::Format::kJson : log::Format::kText);
}

// A browser that cannot be started is no reason to end a server.
void open_browser(const std::string& url) {
  std::string program = "xdg-open", address = url;
  char* const argv[] = {program.data(), address.data(), nullptr};
  pid_t pid = 0;
  if (::posix_spawnp(&pid, program.c_str(), nullptr, nullptr, argv, environ) != 0) {
    log::warning("no browser could be opened: visit {}", url);
  }
}

void say_where(const Context& context, const server::Listening& listening) {
  const std::string project = context.project().native();
  if (context.json()) {
    json::object line{{"url", listening.url},
                      {"max_concurrent", listening.settings.max_concurrent},
                      {"project", project}};
    if (!listening.login_link.empty()) line["login_link"] = listening.login_link;
    // One line: who starts the server reads it while the server goes on.
    return context.print(dump_json(line) + "\n");
  }
  context.print(fmt::format("wave serves {} at {}\n", project, listening.url));
  if (!listening.login_link.empty()) {
    context.print(fmt::format("log in, once, within five minutes: {}\n", listening.login_link));
  }
  context.note(fmt::format("at most {} runs at a time; Ctrl-C stops the server, agents work on\n",
                           listening.settings.max_concurrent));
}

}  // namespace

Result<int> run_serve(Context& context, const ServeOptions& options) {
  if (const auto code = server::act_as_init()) return *code;
  configure_server_log(context, options.log_format == "json");
  WAVE_CHECK(context.claim_database_place());
  const server::ServeRequest request{
      .paths = context.paths(),
      .manifest_path = context.manifest_path(),
      .environment = context.environment(),
      .launcher = *context.launcher(),
      .flags = options.flags,
      .listening =
          [&](const server::Listening& listening) {
            say_where(context, listening);
            const bool logs_in = !listening.login_link.empty();
            if (options.flags.open) open_browser(logs_in ? listening.login_link : listening.url);
          },
      .housekeeping = [&](store::Store& store) { apply_retention(context, store); }};
  return server::serve(request);
}

}  // namespace wave::cli

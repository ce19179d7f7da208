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

void say_where(const Context& context, const std::string& url,
               const server::ServeSettings& settings) {
  if (context.json()) {
    context.print_json(json::object{{"url", url},
                                    {"host", settings.host},
                                    {"max_concurrent", settings.max_concurrent},
                                    {"project", context.project().native()}});
    return;
  }
  context.print(fmt::format("wave serves {} at {}\n", context.project().native(), url));
  context.note(fmt::format("at most {} runs at a time; Ctrl-C stops the server, agents work on\n",
                           settings.max_concurrent));
}

}  // namespace

Result<int> run_serve(Context& context, const ServeOptions& options) {
  if (const auto code = server::act_as_init()) return *code;
  configure_server_log(context, options.log_format == "json");
  const server::ServeRequest request{
      .paths = context.paths(),
      .manifest_path = context.manifest_path(),
      .environment = context.environment(),
      .launcher = *context.launcher(),
      .flags = options.flags,
      .listening =
          [&](const std::string& url, const server::ServeSettings& settings) {
            say_where(context, url, settings);
            if (options.flags.open) open_browser(url);
          },
      .housekeeping = [&](store::Store& store) { apply_retention(context, store); }};
  return server::serve(request);
}

}  // namespace wave::cli

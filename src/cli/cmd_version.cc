#include <fmt/format.h>

#include "base/version.h"
#include "cli/commands.h"
#include "cli/linked_libraries.h"
#include "server/web/embedded.h"

namespace wave::cli {
namespace {

json::object versions_of_libraries() {
  json::object versions;
  for (const LinkedLibrary& library : linked_libraries()) versions[library.name] = library.version;
  return versions;
}

}  // namespace

Result<int> run_version(Context& context, const VersionOptions&) {
  constexpr int kEventSchema = 1;
  if (context.json()) {
    context.print_json(
        json::object{{"version", kVersion},
                     {"event_schema", kEventSchema},
                     {"compiler", __VERSION__},
#ifdef NDEBUG
                     {"build", "release"},
#else
                     {"build", "debug"},
#endif
                     {"browser_application", !server::web::embedded_assets().empty()},
                     {"libraries", versions_of_libraries()}});
    return 0;
  }
  context.print(fmt::format("wave {}\n", kVersion));
  return 0;
}

}  // namespace wave::cli

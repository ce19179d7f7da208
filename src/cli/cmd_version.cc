#include <fmt/format.h>

#include "base/version.h"
#include "cli/commands.h"

namespace wave::cli {

Result<int> run_version(Context& context, const VersionOptions&) {
  constexpr int kEventSchema = 1;
  if (context.json()) {
    context.print_json(json::object{{"version", kVersion},
                                    {"event_schema", kEventSchema},
                                    {"compiler", __VERSION__},
#ifdef NDEBUG
                                    {"build", "release"}});
#else
                                    {"build", "debug"}});
#endif
    return 0;
  }
  context.print(fmt::format("wave {}\n", kVersion));
  return 0;
}

}  // namespace wave::cli

#include <fmt/format.h>

#include <algorithm>

#include "base/system_fault.h"
#include "cli/commands.h"
#include "cli/style.h"
#include "model/project.h"

namespace wave::cli {
namespace {

struct Counts {
  size_t errors = 0, unsupported = 0, warnings = 0;
};

Counts count(const model::Diagnostics& diagnostics) {
  Counts counts;
  for (const model::Diagnostic& diagnostic : diagnostics) {
    switch (diagnostic.severity) {
      case model::Severity::kError:
        ++counts.errors;
        break;
      case model::Severity::kUnsupported:
        ++counts.unsupported;
        break;
      case model::Severity::kWarning:
        ++counts.warnings;
        break;
    }
  }
  return counts;
}

}  // namespace

Result<int> run_validate(Context& context, const ValidateOptions& options) {
  const ShortageWatch watch;
  const model::LoadOptions load{.manifest_path = context.manifest_path()};
  const model::Diagnostics diagnostics =
      options.pipeline.empty()
          ? model::validate_project(context.files(), load)
          : model::load_project(context.files(), options.pipeline, load).diagnostics;
  if (auto shortage = watch.seen()) return fail(shortage->wrapped("cannot read the project"));
  const Counts counts = count(diagnostics);
  const bool valid = counts.errors == 0 && !(options.strict && counts.unsupported > 0);
  if (context.json()) {
    json::array list;
    for (const model::Diagnostic& diagnostic : diagnostics) list.push_back(to_json(diagnostic));
    context.print_json(json::object{{"valid", valid},
                                    {"errors", counts.errors},
                                    {"unsupported", counts.unsupported},
                                    {"warnings", counts.warnings},
                                    {"diagnostics", std::move(list)}});
    return valid ? 0 : 1;
  }
  for (const model::Diagnostic& diagnostic : diagnostics) {
    context.print(printable_lines(to_text(diagnostic)) + "\n");
  }
  if (!context.quiet()) {
    context.print(fmt::format("{}: {} errors, {} unsupported, {} warnings\n",
                              valid ? "valid" : "not valid", counts.errors, counts.unsupported,
                              counts.warnings));
  }
  return valid ? 0 : 1;
}

}  // namespace wave::cli

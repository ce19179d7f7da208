#include <fmt/format.h>

#include <algorithm>

#include "base/system_fault.h"
#include "cli/commands.h"
#include "cli/start_run.h"
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

model::Diagnostics findings(const Context& context, const ValidateOptions& options) {
  if (!options.pipeline.empty()) {
    return load_checked(context, context.files(), options.pipeline).diagnostics;
  }
  const model::LoadOptions load{.manifest_path = context.manifest_path()};
  model::Diagnostics all = model::validate_project(context.files(), load);
  for (const std::string& name : model::pipeline_names(context.files())) {
    const model::Project project = model::load_project(context.files(), name, load).value;
    for (model::Diagnostic& missing : missing_tools(context, project)) {
      // What a pipeline calls is looked at when its own turn comes.
      if (missing.pos.file == project.pipeline.path) all.push_back(std::move(missing));
    }
  }
  return all;
}

// A pipeline that is not there is a slip of the command line, not of the project.
int exit_code_for(const model::Diagnostics& diagnostics) {
  const bool is_unknown = std::ranges::any_of(diagnostics, [](const model::Diagnostic& found) {
    return found.code == Code::kNotFound && found.pos.file.empty();
  });
  return exit_code(is_unknown ? Code::kNotFound : Code::kInvalidPipeline);
}

}  // namespace

Result<int> run_validate(Context& context, const ValidateOptions& options) {
  const ShortageWatch watch;
  const model::Diagnostics diagnostics = findings(context, options);
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
    return valid ? 0 : exit_code_for(diagnostics);
  }
  for (const model::Diagnostic& diagnostic : diagnostics) {
    context.print(printable_lines(to_text(diagnostic)) + "\n");
  }
  if (!context.quiet()) {
    context.print(fmt::format("{}: {} errors, {} unsupported, {} warnings\n",
                              valid ? "valid" : "not valid", counts.errors, counts.unsupported,
                              counts.warnings));
  }
  return valid ? 0 : exit_code_for(diagnostics);
}

}  // namespace wave::cli

#include "cli/commands.h"
#include "cli/completion.h"
#include "model/project.h"

namespace wave::cli {

Result<int> run_completion(Context& context, const CompletionOptions& options) {
  const std::vector<CommandInfo> commands = describe_commands();
  const std::vector<OptionInfo> global = describe_global_options();
  if (options.shell == "bash") {
    context.print(bash_completion(commands, global));
  } else if (options.shell == "zsh") {
    context.print(zsh_completion(commands, global));
  } else {
    context.print(fish_completion(commands, global));
  }
  return 0;
}

Result<int> run_complete(Context& context, const CompleteOptions& options) {
  if (options.what == "pipelines") {
    for (const std::string& name : model::pipeline_names(context.files())) {
      context.print(name + "\n");
    }
    return 0;
  }
  constexpr size_t kMostRuns = 50;
  const Result<store::Store*> store = context.open_store(Access::kRead);
  if (!store) return 0;  // nothing to offer, and nobody to tell why
  store::RunFilter filter;
  filter.limit = kMostRuns;
  const auto rows = (*store)->list_runs(filter);
  if (!rows) return 0;
  for (const flow::RunRow& row : *rows) context.print(row.run_id + "\n");
  return 0;
}

}  // namespace wave::cli

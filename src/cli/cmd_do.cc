#include "base/text.h"
#include "cli/adhoc.h"
#include "cli/commands.h"
#include "cli/start_run.h"
#include "cli/style.h"

namespace wave::cli {
namespace {

Result<model::Manifest> load_manifest_or_first_error(const Context& context) {
  auto loaded = model::load_manifest(context.files(), {.manifest_path = context.manifest_path()});
  for (const model::Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity != model::Severity::kError) continue;
    return fail(Error(diagnostic.code, diagnostic.message,
                      diagnostic.hint.empty() ? "see: wave validate" : diagnostic.hint)
                    .at(diagnostic.pos));
  }
  return std::move(loaded.value);
}

}  // namespace

Result<int> run_do(Context& context, const DoOptions& options) {
  if (trim(options.task).empty()) return fail(Code::kUsage, "the task is empty");
  WAVE_TRY(const model::Manifest manifest, load_manifest_or_first_error(context));
  WAVE_TRY(const AdhocPipeline adhoc, adhoc_pipeline(manifest, options.persona));
  engine::RunRequest request;
  request.pipeline = adhoc.path;
  request.manifest_path = context.manifest_path();
  request.options = run_options(options.overrides, options.task);
  request.actor = context.actor();
  request.extra_files = {{adhoc.path, adhoc.yaml}};
  if (options.dry_run) {
    if (!context.json()) context.print(printable_lines(adhoc.yaml) + "\n");
    const model::OverlaySource files(context.files(), request.extra_files);
    return dry_run(context, files, request.pipeline, request.options);
  }
  return start_run(context, request, options.overrides.detach);
}

}  // namespace wave::cli

#include "cli/dispatch.h"

#include "cli/commands.h"

namespace wave::cli {
namespace {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace

Result<int> dispatch(Context& context, const CommandOptions& options) {
  return std::visit(Overloaded{
                        [&](const InitOptions& o) { return run_init(context, o); },
                        [&](const RunOptions& o) { return run_run(context, o); },
                        [&](const DoOptions& o) { return run_do(context, o); },
                        [&](const ResumeOptions& o) { return run_resume(context, o); },
                        [&](const CancelOptions& o) { return run_cancel(context, o); },
                        [&](const StatusOptions& o) { return run_status(context, o); },
                        [&](const LogsOptions& o) { return run_logs(context, o); },
                        [&](const ArtifactsOptions& o) { return run_artifacts(context, o); },
                        [&](const ListOptions& o) { return run_list(context, o); },
                        [&](const ValidateOptions& o) { return run_validate(context, o); },
                        [&](const GateOptions& o) { return run_gate(context, o); },
                        [&](const ServeOptions& o) { return run_serve(context, o); },
                        [&](const RetroOptions& o) { return run_retro(context, o); },
                        [&](const TokenOptions& o) { return run_token(context, o); },
                        [&](const CertOptions& o) { return run_cert(context, o); },
                        [&](const AuditOptions& o) { return run_audit(context, o); },
                        [&](const DoctorOptions& o) { return run_doctor(context, o); },
                        [&](const CleanOptions& o) { return run_clean(context, o); },
                        [&](const VersionOptions& o) { return run_version(context, o); },
                        [&](const CompletionOptions& o) { return run_completion(context, o); },
                        [&](const CompleteOptions& o) { return run_complete(context, o); },
                        [&](const OwnOptions& o) { return run_own(context, o); },
                    },
                    options);
}

}  // namespace wave::cli

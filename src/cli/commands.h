// The commands. Each prints its own output and returns the exit code; what it could not do it
// returns as an error, which is printed in one place.
#pragma once

#include "base/result.h"
#include "cli/context.h"
#include "cli/options.h"

namespace wave::cli {

Result<int> run_init(Context& context, const InitOptions& options);
Result<int> run_run(Context& context, const RunOptions& options);
Result<int> run_do(Context& context, const DoOptions& options);
Result<int> run_resume(Context& context, const ResumeOptions& options);
Result<int> run_cancel(Context& context, const CancelOptions& options);
Result<int> run_status(Context& context, const StatusOptions& options);
Result<int> run_logs(Context& context, const LogsOptions& options);
Result<int> run_artifacts(Context& context, const ArtifactsOptions& options);
Result<int> run_list(Context& context, const ListOptions& options);
Result<int> run_validate(Context& context, const ValidateOptions& options);
Result<int> run_gate(Context& context, const GateOptions& options);
Result<int> run_serve(Context& context, const ServeOptions& options);
Result<int> run_retro(Context& context, const RetroOptions& options);
Result<int> run_token(Context& context, const TokenOptions& options);
Result<int> run_cert(Context& context, const CertOptions& options);
Result<int> run_audit(Context& context, const AuditOptions& options);
Result<int> run_doctor(Context& context, const DoctorOptions& options);
Result<int> run_clean(Context& context, const CleanOptions& options);
Result<int> run_version(Context& context, const VersionOptions& options);
Result<int> run_completion(Context& context, const CompletionOptions& options);
Result<int> run_complete(Context& context, const CompleteOptions& options);
Result<int> run_own(Context& context, const OwnOptions& options);

}  // namespace wave::cli

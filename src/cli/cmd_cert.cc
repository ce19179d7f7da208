#include <fmt/format.h>

#include "auth/certificate.h"
#include "cli/commands.h"

namespace wave::cli {

Result<int> run_cert(Context& context, const CertOptions& options) {
  auth::CertificateRequest request;
  request.folder =
      options.folder.empty() ? context.project() / ".agents/tls" : fs::path(options.folder);
  if (!options.hosts.empty()) request.hosts = options.hosts;
  if (!options.client.empty()) request.client = options.client;
  request.days = options.days;
  request.overwrite = options.force;
  WAVE_TRY(const auth::MadeCertificates made,
           auth::make_certificates(request, SystemClock().wall()));
  if (context.json()) {
    context.print_json(json::object{{"ca", made.ca.native()},
                                    {"ca_key", made.ca_key.native()},
                                    {"cert", made.server.native()},
                                    {"key", made.server_key.native()},
                                    {"client_cert", made.client.native()},
                                    {"client_key", made.client_key.native()},
                                    {"client_fingerprint", made.client_fingerprint}});
    return 0;
  }
  const auto shown = [&](const fs::path& path) {
    std::error_code ignored;
    const fs::path relative = fs::relative(path, context.project(), ignored);
    return relative.empty() || relative.native().starts_with("..") ? path.native()
                                                                   : relative.native();
  };
  context.print(
      fmt::format("server:\n"
                  "  auth: {{mode: mtls, mtls: {{roles: {{{}: admin}}}}}}\n"
                  "  tls: {{enabled: true, cert: {}, key: {}, ca: {}}}\n",
                  request.client, shown(made.server), shown(made.server_key), shown(made.ca)));
  context.note(
      fmt::format("{} may sign more certificates: keep it somewhere else, or remove it\n"
                  "try: curl --cacert {} --cert {} --key {} https://{}:PORT/api/session\n",
                  shown(made.ca_key), shown(made.ca), shown(made.client), shown(made.client_key),
                  request.hosts[0]));
  return 0;
}

}  // namespace wave::cli

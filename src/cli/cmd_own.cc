#include <signal.h>

#include "cli/commands.h"
#include "cli/run_session.h"

namespace wave::cli {

Result<int> run_own(Context& context, const OwnOptions& options) {
  // The terminal this was started from may close at any time.
  ::signal(SIGHUP, SIG_IGN);
  WAVE_TRY(const auto session, RunSession::open(context));
  return session->drive(options.run, Showing::kNothing);
}

}  // namespace wave::cli

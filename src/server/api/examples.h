// How a row is called with curl, for the page of the API. The tests run every one of these.
#pragma once

#include <string>

#include "server/route.h"

namespace wave::server::api {

/// Lines for a POSIX shell. What is the reader's own are variables of theirs: $WAVE_SERVER, $RUN,
/// $STEP, $FILE, $ARTIFACT, $PIPELINE, $PERSONA, $CONTRACT, $WEBHOOK, $WEBHOOK_SECRET, $SESSION,
/// $WAVE_TOKEN. The answer's status is the row's `success`.
std::string curl_example(const Route& route);

}  // namespace wave::server::api

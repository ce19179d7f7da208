// docs/events.md, made from the table of kinds.
#pragma once

#include <string>

namespace wave::flow {

/// The page as Markdown: what an event is, the envelope, and every kind with its fields. Control
/// frames of the event stream are the server's and not in here.
std::string events_reference_markdown();

}  // namespace wave::flow

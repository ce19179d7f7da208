#include "flow/reference.h"

#include "flow/event.h"

namespace wave::flow {
namespace {

constexpr std::string_view kIntroduction = R"(# Events

<!-- Made from src/flow/event_kinds.cc; change it there. -->

A run is what its events add up to. Each event is durable before anybody sees it, and none is ever
changed or taken back. `wave run -o json` prints them, one JSON object per line; `wave logs` reads
them again.

Within a schema version fields are added, never renamed or removed: ignore what you do not know.
Durations are milliseconds, money is in US dollars, times are RFC 3339 in UTC.

## Envelope

Every event has these, beside the fields of its kind:

| Field | Type | Meaning |
|---|---|---|
| `v` | integer | version of this schema: 1 |
| `seq` | integer | 1, 2, 3 ... without holes within a run |
| `run_id` | string | the run |
| `ts` | time | when it was recorded; never decreases within a run |
| `event` | string | the kind, one of those below |
| `step` | string | the step, where it is about one |
| `persona` | string | the persona that does the step |
| `attempt` | integer | the attempt within the visit, from 1 |
| `visit` | integer | how often the step was begun afresh, from 1 |
| `actor` | string | who caused it |

)";

void append_kind(std::string& page, const KindInfo& kind) {
  page += fmt::format("### {}\n\n{}", kind.name, kind.meaning);
  if (kind.of_step) page += " Carries `step`, `visit` and `attempt`.";
  page += "\n\n";
  if (kind.fields.empty()) {
    page += "No fields of its own.\n\n";
    return;
  }
  page += "| Field | Type | Required | Meaning |\n|---|---|---|---|\n";
  for (const FieldInfo& field : kind.fields) {
    page += fmt::format("| `{}` | {} | {} | {} |\n", field.name, to_string(field.type),
                        field.required ? "yes" : "no", field.meaning);
  }
  page += '\n';
}

}  // namespace

std::string events_reference_markdown() {
  std::string page(kIntroduction);
  page += "## Kinds\n\n";
  for (const KindInfo& kind : all_kinds()) append_kind(page, kind);
  while (page.ends_with("\n\n")) page.pop_back();
  return page;
}

}  // namespace wave::flow

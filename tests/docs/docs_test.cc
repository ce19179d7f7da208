// Generated pages are what the code would write today, and say what they promise.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "flow/event.h"
#include "flow/reference.h"
#include "model/reference.h"
#include "server/api/api.h"
#include "server/api/docs_page.h"

namespace wave {
namespace {

std::string page(const std::string& name) {
  return read_file(std::filesystem::path(WAVE_SOURCE_DIR) / "docs" / name, 4 << 20).value_or("");
}

TEST(Docs, EventsPageIsCurrent) {
  EXPECT_TRUE(page("events.md") == flow::events_reference_markdown()) << "run ./dev docs";
}

TEST(Docs, PipelinesPageIsCurrent) {
  EXPECT_TRUE(page("pipelines.md") == model::pipelines_reference_markdown()) << "run ./dev docs";
}

TEST(Docs, HttpApiPageIsCurrent) {
  EXPECT_TRUE(page("http-api.md") ==
              server::api::docs_markdown(server::all_routes(), server::all_schemas()))
      << "run ./dev docs";
}

TEST(Docs, EveryKindOfEventIsDescribed) {
  const std::string text = page("events.md");
  for (const flow::KindInfo& kind : flow::all_kinds()) {
    EXPECT_TRUE(text.contains(kind.name)) << kind.name;
  }
}

TEST(Docs, EveryPromiseIsListed) {
  // The numbers of the promises that this version keeps, each with its tests.
  const std::string text = page("promises.md");
  for (const char* number :
       {"Q5",  "Q7", "Q8", "E1", "E4", "E11", "G1", "G3", "G4", "G5", "G6", "G8", "G9",
        "G10", "S1", "S2", "S3", "S4", "S5",  "S6", "S7", "S8", "O3", "O4", "O6", "O7"}) {
    EXPECT_TRUE(text.contains(number)) << number;
  }
}

}  // namespace
}  // namespace wave

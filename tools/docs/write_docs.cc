// wave_docs <docs folder>: writes the pages that are generated from the code's own tables.
#include <fmt/core.h>

#include "base/file.h"
#include "flow/reference.h"
#include "model/reference.h"
#include "server/api/api.h"
#include "server/api/docs_page.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: wave_docs FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const std::pair<const char*, std::string> pages[] = {
      {"http-api.md",
       wave::server::api::docs_markdown(wave::server::all_routes(), wave::server::all_schemas())},
      {"events.md", wave::flow::events_reference_markdown()},
      {"pipelines.md", wave::model::pipelines_reference_markdown()},
  };
  for (const auto& [name, text] : pages) {
    if (const auto written = wave::write_file(folder / name, text); !written) {
      fmt::print(stderr, "wave_docs: {}\n", written.error().message);
      return 1;
    }
  }
  return 0;
}

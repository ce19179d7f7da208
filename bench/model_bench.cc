// Loading and validating what users wrote.
#include <fmt/core.h>

#include <cstdlib>

#include "measure.h"
#include "model/project.h"

namespace wave::bench {

std::vector<Figure> bench_model(const std::filesystem::path&) {
  const char* shared = std::getenv("WAVE_SHARED");
  const std::filesystem::path corpus =
      (shared != nullptr ? std::filesystem::path(shared)
                         : std::filesystem::path(WAVE_SOURCE_DIR) / "../shared") /
      "corpus/wave";
  if (!std::filesystem::exists(corpus))
    return {{"validating the corpus", "skipped: it is not there", "", "< 100 ms"}};
  std::vector<std::chrono::nanoseconds> samples;
  size_t diagnostics = 0;
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const model::DiskSource files(corpus);
    diagnostics = model::validate_project(files).size();
    samples.push_back(std::chrono::steady_clock::now() - begin);
  }
  return {{"loading and validating the whole corpus (p50)", milliseconds(percentile(samples, 0.5)),
           fmt::format("{} pipelines, {} diagnostics",
                       model::pipeline_names(model::DiskSource(corpus)).size(), diagnostics),
           "< 100 ms"}};
}

}  // namespace wave::bench

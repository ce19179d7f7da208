// wave_bench [PART...]: measures, and prints a table for docs/performance.md. A part is one of
// kBenches, or what several begin with up to a dot ("server").
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "measure.h"

namespace wave::bench {
namespace {

struct Named {
  std::string_view name;
  std::vector<Figure> (*bench)(const std::filesystem::path&);
};
constexpr Named kBenches[] = {{"model", bench_model},
                              {"store", bench_store},
                              {"runs", bench_runs},
                              {"output", bench_output},
                              {"http", bench_http},
                              {"access", bench_access},
                              {"server.start", bench_server_start},
                              {"server.list", bench_server_list},
                              {"server.memory", bench_server_memory},
                              {"server.events", bench_server_events},
                              {"server.submit", bench_server_submit},
                              {"server.adopt", bench_server_adopt}};

bool is_wanted(std::string_view name, int argc, char** argv) {
  if (argc == 1) return true;
  for (int i = 1; i < argc; ++i) {
    const std::string_view part = argv[i];
    if (name == part || name.starts_with(std::string(part) + ".")) return true;
  }
  return false;
}

std::filesystem::path scratch_to_remove;  // also when a bench gives up

int main(int argc, char** argv) {
  // Real storage, not memory: fsync is what is measured.
  const char* where = std::getenv("WAVE_BENCH_DIR");
  std::string scratch = std::string(where != nullptr ? where : "/var/tmp") + "/wave-bench-XXXXXX";
  if (::mkdtemp(scratch.data()) == nullptr) return 1;
  scratch_to_remove = scratch;
  std::atexit([] {
    ::close_range(3, ~0U, 0);  // of a bench that gave up, perhaps all there may be
    std::error_code ignored;
    std::filesystem::remove_all(scratch_to_remove, ignored);
  });
  fmt::print("| What | Measured | Beside it | Goal |\n|---|---|---|---|\n");
  for (const Named& named : kBenches) {
    if (!is_wanted(named.name, argc, argv)) continue;
    for (const Figure& figure : named.bench(scratch)) {
      fmt::print("| {} | {} | {} | {} |\n", figure.what, figure.measured, figure.beside,
                 figure.goal);
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace wave::bench

int main(int argc, char** argv) {
  return wave::bench::main(argc, argv);
}

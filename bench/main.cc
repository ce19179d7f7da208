// wave_bench [model|store|runs|http|access ...]: measures, and prints a table for
// docs/performance.md.
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
                              {"http", bench_http},
                              {"access", bench_access}};

int main(int argc, char** argv) {
  // Real storage, not memory: fsync is what is measured.
  const char* where = std::getenv("WAVE_BENCH_DIR");
  std::string scratch = std::string(where != nullptr ? where : "/var/tmp") + "/wave-bench-XXXXXX";
  if (::mkdtemp(scratch.data()) == nullptr) return 1;
  fmt::print("| What | Measured | Beside it | Goal |\n|---|---|---|---|\n");
  for (const Named& named : kBenches) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i) wanted |= named.name == argv[i];
    if (!wanted) continue;
    for (const Figure& figure : named.bench(scratch)) {
      fmt::print("| {} | {} | {} | {} |\n", figure.what, figure.measured, figure.beside,
                 figure.goal);
      std::fflush(stdout);
    }
  }
  std::filesystem::remove_all(scratch);
  return 0;
}

}  // namespace
}  // namespace wave::bench

int main(int argc, char** argv) {
  return wave::bench::main(argc, argv);
}

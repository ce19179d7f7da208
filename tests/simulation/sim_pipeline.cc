#include "sim_pipeline.h"

#include <fmt/core.h>

namespace wave::sim {
namespace {

constexpr std::string_view kManifest = R"(apiVersion: v1
kind: WaveManifest
metadata: {{name: sim}}
runtime:
  workspace_root: .agents/workspaces
  max_concurrency: {}
)";

struct Generator {
  SimRandom random;
  std::string yaml;
  int steps = 0;
  int reworkers = 0;

  std::string pick(std::initializer_list<const char*> choices) {
    return *(choices.begin() + static_cast<ptrdiff_t>(random.below(choices.size())));
  }

  void dependencies(int index) {
    std::string list;
    for (int i = 0; i < index; ++i) {
      if (!random.chance(index > 4 ? 25 : 45)) continue;
      list += (list.empty() ? "" : ", ") + fmt::format("s{}", i);
    }
    if (!list.empty()) yaml += fmt::format("    dependencies: [{}]\n", list);
  }

  void retry(int index, bool may_rework) {
    if (!random.chance(60)) return;
    yaml += "    retry:\n";
    yaml += fmt::format("      max_attempts: {}\n", 1 + random.below(3));
    yaml += fmt::format("      backoff: {}\n", pick({"fixed", "linear", "exponential"}));
    yaml += fmt::format("      base_delay: {}\n", pick({"100ms", "2s", "20s"}));
    const std::string policy = pick({"fail", "skip", "continue", "rework", ""});
    if (policy == "rework" && may_rework) {
      yaml += fmt::format("      on_failure: rework\n      rework_step: r{}\n", index);
      reworkers |= 1 << index;
    } else if (policy != "rework" && !policy.empty()) {
      yaml += fmt::format("      on_failure: {}\n", policy);
    }
  }

  void contract(int index) {
    if (!random.chance(35)) return;
    const std::string policy =
        pick({"fail", "fail", "warn", "skip", "continue", "rejected", "rework"});
    const bool rework = policy == "rework" && index < 30;
    yaml += "    handover:\n      contracts:\n";
    yaml += random.chance(40) ? "        - type: test_suite\n          command: check\n"
                              : "        - type: non_empty_file\n          source: out.txt\n";
    yaml +=
        fmt::format("          on_failure: {}\n", policy == "rework" && !rework ? "fail" : policy);
    if (rework) {
      yaml += fmt::format("          rework_step: r{}\n          max_retries: {}\n", index,
                          1 + random.below(2));
      reworkers |= 1 << index;
    }
  }

  void command(int index) {
    yaml += "    type: command\n    script: \"work\"\n";
    if (random.chance(20)) yaml += "    optional: true\n";
    if (random.chance(40)) {
      yaml += "    output_artifacts:\n      - {name: out, path: out.txt, type: text}\n";
    }
    retry(index, true);
    contract(index);
  }

  void gate() {
    if (random.chance(40)) {
      yaml +=
          fmt::format("    gate: {{type: timer, timeout: \"{}\"}}\n", pick({"1s", "30s", "10m"}));
      return;
    }
    yaml += "    gate:\n      type: approval\n      prompt: \"on?\"\n      choices:\n";
    yaml +=
        "        - {label: \"Yes\", key: y}\n        - {label: \"No\", key: n, target: _fail}\n";
    if (random.chance(50)) yaml += "      default: y\n";
    yaml += fmt::format("      timeout: \"{}\"\n", pick({"1m", "2h"}));
  }
};

}  // namespace

std::map<std::string, std::string> generate_project(uint64_t seed) {
  Generator g{.random = SimRandom(seed)};
  const int count = 1 + static_cast<int>(g.random.below(9));
  g.yaml = "kind: WavePipeline\nmetadata: {name: sim}\nsteps:\n";
  for (int i = 0; i < count; ++i) {
    g.yaml += fmt::format("  - id: s{}\n", i);
    g.dependencies(i);
    if (g.random.chance(12)) {
      g.gate();
    } else {
      g.command(i);
    }
  }
  for (int i = 0; i < count; ++i) {
    if ((g.reworkers & (1 << i)) == 0) continue;
    g.yaml += fmt::format(
        "  - id: r{}\n    type: command\n    rework_only: true\n    script: \"repair\"\n", i);
  }
  return {{"wave.yaml", fmt::format(kManifest, 1 + g.random.below(5))},
          {".agents/pipelines/sim.yaml", g.yaml}};
}

}  // namespace wave::sim

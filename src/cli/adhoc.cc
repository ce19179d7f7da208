#include "cli/adhoc.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace wave::cli {
namespace {

/// The first of the usual names that the project has.
template <size_t N>
std::string first_known(const model::Manifest& manifest,
                        const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names) {
    if (manifest.personas.contains(std::string(name))) return std::string(name);
  }
  return {};
}

Result<std::string> acting_persona(const model::Manifest& manifest, const std::string& asked) {
  std::vector<std::string> known;
  for (const auto& [name, persona] : manifest.personas) known.push_back(name);
  if (!asked.empty()) {
    if (manifest.personas.contains(asked)) return asked;
    Error error(Code::kUsage, fmt::format("there is no persona '{}'", asked));
    const auto meant = did_you_mean(asked, known);
    error.hint =
        meant ? fmt::format("did you mean '{}'?", *meant) : "there are: " + join(known, ", ");
    return std::unexpected(std::move(error));
  }
  constexpr std::array<std::string_view, 3> kUsual{"craftsman", "implementer", "developer"};
  if (std::string found = first_known(manifest, kUsual); !found.empty()) return found;
  if (known.size() == 1) return known.front();
  return fail(Code::kUsage, "which persona is to do it?",
              known.empty() ? "the project has none: wave init writes some"
                            : "say it with --persona; there are: " + join(known, ", "));
}

}  // namespace

std::string yaml_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

Result<AdhocPipeline> adhoc_pipeline(const model::Manifest& manifest, const std::string& persona) {
  WAVE_TRY(const std::string actor, acting_persona(manifest, persona));
  constexpr std::array<std::string_view, 3> kLookers{"navigator", "explorer", "planner"};
  std::string looker = first_known(manifest, kLookers);
  if (looker.empty()) looker = actor;
  const bool has_tests = !manifest.project.test_command.empty();
  const std::string contract = has_tests ? "        - type: test_suite\n"
                                           "          command: \"{{ project.test_command }}\"\n"
                                           "          dir: \".\"\n"
                                         : "        - type: non_empty_file\n"
                                           "          source: .agents/output/account.md\n";
  // The task is the run's input: no text of the caller's stands in the YAML.
  const std::string yaml = fmt::format(R"yaml(kind: WavePipeline
metadata:
  name: do
  description: One task, made for this run
input:
  source: cli
steps:
  - id: look
    persona: {0}
    workspace:
      type: worktree
      branch: "wave/{{{{ pipeline_id }}}}"
    exec:
      type: prompt
      source: |
        Find out what has to be known to carry out this task, and change nothing yet:

        {{{{ input }}}}

        Write down which files matter and why, what has to change in each, and how it can be checked.
    output_artifacts:
      - name: findings
        path: .agents/output/findings.md
        type: markdown
        required: true
    handover:
      contracts:
        - type: non_empty_file
          source: .agents/output/findings.md
  - id: act
    persona: {1}
    dependencies: [look]
    memory:
      inject_artifacts:
        - step: look
          artifact: findings
          as: findings.md
    workspace:
      type: worktree
      branch: "wave/{{{{ pipeline_id }}}}"
    exec:
      type: prompt
      source: |
        Carry out this task:

        {{{{ input }}}}

        What was found out before is in .agents/artifacts/findings.md. Make the smallest change that
        does it, check it, commit it, and write a short account of what you did and why.
    retry:
      policy: standard
    output_artifacts:
      - name: account
        path: .agents/output/account.md
        type: markdown
        required: true
    handover:
      contracts:
{2})yaml",
                                       yaml_quoted(looker), yaml_quoted(actor), contract);
  return AdhocPipeline{.path = ".agents/pipelines/do.yaml", .name = "do", .yaml = yaml};
}

}  // namespace wave::cli

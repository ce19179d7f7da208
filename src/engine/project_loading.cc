#include "engine/project_loading.h"

#include <fmt/core.h>

#include "agent/adapter.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "workspace/workspace.h"

namespace wave::engine {
namespace {

constexpr size_t kMaxFindings = 20;

Error to_error(const model::Diagnostic& diagnostic) {
  const Code code =
      diagnostic.severity == model::Severity::kUnsupported ? Code::kUnsupported : diagnostic.code;
  std::string message = diagnostic.key.empty()
                            ? diagnostic.message
                            : fmt::format("{}: {}", diagnostic.key, diagnostic.message);
  return Error(code, std::move(message), diagnostic.hint).at(diagnostic.pos);
}

// These words are inserted into scripts as code: a remote's URL must not bring any along.
std::string plain(std::string word) {
  std::erase_if(word, [](char c) {
    return !std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-';
  });
  return word;
}

// Scripts of the scripted adapter are part of what a run was started with.
void read_scripts(const model::FileSource& files, const model::Manifest& manifest) {
  if (!manifest.adapters.contains("scripted")) return;
  for (const std::string& name : files.list(".agents/scripts")) {
    (void)files.read(".agents/scripts/" + name);
  }
}

}  // namespace

Status check_runnable(const model::Diagnostics& diagnostics, const std::string& pipeline) {
  const bool has_errors = model::has_errors(diagnostics);
  if (!has_errors && !model::has_unsupported(diagnostics)) return {};
  const auto severity = has_errors ? model::Severity::kError : model::Severity::kUnsupported;
  std::optional<Error> first;
  size_t count = 0;
  for (const model::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity != severity || ++count > kMaxFindings) continue;
    if (!first) {
      first = to_error(diagnostic);
    } else {
      first->others.push_back(to_error(diagnostic));
    }
  }
  if (count > kMaxFindings) {
    first->others.emplace_back(first->code, fmt::format("... and {} more", count - kMaxFindings),
                               "wave validate " + pipeline + " shows all of them");
  }
  return fail(*std::move(first));
}

Result<LoadedProgram> load_from_source(const model::FileSource& project,
                                       const store::StatePaths& paths,
                                       const std::string& manifest_path,
                                       const std::string& pipeline,
                                       const std::map<std::string, std::string>& overlay) {
  // What could not be read for a shortage reads as missing here and there: nothing of it counts.
  const ShortageWatch watch;
  const model::OverlaySource source(project, overlay);
  const model::RecordingSource recording(source);
  auto loaded = model::load_project(recording, pipeline, {.manifest_path = manifest_path});
  const Status runnable = check_runnable(loaded.diagnostics, pipeline);
  if (runnable) read_scripts(recording, loaded.value.manifest);
  if (auto shortage = watch.seen()) return fail(shortage->wrapped("cannot read the project"));
  WAVE_CHECK(runnable);

  LoadedProgram result;
  result.snapshot.manifest_path = manifest_path;
  result.snapshot.pipeline = pipeline;
  result.snapshot.files = recording.files();
  const workspace::GitFacts git = workspace::git_facts(paths.project);
  if (auto shortage = watch.seen()) return fail(shortage->wrapped("cannot read the repository"));
  result.snapshot.facts = {{"branch", git.branch},
                           {"head", git.head},
                           {"forge", forge_facts(git.remote_url, loaded.value.manifest.forge)}};
  result.program = flow::Program(std::move(loaded.value));
  return result;
}

Result<flow::Program> load_from_snapshot(const store::Snapshot& snapshot) {
  const model::MemorySource files(snapshot.files);
  auto loaded =
      model::load_project(files, snapshot.pipeline, {.manifest_path = snapshot.manifest_path});
  WAVE_CHECK(check_runnable(loaded.diagnostics, snapshot.pipeline));
  return flow::Program(std::move(loaded.value));
}

json::object forge_facts(const std::string& remote_url, const std::string& override_type) {
  // git@host:owner/repo.git, ssh://git@host/owner/repo, https://host/owner/repo.git
  std::string rest = remote_url;
  if (const size_t scheme = rest.find("://"); scheme != std::string::npos)
    rest = rest.substr(scheme + 3);
  if (const size_t user = rest.find('@'); user != std::string::npos) rest = rest.substr(user + 1);
  std::ranges::replace(rest, ':', '/');
  if (rest.ends_with(".git")) rest.resize(rest.size() - 4);
  const std::vector<std::string> parts = split(rest, '/');
  const bool is_remote = parts.size() >= 3 && !remote_url.starts_with('/');
  const std::string host = is_remote ? plain(parts[0]) : "";

  std::string type = override_type;
  if (type.empty()) {
    type = host.contains("github")                              ? "github"
           : host.contains("gitlab")                            ? "gitlab"
           : host.contains("codeberg")                          ? "codeberg"
           : host.contains("gitea") || host.contains("forgejo") ? "gitea"
           : host.contains("bitbucket")                         ? "bitbucket"
                                                                : "local";
  }
  struct Row {
    std::string_view type, tool, prefix, term, command;
  };
  constexpr Row kRows[] = {{"github", "gh", "gh", "Pull Request", "pr"},
                           {"gitlab", "glab", "gl", "Merge Request", "mr"},
                           {"gitea", "tea", "gt", "Pull Request", "pulls"},
                           {"forgejo", "tea", "gt", "Pull Request", "pulls"},
                           {"codeberg", "tea", "gt", "Pull Request", "pulls"},
                           {"bitbucket", "bb", "bb", "Pull Request", "pr"}};
  Row row{};
  for (const Row& candidate : kRows) {
    if (candidate.type == type) row = candidate;
  }
  return {{"type", type},
          {"host", host},
          {"owner", is_remote ? plain(parts[parts.size() - 2]) : ""},
          {"repo", is_remote ? plain(parts.back()) : ""},
          {"cli_tool", row.tool},
          {"prefix", row.prefix},
          {"pr_term", row.term},
          {"pr_command", row.command}};
}

}  // namespace wave::engine

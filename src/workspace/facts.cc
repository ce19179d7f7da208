// What a checkout says about itself, read from its files; git is asked only about odd layouts.
#include "base/file.h"
#include "base/text.h"
#include "workspace/git.h"
#include "workspace/git_dir.h"
#include "workspace/workspace.h"

namespace wave::workspace {
namespace {

constexpr uint64_t kMaxConfig = uint64_t{4} << 20;

// Credentials in a URL would otherwise reach prompts and events (promise S6).
std::string without_credentials(std::string url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const size_t start = scheme + 3;
  const size_t host_end = std::min(url.find('/', start), url.size());
  const size_t at = url.rfind('@', host_end);
  if (at == std::string::npos || at < start) return url;
  const bool keeps_user = url.starts_with("ssh://") && !url.substr(start, at - start).contains(':');
  return keeps_user ? url : url.erase(start, at + 1 - start);
}

// `value` of `key = value`, without quotes and trailing comment; nothing for escapes, which only
// git reads.
std::optional<std::string> config_value(std::string_view text) {
  if (text.contains('\\')) return std::nullopt;
  std::string value;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '#' || c == ';'))
      break;
    else
      value += c;
  }
  return std::string(trim(value));
}

struct Remote {
  std::string origin, first;
  bool only_git_knows = false;  // includes, escapes, url.insteadOf
};

Remote read_remote(const fs::path& config) {
  Remote remote;
  const auto text = read_file(config, kMaxConfig);
  if (!text) return remote;
  std::string section;
  for (const std::string& raw : split(*text, '\n')) {
    const std::string_view line = trim(raw);
    if (line.starts_with('[')) {
      section = line;
      remote.only_git_knows |=
          to_lower(section).starts_with("[include") || to_lower(section).starts_with("[url");
      continue;
    }
    if (!to_lower(section).starts_with("[remote ")) continue;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || to_lower(trim(line.substr(0, equals))) != "url") {
      continue;
    }
    const auto value = config_value(line.substr(equals + 1));
    remote.only_git_knows |= !value;
    if (!value) continue;
    if (remote.first.empty()) remote.first = *value;
    if (section.contains("\"origin\"") && remote.origin.empty()) remote.origin = *value;
  }
  return remote;
}

std::string ask_git(const GitDir& repository, std::vector<std::string> arguments) {
  const auto output = git_output(call_in(repository, std::move(arguments)));
  return output ? std::string(trim(*output)) : std::string();
}

std::string remote_url(const GitDir& repository) {
  const Remote remote = read_remote(repository.common_dir / "config");
  if (remote.only_git_knows) return ask_git(repository, {"remote", "get-url", "origin"});
  return remote.origin.empty() ? remote.first : remote.origin;
}

bool has_branch(const GitDir& repository, const std::string& name) {
  const auto commit = read_ref(repository, "refs/heads/" + name);
  return commit && !commit->empty();
}

// The remote's own choice, else the usual names, else the branch one is on.
std::string default_branch(const GitDir& repository, const std::string& current) {
  constexpr std::string_view kPrefix = "ref: refs/remotes/origin/";
  if (const auto text = read_file(repository.common_dir / "refs/remotes/origin/HEAD", 4096)) {
    const std::string_view line = trim(*text);
    if (line.starts_with(kPrefix)) return std::string(line.substr(kPrefix.size()));
  }
  for (const char* usual : {"main", "master"}) {
    if (has_branch(repository, usual)) return usual;
  }
  return current;
}

}  // namespace

GitFacts git_facts(const fs::path& folder) {
  GitFacts facts;
  const auto repository = find_git_dir(folder);
  if (!repository) {
    facts.is_bare = !find_bare_repository(folder).empty();
    return facts;
  }
  facts.is_repository = true;
  facts.root = repository->work_tree;
  if (const auto head = read_head(*repository)) {
    facts.branch = head->branch;
    facts.head = head->commit;
  } else {
    facts.head = ask_git(*repository, {"rev-parse", "--verify", "--quiet", "HEAD"});
    facts.branch = ask_git(*repository, {"symbolic-ref", "--short", "--quiet", "HEAD"});
  }
  facts.remote_url = without_credentials(remote_url(*repository));
  facts.default_branch = default_branch(*repository, facts.branch);
  return facts;
}

}  // namespace wave::workspace

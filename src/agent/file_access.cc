#include "agent/file_access.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <deque>
#include <optional>
#include <system_error>

#include "agent/permit.h"
#include "base/file.h"
#include "base/text.h"

namespace wave::agent {
namespace {

constexpr int kMostLinks = 40;

enum class FileUse { kRead, kWrite };

std::optional<FileUse> file_use(std::string_view tool) {
  constexpr auto kReaders =
      std::to_array<std::string_view>({"Read", "NotebookRead", "LS", "Glob", "Grep"});
  constexpr auto kWriters =
      std::to_array<std::string_view>({"Write", "Edit", "MultiEdit", "NotebookEdit"});
  if (std::ranges::find(kReaders, tool) != kReaders.end()) return FileUse::kRead;
  if (std::ranges::find(kWriters, tool) != kWriters.end()) return FileUse::kWrite;
  return std::nullopt;
}

/// Where the path leads, as the kernel would go: over every link, one without a target included.
/// Nothing when that cannot be told.
std::optional<fs::path> followed(const fs::path& path) {
  std::deque<fs::path> ahead(path.begin(), path.end());
  fs::path at = "/";
  int links = 0;
  while (!ahead.empty()) {
    const fs::path part = ahead.front();
    ahead.pop_front();
    if (part.empty() || part == "." || part == "/") continue;
    if (part == "..") {
      at = at.parent_path();
      continue;
    }
    const fs::path next = at / part;
    std::error_code error;
    const fs::file_status status = fs::symlink_status(next, error);
    if (status.type() == fs::file_type::none) return std::nullopt;
    if (status.type() != fs::file_type::symlink) {
      at = next;
      continue;
    }
    const fs::path target = fs::read_symlink(next, error);
    if (error || ++links > kMostLinks) return std::nullopt;
    ahead.insert(ahead.begin(), target.begin(), target.end());
    if (target.is_absolute()) at = "/";
  }
  return at;
}

bool is_inside(const fs::path& path, const fs::path& root) {
  const auto [end, ignored] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return !root.empty() && end == root.end();
}

/// Files of the workspace that are git's or wave's: who writes them has wave's own git, or the next
/// step, do something else.
bool is_reserved(const fs::path& path, const fs::path& workspace) {
  const fs::path inside = path.lexically_relative(workspace);
  return std::ranges::find(inside, fs::path(".git")) != inside.end() ||
         is_inside(inside, ".agents/agent");
}

class FileCheck {
 public:
  FileCheck(const model::EffectivePermissions& permissions, std::string_view tool, FileUse use,
            const FileRoots& roots)
      : permissions_(permissions), tool_(tool), use_(use), roots_(roots) {}

  std::string check(std::string_view text) const {
    if (text.starts_with('~')) return refused(text, "write the path out, without ~");
    if (text.contains('\0')) return refused(text, "it contains a NUL byte");
    const fs::path written = roots_.workspace / fs::path(text);
    // Programs tidy "link/.." away before they open a path; the kernel does not.
    for (const fs::path& path : {written, written.lexically_normal()}) {
      if (std::string why = check_path(path, text); !why.empty()) return why;
    }
    return {};
  }

  /// What a Glob looks through begins in front of its first wildcard.
  std::string check_glob(std::string_view folder, std::string_view pattern) const {
    const size_t wildcard = std::min(pattern.find_first_of("*?[{(!\\"), pattern.size());
    const size_t slash = pattern.substr(0, wildcard).rfind('/');
    const size_t end = wildcard == pattern.size()        ? pattern.size()
                       : slash == std::string_view::npos ? 0
                                                         : slash + 1;
    const std::string_view rest = pattern.substr(end);
    if (rest.contains("..") || rest.contains("{/") || rest.contains(",/")) {
      return refused(pattern, "write the folder in front of the first wildcard");
    }
    if (pattern.starts_with('~')) return refused(pattern, "write the path out, without ~");
    return check((fs::path(folder) / fs::path(pattern.substr(0, end))).string());
  }

 private:
  [[nodiscard]] std::string refused(std::string_view shown, std::string_view why) const {
    return fmt::format("{} is not allowed here ({}): {}", tool_, excerpt(shown, 200), why);
  }

  [[nodiscard]] std::string check_path(const fs::path& path, std::string_view shown) const {
    const auto end = followed(path);
    const auto workspace = followed(roots_.workspace);
    if (!end || !workspace) return refused(shown, "where it leads cannot be told");
    // What lies there depends on who looks.
    const bool is_process = is_inside(path.lexically_normal(), "/proc");
    if (!is_process && is_inside(*end, *workspace)) {
      if (use_ == FileUse::kRead || !is_reserved(*end, *workspace)) return {};
      return refused(shown, "these files are git's and wave's own");
    }
    if (use_ == FileUse::kRead && !is_process && is_in_checkout(*end)) return {};
    if (allows_elsewhere(*end)) return {};
    return refused(shown, fmt::format("it leads out of the workspace; {}({}) would allow it", tool_,
                                      end->string()));
  }

  [[nodiscard]] bool is_in_checkout(const fs::path& path) const {
    if (roots_.project.empty()) return false;
    const auto project = followed(roots_.project);
    if (!project || !is_inside(path, *project) || is_inside(path, *project / ".git")) return false;
    return std::ranges::none_of(roots_.hidden, [&](const fs::path& hidden) {
      const auto end = followed(hidden);
      return !end || is_inside(path, *end);
    });
  }

  [[nodiscard]] bool allows_elsewhere(const fs::path& path) const {
    return std::ranges::any_of(permissions_.allowed, [&](const std::string& text) {
      const auto pattern = parse_tool_pattern(text);
      return pattern && pattern->has_argument && pattern->argument.starts_with('/') &&
             model::permission_matches(text, tool_, path.string());
    });
  }

  const model::EffectivePermissions& permissions_;
  std::string_view tool_;
  FileUse use_;
  const FileRoots& roots_;
};

}  // namespace

namespace {

// A path may have bytes that JSON cannot hold: everything but ASCII is written as %XX.
std::string text_of_path(const fs::path& path) {
  std::string text;
  for (const char byte : path.native()) {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x80 && byte != '%') {
      text += byte;
    } else {
      text += fmt::format("%{:02X}", value);
    }
  }
  return text;
}

fs::path path_of_text(std::string_view text) {
  std::string path;
  for (size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const char* digits = text.data() + at + 1;
    if (text[at] == '%' && text.size() - at > 2 &&
        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      path += static_cast<char>(value);
      at += 2;
    } else {
      path += text[at];
    }
  }
  return path;
}

}  // namespace

json::object to_json(const FileRoots& roots) {
  json::array hidden;
  for (const fs::path& path : roots.hidden) hidden.emplace_back(text_of_path(path));
  return {{"workspace", text_of_path(roots.workspace)},
          {"project", text_of_path(roots.project)},
          {"hidden", std::move(hidden)}};
}

FileRoots file_roots_from_json(const json::object& object) {
  FileRoots roots{.workspace = path_of_text(get_string(object, "workspace")),
                  .project = path_of_text(get_string(object, "project")),
                  .hidden = {}};
  for (const std::string& path : get_strings(object, "hidden"))
    roots.hidden.push_back(path_of_text(path));
  return roots;
}

std::string file_refusal(const model::EffectivePermissions& permissions, std::string_view tool,
                         const json::object& input, const FileRoots& roots) {
  const auto use = file_use(tool);
  if (!use) return {};
  const FileCheck check(permissions, tool, *use, roots);
  for (const std::string_view key : {"file_path", "notebook_path", "path"}) {
    const std::string_view path = get_string(input, key);
    if (path.empty()) continue;
    if (std::string why = check.check(path); !why.empty()) return why;
  }
  if (tool != "Glob") return {};
  return check.check_glob(get_string(input, "path"), get_string(input, "pattern"));
}

}  // namespace wave::agent

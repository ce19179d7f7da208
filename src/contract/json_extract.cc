#include "contract/json_extract.h"

#include "base/text.h"
#include "contract/json_tokens.h"

namespace wave::contract {
namespace {

/// The length of the balanced region at the start of `text` ('{' or '['); 0 when it does not close.
size_t region_length(std::string_view text, TokenHints& hints) {
  std::string open;  // the closers that are due, innermost last
  size_t at = 0;
  while (at < text.size()) {
    const TokenSpan span = next_token(text.substr(at), hints);
    const char c = text[at];
    at += span.length;
    if (span.kind == Token::Kind::kOpenString) return 0;
    if (span.kind != Token::Kind::kPunctuation) continue;
    if (c == '{' || c == '[') {
      open += c == '{' ? '}' : ']';
    } else if (c == '}' || c == ']') {
      if (open.back() != c) return 0;
      open.pop_back();
      if (open.empty()) return at;
    }
  }
  return 0;
}

bool looks_like_json(std::string_view fence_info) {
  const std::string info = to_lower(trim(fence_info));
  return info.empty() || info.starts_with("json");
}

struct Line {
  size_t begin, end;  // without the line break
};

/// The line that starts at `at`; nothing behind the last one.
std::optional<Line> line_at(std::string_view text, size_t at) {
  if (at >= text.size()) return std::nullopt;
  return Line{at, std::min(text.find('\n', at), text.size())};
}

/// Of several equally large ones the last: answers come after examples.
std::string_view largest(const std::vector<std::string_view>& texts) {
  std::string_view best;
  for (std::string_view text : texts) {
    if (text.size() >= best.size()) best = text;
  }
  return best;
}

/// The one region that was meant, if that is plain: the only object, or else the only array.
std::string_view only_region(const Regions& regions) {
  std::vector<std::string_view> objects;
  std::vector<std::string_view> arrays;
  for (std::string_view region : regions.balanced) {
    (region.front() == '{' ? objects : arrays).push_back(region);
  }
  // "[...]" around or beside an object: prose has brackets too ("see [1]"), data is larger.
  if (objects.size() == 1 && (arrays.empty() || largest(arrays).size() < objects[0].size())) {
    return objects[0];
  }
  if (objects.empty() && arrays.size() == 1) return arrays[0];
  return {};
}

}  // namespace

Regions find_regions(std::string_view text) {
  Regions regions;
  TokenHints hints;
  for (size_t at = 0; at < text.size(); ++at) {
    // Outside of regions there is prose, whose quotes mean nothing.
    if (text[at] == '}' || text[at] == ']') regions.damaged = true;
    if (text[at] != '{' && text[at] != '[') continue;
    const size_t length = region_length(text.substr(at), hints);
    if (length == 0) {
      // What lies within may be complete, but it is not the whole: never extract from the inside.
      regions.damaged = true;
      return regions;
    }
    regions.balanced.push_back(text.substr(at, length));
    at += length - 1;
  }
  return regions;
}

std::string_view without_preamble(std::string_view text) {
  for (size_t at = 0; const auto line = line_at(text, at); at = line->end + 1) {
    const size_t first = text.find_first_not_of(" \t\r", line->begin);
    if (first >= line->end || first == std::string_view::npos) continue;
    if (text[first] == '{' || text[first] == '[') {
      return trim(text.substr(0, first)).empty() ? std::string_view() : text.substr(first);
    }
    // A fence is not prose: fenced_blocks knows how to read it.
    if (text.substr(first).starts_with("```")) return {};
  }
  return {};
}

std::vector<std::string_view> fenced_blocks(std::string_view text) {
  std::vector<std::string_view> blocks;
  std::optional<size_t> content;  // where the open block starts
  bool wanted = false;
  for (size_t at = 0; const auto line = line_at(text, at); at = line->end + 1) {
    const std::string_view words = trim(text.substr(line->begin, line->end - line->begin));
    if (!words.starts_with("```")) continue;
    if (!content) {
      wanted = looks_like_json(words.substr(words.find_first_not_of('`') == std::string_view::npos
                                                ? words.size()
                                                : words.find_first_not_of('`')));
      content = std::min(line->end + 1, text.size());
      continue;
    }
    if (wanted) blocks.push_back(text.substr(*content, line->begin - *content));
    content.reset();
  }
  // An agent that was cut short, or that saw no need to close it.
  if (content && wanted) blocks.push_back(text.substr(*content));
  return blocks;
}

std::vector<Candidate> find_candidates(std::string_view text, bool guess) {
  std::vector<Candidate> candidates{{"", text}};
  if (const std::string_view rest = without_preamble(text); !rest.empty()) {
    candidates.push_back({"removed_preamble", rest});
  }
  const Regions regions = find_regions(text);
  const std::string_view region = only_region(regions);
  if (!region.empty() && (guess || !regions.damaged)) {
    candidates.push_back({"extracted_balanced", region});
  }
  // A fence within damaged JSON is a part of it.
  const size_t first_open = text.find_first_of("{[");
  const size_t first_fence = text.find("```");
  const bool fence_outside =
      first_fence != std::string_view::npos && (first_fence < first_open || !regions.damaged);
  if (fence_outside) {
    const std::vector<std::string_view> blocks = fenced_blocks(text);
    if (blocks.size() == 1 || (guess && !blocks.empty())) {
      candidates.push_back({"removed_fences", blocks.size() == 1 ? blocks[0] : largest(blocks)});
    }
  }
  if (guess && region.empty() && !regions.balanced.empty()) {
    candidates.push_back({"chose_largest", largest(regions.balanced)});
  }
  return candidates;
}

}  // namespace wave::contract

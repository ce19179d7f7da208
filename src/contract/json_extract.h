// Where in a text the JSON is: behind a preamble, between prose, in a fence. Nothing is repaired.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wave::contract {

/// A piece of a text that may be the JSON, and how it was found.
struct Candidate {
  std::string name;  // "" for the whole text
  std::string_view text;
};

/// The balanced {...} and [...] of a text that lie in no other.
struct Regions {
  std::vector<std::string_view> balanced;
  /// Something opens and is not closed, or closes and was not opened: data may be missing.
  bool damaged = false;
};
Regions find_regions(std::string_view text);

/// The text from the first line that starts with '{' or '[', with what stands before cut off; empty
/// when there is no such line, or nothing stands before it.
std::string_view without_preamble(std::string_view text);

/// What stands in the Markdown fences of the text that are marked as JSON or as nothing.
std::vector<std::string_view> fenced_blocks(std::string_view text);

/// The places to look at, mildest first. With `guess`, also the largest of several.
std::vector<Candidate> find_candidates(std::string_view text, bool guess);

}  // namespace wave::contract

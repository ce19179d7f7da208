// Small things done to text: splitting, trimming, cutting at UTF-8 borders, spelling suggestions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wave {

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
/// At most `max_bytes` of `text`, never ending within a UTF-8 sequence.
std::string_view utf8_prefix(std::string_view text, size_t max_bytes);
/// The last `max_bytes` of `text` at most, never starting within a UTF-8 sequence.
std::string_view utf8_suffix(std::string_view text, size_t max_bytes);
/// `text` with everything that is not valid UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);
/// utf8_prefix with "…" behind it when something was cut; valid UTF-8 whatever comes in.
std::string excerpt(std::string_view text, size_t max_bytes);
/// The candidate that was probably meant, if one is near enough to `word`.
std::optional<std::string> did_you_mean(std::string_view word,
                                        std::span<const std::string> candidates);
/// Whether `name` can be a file name and a git ref component: [A-Za-z0-9][A-Za-z0-9._-]*, no "..",
/// not ending in ".lock" or ".", at most 128 bytes.
bool is_safe_name(std::string_view name);
/// `text` in single quotes for a POSIX shell.
std::string shell_quote(std::string_view text);

}  // namespace wave

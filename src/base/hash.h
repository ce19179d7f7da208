// SHA-256, by OpenSSL's implementation.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wave {

/// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);
/// The same for a file's content, read in pieces.
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace wave

// Files that agents wrote, on their way out: with secrets masked, byte for byte (promise S6).
#pragma once

#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/redact.h"
#include "base/result.h"
#include "http/message.h"

namespace wave::server::api {

/// A part of a file.
struct ByteRange {
  uint64_t offset = 0, length = 0;
};

/// What a Range header asks for of `size` bytes (RFC 9110 section 14): nothing when there is none,
/// or one that may be ignored (several ranges, another unit). kRange when it cannot be satisfied.
Result<std::optional<ByteRange>> parse_range(std::optional<std::string_view> header, uint64_t size);

/// The range's bytes, masked as they would be within the whole, read while they are sent. Beyond
/// the first 16 MiB masking looks back 1 MiB.
Result<http::Body> masked_range(UniqueFd file, ByteRange range, const Redactor& redactor);

/// The answer to a request for a file of `size` bytes: 200, 206, 416 or 304.
Result<http::Response> masked_answer(const http::Request& request, UniqueFd file, uint64_t size,
                                     std::string etag, const Redactor& redactor);

}  // namespace wave::server::api

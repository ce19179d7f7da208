#include "server/api/masked_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "server/api/body_from.h"
#include "server/api/finish.h"

namespace wave::server::api {
namespace {

constexpr uint64_t kFromStart = 16 << 20;
constexpr uint64_t kLookBack = 1 << 20;
constexpr size_t kChunk = 64 << 10;

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

Result<size_t> read_at(int fd, std::string& buffer, uint64_t offset) {
  while (true) {
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return fail(errno_error(errno, "cannot read the file"));
  }
}

/// A range of a masked file. Between two calls it holds what the masking holds back, and what of
/// the last chunk was more than a window.
class MaskedFile final : public http::BodySource {
 public:
  MaskedFile(UniqueFd file, ByteRange range, const Redactor& redactor)
      : file_(std::move(file)),
        at_(range.offset),
        end_(range.offset + range.length),
        read_at_(range.offset <= kFromStart ? 0 : range.offset - kLookBack),
        masked_at_(read_at_),
        stream_(redactor) {}

  Result<std::string> next(size_t window) override {
    // What is held back may depend on bytes behind the range: reading goes on until it is decided.
    while (ready_.empty() && masked_at_ < end_ && !ended_) WAVE_CHECK(read_on(window));
    std::string piece = ready_.substr(0, window);
    ready_.erase(0, piece.size());
    if (ready_.empty()) ready_ = {};
    return piece;
  }

 private:
  Status read_on(size_t window) {
    // Quickly over what lies before the range.
    std::string buffer(masked_at_ < at_ ? kChunk : std::min(window, kChunk), '\0');
    WAVE_TRY(const size_t count, read_at(file_.get(), buffer, read_at_));
    read_at_ += count;
    ended_ = count == 0;
    const std::string masked =
        ended_ ? stream_.finish() : stream_.feed(std::string_view(buffer).substr(0, count));
    const uint64_t from = std::max(masked_at_, at_);
    const uint64_t to = std::min(masked_at_ + masked.size(), end_);
    if (from < to) ready_ = masked.substr(from - masked_at_, to - from);
    masked_at_ += masked.size();
    return {};
  }

  const UniqueFd file_;
  const uint64_t at_, end_;
  uint64_t read_at_, masked_at_;
  StreamRedactor stream_;
  std::string ready_;
  bool ended_ = false;
};

}  // namespace

Result<std::optional<ByteRange>> parse_range(std::optional<std::string_view> header,
                                             uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header || !header->starts_with(kUnit) || header->contains(',')) return std::nullopt;
  const std::string_view range = trim(header->substr(kUnit.size()));
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number(range.substr(0, dash)), last = number(range.substr(dash + 1));
  const bool bad_last = dash + 1 < range.size() && !last;
  if (bad_last || (dash > 0 && !first) || (!first && !last)) return std::nullopt;
  if (first && last && *last < *first) return std::nullopt;
  const Error unsatisfiable(Code::kRange, fmt::format("there are {} bytes", size),
                            "ask for a range within them");
  if (!first) {
    if (*last == 0 || size == 0) return fail(unsatisfiable);
    const uint64_t length = std::min(*last, size);
    return ByteRange{size - length, length};
  }
  if (*first >= size) return fail(unsatisfiable);
  const uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return ByteRange{*first, end - *first + 1};
}

Result<http::Body> masked_range(UniqueFd file, ByteRange range, const Redactor& redactor) {
  return body_from(std::make_shared<MaskedFile>(std::move(file), range, redactor), range.length);
}

Result<http::Response> masked_answer(const http::Request& request, UniqueFd file, uint64_t size,
                                     std::string etag, const Redactor& redactor) {
  http::Response response;
  response.headers.add("Accept-Ranges", "bytes");
  response.headers.add("Cache-Control", "private, no-cache");
  if (!etag.empty()) {
    response.headers.add("ETag", etag);
    const auto have = request.headers.find("If-None-Match");
    if (have && etag_matches(*have, etag)) {
      response.status = 304;
      return response;
    }
  }
  std::optional<std::string_view> header = request.headers.find("Range");
  // A range of something else than what the client has is of no use to it.
  const auto condition = request.headers.find("If-Range");
  if (condition && (etag.empty() || *condition != etag)) header.reset();
  WAVE_TRY(const std::optional<ByteRange> range, parse_range(header, size));
  WAVE_TRY(response.body,
           masked_range(std::move(file), range.value_or(ByteRange{0, size}), redactor));
  if (range) {
    response.status = 206;
    response.headers.add("Content-Range", fmt::format("bytes {}-{}/{}", range->offset,
                                                      range->offset + range->length - 1, size));
  }
  return response;
}

}  // namespace wave::server::api

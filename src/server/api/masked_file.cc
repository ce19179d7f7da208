#include "server/api/masked_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "server/api/finish.h"

namespace wave::server::api {
namespace {

constexpr uint64_t kInMemory = 1 << 20;
constexpr uint64_t kFromStart = 16 << 20;
constexpr uint64_t kLookBack = 1 << 20;
constexpr size_t kChunk = 256 << 10;

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// Where masked bytes go.
class Sink {
 public:
  static Result<Sink> make(ByteRange range, const std::filesystem::path& scratch) {
    Sink sink(range);
    if (range.length > kInMemory) {
      WAVE_TRY(sink.file_, open_file(scratch, O_TMPFILE | O_RDWR, 0600));
    }
    return sink;
  }

  /// Keeps what lies in the range of bytes that begin at `at` in the whole.
  Status take(uint64_t at, std::string_view bytes) {
    const uint64_t end = range_.offset + range_.length;
    const uint64_t from = std::max(at, range_.offset);
    const uint64_t to = std::min(at + bytes.size(), end);
    if (from >= to) return {};
    const std::string_view wanted = bytes.substr(from - at, to - from);
    written_ += wanted.size();
    if (file_.valid()) return write_all(file_.get(), wanted);
    text_ += wanted;
    return {};
  }

  http::Body finish() && {
    if (!file_.valid()) return std::move(text_);
    return http::FileBody{.file = std::make_shared<const UniqueFd>(std::move(file_)),
                          .offset = 0,
                          .length = written_};
  }

 private:
  explicit Sink(ByteRange range) : range_(range) {}

  ByteRange range_;
  UniqueFd file_;
  std::string text_;
  uint64_t written_ = 0;
};

Result<size_t> read_at(int fd, std::string& buffer, uint64_t offset) {
  while (true) {
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return fail(errno_error(errno, "cannot read the file"));
  }
}

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

Result<http::Body> masked_range(int fd, ByteRange range, const Redactor& redactor,
                                const std::filesystem::path& scratch) {
  WAVE_TRY(Sink sink, Sink::make(range, scratch));
  const uint64_t end = range.offset + range.length;
  uint64_t read_at_byte = range.offset <= kFromStart ? 0 : range.offset - kLookBack;
  uint64_t masked_at = read_at_byte;
  StreamRedactor stream(redactor);
  std::string buffer(kChunk, '\0');
  // What is held back may depend on bytes behind the range: reading goes on until it is decided.
  while (masked_at < end) {
    WAVE_TRY(const size_t count, read_at(fd, buffer, read_at_byte));
    read_at_byte += count;
    const std::string masked =
        count == 0 ? stream.finish() : stream.feed(std::string_view(buffer).substr(0, count));
    WAVE_CHECK(sink.take(masked_at, masked));
    masked_at += masked.size();
    if (count == 0) break;
  }
  return std::move(sink).finish();
}

Result<http::Response> masked_answer(const http::Request& request, int fd, uint64_t size,
                                     std::string etag, const Redactor& redactor,
                                     const std::filesystem::path& scratch) {
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
  WAVE_TRY(response.body, masked_range(fd, range.value_or(ByteRange{0, size}), redactor, scratch));
  if (range) {
    response.status = 206;
    response.headers.add("Content-Range", fmt::format("bytes {}-{}/{}", range->offset,
                                                      range->offset + range->length - 1, size));
  }
  return response;
}

}  // namespace wave::server::api

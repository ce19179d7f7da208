#include "server/api/body_from.h"

#include <optional>

namespace wave::server::api {
namespace {

constexpr size_t kReadAtOnce = 64 << 10;

/// All of it; nothing when there is more than a small body has.
Result<std::optional<std::string>> small_body(http::BodySource& source) {
  std::string text;
  while (text.size() <= kReadAtOnce) {
    WAVE_TRY(const std::string piece, source.next(kReadAtOnce));
    if (piece.empty()) return text;
    text += piece;
  }
  return std::nullopt;
}

}  // namespace

Result<http::Body> body_from(std::shared_ptr<http::BodySource> source, uint64_t length) {
  if (length > kReadAtOnce)
    return http::StreamedBody{.source = std::move(source), .length = length};
  WAVE_TRY(auto text, small_body(*source));
  if (text && text->size() == length) return *std::move(text);
  return fail(Code::kIo, "the file changed while it was read", "ask again");
}

Result<http::Body> body_from(const MakeBodySource& make) {
  const std::shared_ptr<http::BodySource> first = make();
  WAVE_TRY(auto text, small_body(*first));
  if (text) return *std::move(text);
  return http::StreamedBody{.source = make(), .length = std::nullopt};
}

}  // namespace wave::server::api

#include "server/api/finish.h"

#include <fmt/core.h>
#include <zlib.h>

#include "base/hash.h"
#include "base/text.h"

namespace wave::server {
namespace {

constexpr size_t kWorthPacking = 1400;  // less fits into one packet anyway
constexpr int kLevel = 5;

bool is_textual(std::string_view type) {
  return type.starts_with("application/json") || type.starts_with("application/problem+json") ||
         type.starts_with("text/");
}

std::string_view strip_weak(std::string_view tag) {
  tag = trim(tag);
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

/// gzip (RFC 1952); nothing when zlib fails.
std::optional<std::string> pack(std::string_view text) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return std::nullopt;
  return packed;
}

void add_etag(const http::Request& request, http::Response& response, std::string_view text) {
  if (response.status != 200) return;
  if (!response.headers.find("ETag")) {
    response.headers.set("ETag", fmt::format("W/\"{}\"", sha256_hex(text).substr(0, 32)));
  }
  const auto have = request.headers.find("If-None-Match");
  if (!have || !etag_matches(*have, *response.headers.find("ETag"))) return;
  response.status = 304;
  response.body = std::string();
}

}  // namespace

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  if (trim(if_none_match) == "*") return true;
  for (const std::string& candidate : split(if_none_match, ',')) {
    if (strip_weak(candidate) == strip_weak(etag)) return true;
  }
  return false;
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  for (const std::string& item : split(to_lower(accept_encoding), ',')) {
    const std::vector<std::string> parts = split(item, ';');
    const std::string_view coding = trim(parts.front());
    if (coding != "gzip" && coding != "*") continue;
    bool refused = false;
    for (size_t i = 1; i < parts.size(); ++i) {
      const std::string_view weight = trim(parts[i]);
      refused =
          weight.starts_with("q=0") && weight.find_first_not_of("0.", 2) == std::string_view::npos;
    }
    if (coding == "gzip") return !refused;
    any = !refused;
  }
  return any;
}

void finish_response(const http::Request& request, http::Response& response) {
  const auto* text = std::get_if<std::string>(&response.body);
  if (text == nullptr || response.headers.find("Content-Encoding")) return;
  const std::string type(response.headers.find("Content-Type").value_or(""));
  if (!is_textual(type)) return;
  if (!response.headers.find("Cache-Control")) {
    response.headers.add("Cache-Control", "private, no-cache");
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads) add_etag(request, response, *text);
  response.headers.set("Vary", "Accept-Encoding");
  if (response.status == 304 || response.status == 206) return;
  if (text->size() < kWorthPacking) return;
  if (!accepts_gzip(request.headers.find("Accept-Encoding").value_or(""))) return;
  if (auto packed = pack(*text); packed && packed->size() < text->size()) {
    response.body = *std::move(packed);
    response.headers.set("Content-Encoding", "gzip");
  }
}

}  // namespace wave::server

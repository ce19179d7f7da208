#include "server/web/assets.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace wave::server::web {
namespace {

constexpr std::string_view kFirstPage = "/index.html";
constexpr size_t kCopied = 64 << 10;  // larger files are sent from where they are

constexpr std::string_view kNoApplication =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>wave</title>\n"
    "<h1>wave</h1>\n<p>This build has no browser application: it was made with "
    "<code>-DWAVE_WEB=OFF</code>, or without Node.</p>\n"
    "<p>The API is here: <a href=\"/api/docs\">/api/docs</a>. The command line works as well: "
    "<code>wave --help</code>.</p>\n</html>\n";

const std::vector<EmbeddedAsset>& all_assets() {
  static const std::vector<EmbeddedAsset> assets = embedded_assets();
  return assets;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder ||
         (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

const EmbeddedAsset* find(const std::vector<EmbeddedAsset>& assets, std::string_view path) {
  const auto at = std::ranges::find(assets, path, &EmbeddedAsset::path);
  return at == assets.end() ? nullptr : &*at;
}

/// Names of files: for these the application's page would be a wrong answer.
bool names_a_file(std::string_view path) {
  if (path.starts_with("/assets/")) return true;
  constexpr std::string_view kEndings[] = {".js",  ".css", ".svg",   ".png",  ".ico",
                                           ".map", ".txt", ".woff2", ".json", ".webmanifest"};
  return std::ranges::any_of(kEndings, [&](std::string_view end) { return path.ends_with(end); }) &&
         path.find('/', 1) == std::string_view::npos;
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Whether the client takes this coding (RFC 9110 section 12.5.3). `*` is not believed.
bool accepts(const http::Request& request, std::string_view coding) {
  for (const std::string_view field : request.headers.all("Accept-Encoding")) {
    for (const std::string_view item : split(field, ',')) {
      const std::string_view word = trim(item.substr(0, item.find(';')));
      if (!std::ranges::equal(word, coding, {}, to_lower)) continue;
      const size_t q = item.find("q=");
      if (q == std::string_view::npos) return true;
      // "0", "0.0", "0.00" and "0.000" say no.
      return trim(item.substr(q + 2)).find_first_not_of("0.") != std::string_view::npos;
    }
  }
  return false;
}

std::string unpack(const EmbeddedAsset& asset) {
  std::string plain(asset.size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return {};
  // zlib does not write to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(asset.gzip.data()));
  stream.avail_in = static_cast<uInt>(asset.gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  const int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return code == Z_STREAM_END ? plain : std::string();
}

bool names(std::string_view if_none_match, std::string_view etag) {
  for (std::string_view item : split(if_none_match, ',')) {
    item = trim(item);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == etag || item == "*") return true;
  }
  return false;
}

http::Response text_response(int status, std::string text) {
  http::Response response{.status = status};
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.body = std::move(text);
  return response;
}

http::Response page_response(std::string html) {
  http::Response response;
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  response.headers.set("Cache-Control", "no-cache");
  response.body = std::move(html);
  return response;
}

/// Addresses of a page of ours are absolute, as it is shown at many: below a base path they begin
/// with that. Scripts find out by their own address.
std::string below(std::string_view base_path, std::string_view html) {
  return replace_all(std::string(html), "=\"/", fmt::format("=\"{}/", base_path));
}

/// Bytes that are part of the program.
class EmbeddedBody final : public http::BodySource {
 public:
  explicit EmbeddedBody(std::string_view bytes) : rest_(bytes) {}
  Result<std::string> next(size_t window) override {
    std::string piece(rest_.substr(0, window));
    rest_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view rest_;
};

http::Body embedded_body(std::string_view bytes) {
  if (bytes.size() <= kCopied) return std::string(bytes);
  return http::StreamedBody{.source = std::make_shared<EmbeddedBody>(bytes),
                            .length = bytes.size()};
}

http::Response file_response(const http::Request& request, const EmbeddedAsset& asset) {
  std::string_view coding;
  std::string_view bytes = asset.plain;
  if (asset.plain.empty() && accepts(request, "br")) {
    coding = "br";
    bytes = asset.brotli;
  } else if (asset.plain.empty() && accepts(request, "gzip")) {
    coding = "gzip";
    bytes = asset.gzip;
  }
  // A strong tag names one coding's bytes.
  const std::string etag = fmt::format("\"{}{}{}\"", asset.hash, coding.empty() ? "" : "-", coding);
  http::Response response;
  response.headers.set("ETag", etag);
  response.headers.set("Cache-Control",
                       asset.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (asset.plain.empty()) response.headers.set("Vary", "Accept-Encoding");
  if (const auto known = request.headers.find("If-None-Match"); known && names(*known, etag)) {
    response.status = 304;
    return response;
  }
  response.headers.set("Content-Type", std::string(asset.type));
  if (!coding.empty()) response.headers.set("Content-Encoding", std::string(coding));
  const bool packed = asset.plain.empty() && coding.empty();
  response.body = packed ? http::Body(unpack(asset)) : embedded_body(bytes);
  return response;
}

http::Response based_page(const http::Request& request, const EmbeddedAsset& asset,
                          std::string_view base_path) {
  std::string page = below(base_path, asset.plain.empty() ? unpack(asset) : asset.plain);
  const std::string etag = fmt::format("\"{}\"", sha256_hex(page).substr(0, 32));
  http::Response response = page_response(std::move(page));
  response.headers.set("ETag", etag);
  if (const auto known = request.headers.find("If-None-Match"); known && names(*known, etag)) {
    response.status = 304;
    response.body = std::string();
  }
  return response;
}

}  // namespace

bool has_application() {
  return !all_assets().empty();
}

std::optional<http::Response> asset_response(const http::Request& request,
                                             std::string_view base_path) {
  return asset_response(request, all_assets(), base_path);
}

std::optional<http::Response> asset_response(const http::Request& request,
                                             const std::vector<EmbeddedAsset>& assets,
                                             std::string_view base_path) {
  const std::string_view path = request.path;
  if (is_below(path, "/api") || is_below(path, "/metrics")) return std::nullopt;
  if (assets.empty() && path != "/") return std::nullopt;
  if (request.method != "GET" && request.method != "HEAD") {
    http::Response response = text_response(405, "Only GET and HEAD are answered here.\n");
    response.headers.set("Allow", "GET, HEAD");
    return response;
  }
  if (assets.empty()) return page_response(below(base_path, kNoApplication));
  const EmbeddedAsset* asset = find(assets, path);
  if (asset == nullptr && names_a_file(path)) return text_response(404, "There is no such file.\n");
  if (asset == nullptr) asset = find(assets, kFirstPage);
  if (asset == nullptr) return std::nullopt;
  if (!base_path.empty() && asset->path == kFirstPage) {
    return based_page(request, *asset, base_path);
  }
  return file_response(request, *asset);
}

}  // namespace wave::server::web

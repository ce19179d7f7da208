#include "server/web/assets.h"

#include <gtest/gtest.h>

namespace wave::server::web {
namespace {

// gzip of "<html>page</html>"
constexpr unsigned char kGzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
                                   0x03, 0xb3, 0xc9, 0x28, 0xc9, 0xcd, 0xb1, 0x2b, 0x48,
                                   0x4c, 0x4f, 0xb5, 0xd1, 0x07, 0x33, 0x01, 0x5f, 0x8b,
                                   0x0f, 0x0d, 0x11, 0x00, 0x00, 0x00};

std::string_view gzip_bytes() {
  return {reinterpret_cast<const char*>(kGzip), sizeof kGzip};
}

std::vector<EmbeddedAsset> some_assets() {
  return {{.path = "/index.html",
           .type = "text/html; charset=utf-8",
           .hash = "aa",
           .size = 17,
           .gzip = gzip_bytes(),
           .brotli = "BR"},
          {.path = "/assets/app-1a2b.js",
           .type = "text/javascript; charset=utf-8",
           .hash = "bb",
           .immutable = true,
           .size = 5,
           .gzip = "GZ",
           .brotli = "BR"},
          {.path = "/assets/inter.woff2",
           .type = "font/woff2",
           .hash = "cc",
           .immutable = true,
           .size = 4,
           .plain = "FONT"}};
}

http::Request get(std::string path, http::Headers headers = {}) {
  return {.method = "GET", .target = path, .path = path, .headers = std::move(headers)};
}

std::string header(const http::Response& response, std::string_view name) {
  return std::string(response.headers.find(name).value_or(""));
}

std::string body(const http::Response& response) {
  return std::get<std::string>(response.body);
}

TEST(Assets, LeaveTheApiToTheRouter) {
  for (const char* path : {"/api", "/api/runs", "/api/nothing", "/metrics"}) {
    EXPECT_FALSE(asset_response(get(path), some_assets())) << path;
  }
  EXPECT_TRUE(asset_response(get("/apiary"), some_assets()));
}

TEST(Assets, GiveWhatTheClientTakes) {
  const auto ask = [](const char* accepted) {
    return *asset_response(get("/assets/app-1a2b.js", {{"Accept-Encoding", accepted}}),
                           some_assets());
  };
  EXPECT_EQ(header(ask("gzip, deflate, br"), "Content-Encoding"), "br");
  EXPECT_EQ(body(ask("gzip, br;q=0")), "GZ");
  EXPECT_EQ(body(ask("GZIP;q=0.5")), "GZ");
  EXPECT_EQ(header(ask("br;q=0.0, gzip;q=0"), "Content-Encoding"), "");
  EXPECT_EQ(header(ask("br"), "Vary"), "Accept-Encoding");
  EXPECT_EQ(header(ask("br"), "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_NE(header(ask("br"), "ETag"), header(ask("gzip"), "ETag"));
}

TEST(Assets, UnpackForThoseWhoTakeNothing) {
  const auto response = *asset_response(get("/"), some_assets());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "Content-Encoding"), "");
  EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
  EXPECT_EQ(body(response), "<html>page</html>");
}

TEST(Assets, AnswerPathsOfTheApplicationWithItsPage) {
  for (const char* path : {"/", "/runs/x-20260101-000000-0123456789", "/pipelines/a.b", "/login"}) {
    const auto response = *asset_response(get(path, {{"Accept-Encoding", "br"}}), some_assets());
    EXPECT_EQ(header(response, "Content-Type"), "text/html; charset=utf-8") << path;
  }
}

TEST(Assets, DoNotAnswerMissingFilesWithAPage) {
  for (const char* path : {"/assets/app-old.js", "/favicon.ico", "/nothing.js"}) {
    EXPECT_EQ(asset_response(get(path), some_assets())->status, 404) << path;
  }
}

TEST(Assets, SayThatNothingHasChanged) {
  const auto first = *asset_response(get("/", {{"Accept-Encoding", "br"}}), some_assets());
  const std::string tag = header(first, "ETag");
  const auto again = *asset_response(
      get("/", {{"Accept-Encoding", "br"}, {"If-None-Match", "\"x\", W/" + tag}}), some_assets());
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(http::body_size(again.body).value_or(1), 0u);
  const auto other = *asset_response(
      get("/", {{"Accept-Encoding", "gzip"}, {"If-None-Match", tag}}), some_assets());
  EXPECT_EQ(other.status, 200) << "another coding has other bytes";
}

TEST(Assets, RefuseOtherMethods) {
  http::Request request = get("/");
  request.method = "POST";
  const auto response = *asset_response(request, some_assets());
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(header(response, "Allow"), "GET, HEAD");
}

TEST(Assets, SayWhenThereIsNoApplication) {
  const auto response = *asset_response(get("/"), std::vector<EmbeddedAsset>{});
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(body(response).find("WAVE_WEB=OFF"), std::string::npos);
  EXPECT_FALSE(asset_response(get("/runs"), std::vector<EmbeddedAsset>{}));
}

TEST(Assets, AreWhole) {
  if (!has_application()) GTEST_SKIP() << "built without the application";
  for (const EmbeddedAsset& asset : embedded_assets()) {
    const auto response = *asset_response(get(std::string(asset.path)), "");
    EXPECT_EQ(response.status, 200) << asset.path;
    EXPECT_EQ(http::body_size(response.body).value_or(0), asset.size) << asset.path;
  }
  const std::string page = body(*asset_response(get("/"), ""));
  EXPECT_NE(page.find("<div id=\"root\">"), std::string::npos);
}

}  // namespace
}  // namespace wave::server::web

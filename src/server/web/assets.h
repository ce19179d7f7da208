// Serves the browser application from the binary: the paths outside /api.
#pragma once

#include <optional>
#include <vector>

#include "http/message.h"
#include "server/web/embedded.h"

namespace wave::server::web {

/// Whether this build has the browser application.
bool has_application();

/// What the application answers: a file, its first page for paths that only it knows, 304, 404 for
/// files that are not there, 405. Nothing for /api, /metrics and what lies below them. Without the
/// application: a page at `/` that says so, nothing for other paths. Cheap; needs no credential
/// (what it shows comes from the API). `base_path`: where a proxy shows us, "/wave", or nothing;
/// the page's addresses begin with it. Thread: any.
std::optional<http::Response> asset_response(const http::Request& request,
                                             std::string_view base_path);

/// The same, of these files.
std::optional<http::Response> asset_response(const http::Request& request,
                                             const std::vector<EmbeddedAsset>& assets,
                                             std::string_view base_path = {});

}  // namespace wave::server::web

#include <fcntl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "server/api/handlers.h"
#include "server/api/masked_file.h"
#include "server/api/run_json.h"

namespace wave::server::api {
namespace {

/// Never a type that a browser would run: agents wrote this.
std::string_view content_type(const flow::Artifact& artifact) {
  if (artifact.type == "json") return "application/json";
  if (artifact.type == "markdown") return "text/markdown; charset=utf-8";
  if (artifact.type == "text" || artifact.type.empty()) return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

/// A name that fits between quotes in a header.
std::string header_name(const std::string& name) {
  std::string safe = name;
  for (char& c : safe) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    if (!plain) c = '_';
  }
  return safe.substr(0, 120);
}

}  // namespace

Result<http::Response> list_artifacts(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  const std::string step = call.text("step");
  if (!step.empty()) WAVE_CHECK(check_step(details, step));
  json::array artifacts;
  for (const flow::Artifact& artifact : details.artifacts) {
    if (step.empty() || artifact.step == step) artifacts.push_back(artifact_json(artifact));
  }
  return whole_list("artifacts", std::move(artifacts));
}

Result<http::Response> get_artifact(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  const std::string step = call.text("step"), name = call.text("name");
  WAVE_CHECK(check_step(details, step));
  const auto found = std::ranges::find_if(details.artifacts, [&](const flow::Artifact& artifact) {
    return artifact.step == step && artifact.name == name;
  });
  if (found == details.artifacts.end()) {
    return fail(Code::kNotFound, fmt::format("step '{}' made no artifact '{}'", step, name),
                fmt::format("GET /api/runs/{}/artifacts lists them", details.row.run_id));
  }
  // By hash, from the blob store: what lies in a workspace may have changed since.
  const Services& services = call.services;
  auto file = open_file(services.store.blob_path(found->sha256), O_RDONLY);
  if (!file) return fail(file.error().wrapped("the artifact's bytes are not there"));
  struct stat info{};
  if (::fstat(file->get(), &info) != 0) return fail(errno_error(errno, "cannot read the artifact"));
  WAVE_TRY(http::Response response,
           masked_answer(call.request, *std::move(file), static_cast<uint64_t>(info.st_size),
                         "\"" + found->sha256 + "\"", services.redactor));
  response.headers.add("Content-Type", std::string(content_type(*found)));
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Content-Security-Policy", "default-src 'none'; sandbox");
  if (call.flag("download") || content_type(*found) == "application/octet-stream") {
    response.headers.add("Content-Disposition",
                         "attachment; filename=\"" + header_name(found->name) + "\"");
  }
  return response;
}

}  // namespace wave::server::api

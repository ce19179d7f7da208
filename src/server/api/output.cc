#include <fcntl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "server/api/handlers.h"
#include "server/api/masked_file.h"
#include "server/api/problem.h"
#include "workspace/beneath.h"

namespace wave::server::api {
namespace {

constexpr int64_t kDefaultLength = 1 << 20;
constexpr int kMostRestarts = 100;

/// The folder of the process that is meant, relative to the run's.
Result<fs::path> launch_folder(const Call& call, const store::RunDetails& details,
                               const flow::StepRow& step) {
  const store::StatePaths& paths = call.services.paths;
  const auto visit = static_cast<int>(call.integer("visit", step.visit));
  const auto attempt = static_cast<int>(call.integer("attempt", step.attempt));
  if (visit < 1 || attempt < 1) {
    return fail(Code::kNotFound, fmt::format("step '{}' has not begun", step.step));
  }
  const std::string& run_id = details.row.run_id;
  const auto folder = [&](const std::string& purpose) {
    return paths.attempt(run_id, step.step, visit, attempt, purpose)
        .lexically_relative(paths.run(run_id));
  };
  if (const std::string launch = call.text("launch"); !launch.empty()) {
    if (!is_safe_name(launch) || !launch.starts_with(step.step + ".")) {
      return fail(bad_parameter("launch", "is not the name of a process of this step",
                                "stream_activity and agent_exited events name it"));
    }
    return folder({}).parent_path() / launch;
  }
  // An attempt that was interrupted and started again has a folder for each start.
  fs::path last = folder({});
  std::error_code ignored;
  for (int again = 1; again <= kMostRestarts; ++again) {
    const fs::path next = folder(fmt::format("again-{}", again));
    if (!fs::exists(paths.run(run_id) / next, ignored)) break;
    last = next;
  }
  return last;
}

ByteRange asked_for(const Call& call, uint64_t size) {
  if (const int64_t tail = call.integer("tail", 0); tail > 0) {
    const uint64_t length = std::min<uint64_t>(static_cast<uint64_t>(tail), size);
    return {size - length, length};
  }
  const uint64_t offset =
      std::min<uint64_t>(static_cast<uint64_t>(call.integer("offset", 0)), size);
  const auto length = static_cast<uint64_t>(call.integer("length", kDefaultLength));
  return {offset, std::min(length, size - offset)};
}

}  // namespace

Result<http::Response> get_output(Call& call) {
  WAVE_TRY(const store::RunDetails details, run_of(call));
  const std::string name = call.text("step");
  WAVE_CHECK(check_step(details, name));
  const auto step = std::ranges::find(details.steps, name, &flow::StepRow::step);
  WAVE_TRY(const fs::path folder, launch_folder(call, details, *step));
  const Services& services = call.services;
  const Error nothing(Code::kNotFound, fmt::format("step '{}' has printed nothing there", name),
                      "visit, attempt and launch say of which process");
  auto beneath = workspace::Beneath::open(services.paths.run(details.row.run_id));
  if (!beneath) return fail(nothing);
  const std::string stream = call.text("stream", "out");
  auto file = beneath->open_file((folder / stream).string(), O_RDONLY | O_NONBLOCK);
  if (!file) return fail(file.error().code == Code::kPathEscape ? file.error() : nothing);
  struct stat info{};
  if (::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode)) return fail(nothing);
  const auto size = static_cast<uint64_t>(info.st_size);

  http::Response response;
  if (call.request.headers.find("Range")) {
    WAVE_TRY(response, masked_answer(call.request, *std::move(file), size, {}, services.redactor));
  } else {
    const ByteRange range = asked_for(call, size);
    WAVE_TRY(response.body, masked_range(*std::move(file), range, services.redactor));
    response.headers.add("Accept-Ranges", "bytes");
    response.headers.add("X-Wave-Offset", std::to_string(range.offset));
  }
  response.headers.add("X-Wave-Size", std::to_string(size));
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace wave::server::api
